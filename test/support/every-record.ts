/** One record of every kind that the ledger follows, about one person: for tests of what holds for all of them. */
import { randomUUID } from "node:crypto";
import type { PersonId } from "../../src/core/ids.ts";
import type { Records, StateKind } from "../../src/ports/records.ts";

type OneOfEach = { readonly [Kind in StateKind]: Records[Kind] };

export function everyRecord(orgId: string, personId: PersonId, now: number): OneOfEach {
  const id = randomUUID();
  const made = { id, createdAt: now };
  const owned = { ...made, personId };
  const inside = { ...made, orgId };
  const machine: Records["machine"] = {
    ...{ ...inside, kind: "ci", name: `machine ${id}`, owners: [personId], contactId: null, actsForId: null },
    ...{ createdBy: "test", disabledAt: null },
  };
  return {
    organization: { ...made, name: "Other", slug: id, status: "active" },
    person: {
      ...{ id: personId, orgId, assignee: "ann", displayName: null, email: null, status: "active", handle: null },
      ...{ firstSignedInAt: null, breakGlass: false, createdAt: now },
    },
    alias: { orgId, name: id, folded: id, personId, proof: "asserted" },
    directoryEntry: {
      ...{ orgId, kind: "group", client: "", name: `/${id}`, members: [personId], createdAt: now, deleted: false },
    },
    identity: { ...owned, issuer: "https://other.example", subject: id, providerId: null, unlinkedAt: null },
    roleGrant: { ...owned, orgId, role: "viewer", source: "test", createdBy: "test", endedAt: null },
    session: {
      ...{ ...owned, tokenHash: id, orgId, kind: "web", method: "passkey", aal: 2, claims: {}, providerId: null },
      ...{ upstreamSession: null, client: null, address: null, expiresAt: now + 1, lastSeenAt: null },
      ...{ idleSeconds: null, factorAt: null, factorId: null, endedAt: null, endCause: null },
    },
    factor: {
      ...{
        ...owned,
        type: "totp",
        name: "test",
        credentialId: null,
        publicKey: null,
        algorithm: null,
        signCount: null,
      },
      ...{ transports: null, aaguid: null, backupEligible: null, backedUp: null, rpId: null, attestation: null },
      ...{ secret: "sealed", usableAt: now, lastUsedAt: null, signingDisabledAt: null, disabledAt: null },
      removedAt: null,
    },
    password: { personId, hash: "hash", changedAt: now },
    backupCode: { ...owned, codeHash: id, usedAt: null, endedAt: null },
    factorPreference: { personId, method: "totp", updatedAt: now },
    trustedDevice: { ...owned, tokenHash: id, browser: "test", expiresAt: now + 1, lastUsedAt: null, revokedAt: null },
    oneTimeLink: {
      ...{ ...owned, orgId, kind: "invitation", tokenHash: id, createdBy: "test", expiresAt: now + 1 },
      ...{ usedAt: null, replacedAt: null },
    },
    machine,
    apiToken: {
      ...{ ...inside, machineId: machine.id, name: "test", prefix: "cst_", lastFour: "abcd", scopes: [] },
      ...{ creatorPermissions: [], limits: {}, createdBy: "test", expiresAt: null, revokedAt: null, legacy: false },
      exchanged: { provider: id, value: "hash", expires_at: now + 1 },
      warnedDays: 14,
    },
    tokenSecret: { tokenHash: id, tokenId: id, createdAt: now, endsAt: null },
    identityProvider: {
      ...{ ...inside, name: `provider ${id}`, issuer: "https://idp.example", clientId: "test", clientSecret: null },
      ...{ settings: {}, enabled: true, updatedAt: now, deletedAt: null },
    },
    workloadProvider: {
      ...{ ...inside, machineId: machine.id, name: `workload ${id}`, preset: "custom", issuer: "https://ci.example" },
      ...{ audience: "test", subjects: [], claims: {}, scopes: [], enabled: true, updatedAt: now, deletedAt: null },
      ...{ limits: {}, bindCommit: true },
    },
    setting: { orgId, key: "aal3", value: false, updatedBy: "test", updatedAt: now },
    scimResource: {
      ...{ ...owned, orgId, kind: "user", externalId: null, groupPath: null, attributes: {}, version: 1 },
      ...{ updatedAt: now, deletedAt: null },
    },
    deployApproval: {
      ...{ ...inside, requestId: id, scope: "production", app: "myapp", commit: "a".repeat(40), branch: null },
      ...{ message: "test", ciMetadata: null, images: {}, targetTokenId: null, targetPersonId: personId },
      ...{
        createdByTokenId: null,
        createdByPersonId: personId,
        version: 1,
        facts: NO_FACTS,
        ciJoined: [],
        warnings: [],
      },
      ...{
        ci: { provider: null, ready: false, problems: [], url: null },
        sourceTree: { state: "pending", treeId: null },
      },
      ...{ sourceDigest: null, objectKey: null, objectUrl: null, uploadCount: 0, builds: [], releaseId: null },
      ...{ promotes: [], processIds: [], execCommands: {}, commands: [], deployedAt: null, deployedByTokenId: null },
      ...{ deployedByPersonId: null, supersededBy: null, imageDigests: [], imageChange: null },
      ...{ rackState: null, drift: null },
    },
    deployObject: {
      ...{ orgId, scope: "production", app: "myapp", key: id, url: `object://myapp/${id}`, bytes: 1 },
      ...{
        objectSha256: "a".repeat(64),
        sourceDigest: "b".repeat(64),
        manifests: [],
        approvalIds: [],
        tokenId: null,
        personId,
      },
      uploadedAt: now,
    },
    deploySetting: { orgId, scope: "production", app: "", key: id, value: 1, updatedBy: "test", updatedAt: now },
    chatIntegration: {
      ...{ orgId, teamId: "T1", teamName: "Test", botUserId: "U1", botToken: "sealed", alertsEnabled: true },
      ...{
        alertsChannelId: null,
        channelActions: {},
        connectedBy: "test",
        createdAt: now,
        updatedAt: now,
        removedAt: null,
      },
    },
    webhookSecret: {
      ...{
        ...inside,
        name: id,
        callerService: id,
        status: "active",
        secret: "sealed",
        previous: null,
        effectiveAt: now,
      },
      ...{ previousUntil: null, allowedCallers: null, allowedUrls: null, revokedAt: null },
    },
    effect: {
      ...{ ...inside, kind: "mail", lane: id, position: 0, requestId: null, payload: {}, state: "pending" },
      ...{ attempts: 0, dueAt: now, endsAt: null, lastError: null, result: null, doneAt: null },
    },
  };
}

const NO_FACTS: Records["deployApproval"]["facts"] = {
  ...{ repository: null, isDefaultBranch: null, commit: null, pullRequest: null, activeRelease: null },
  ...{ activeCommit: null, changes: null, commitUrl: null, branchUrl: null, prUrl: null, unmatchedAuthors: [] },
  workload: null,
};
