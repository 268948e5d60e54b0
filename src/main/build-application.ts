/** Puts the application together: the store that writes, the reader that reads, and the settings of the use cases. */
import { randomBytes } from "node:crypto";
import type { Pool } from "pg";
import { createPasskeys } from "../adapters/factors/passkeys.ts";
import { createPasswords } from "../adapters/factors/passwords.ts";
import { createTotp } from "../adapters/factors/totp.ts";
import { createCommandStore, type PostgresCommandStore } from "../adapters/postgres/command-store.ts";
import { outboundUrlFault } from "../adapters/outbound/outbound-url.ts";
import { createReader } from "../adapters/postgres/reader.ts";
import { createFailureCounter, createRateCounter, createScratch } from "../adapters/postgres/scratch.ts";
import { PolicyCache } from "../adapters/postgres/working-set.ts";
import type { Keyring } from "../adapters/sealing/keyring.ts";
import { createSealing } from "../adapters/sealing/sealing.ts";
import type { Application, IdentitySettings, WebhookSettings } from "../app/application.ts";
import type { DeployParts } from "../app/deploy/deploy-parts.ts";
import { LastSeen } from "../app/last-seen.ts";
import { OrganizationDirectory } from "../app/organization-directory.ts";
import { mintPerson } from "../app/mint-person.ts";
import { RefusalDesk } from "../app/refusal-desk.ts";
import { attestationRoots } from "./attestation-roots.ts";
import { buildIdentityProviders } from "./build-identity-providers.ts";
import type { CommitSignal } from "./commit-signal.ts";
import type { Config } from "./config-schema.ts";
import { isMailSent } from "./mail-transport.ts";
import { managedPolicies } from "./managed-policies.ts";
import { nodeSha256 } from "./open-ledger.ts";
import { randomId } from "./random-id.ts";

export interface BuildApplicationOptions {
  readonly connectionString: string;
  readonly pool: Pool;
  readonly orgId: string;
  readonly config: Config;
  readonly identity: IdentitySettings;
  readonly keyring: Keyring;
  readonly commits: CommitSignal;
  readonly isQuarantined: () => boolean;
  readonly onFault: (error: unknown) => void;
  readonly deploy: DeployParts;
  /** Told when an identity provider did not do what it should. */
  readonly onIssuerFault?: (cause: unknown) => void;
}

export interface BuiltApplication {
  readonly app: Application;
  readonly store: PostgresCommandStore;
}

/** Compiled policies that are kept in memory; far more than any installation has in use at a time. */
const POLICIES_KEPT = 1_000;

export function buildApplication(options: BuildApplicationOptions): BuiltApplication {
  const { connectionString, pool, orgId, commits, identity, isQuarantined, onFault } = options;
  const { awe, countersign: own } = options.config;
  const random = (length: number): Uint8Array => randomBytes(length);
  const clock = (): number => Date.now();
  const store = createCommandStore({
    ...{ connectionString, orgId, sha256: nodeSha256, clock, isQuarantined, onFault },
    newId: randomId,
    policies: new PolicyCache(POLICIES_KEPT),
    mint: (name, world) => mintPerson(name, world, { sha256: nodeSha256, random, orgId: world.orgId }),
    onCommit: (size) => {
      commits.emit(size);
    },
  });
  const { origin, hostname } = new URL(identity.publicUrl);
  const shared = {
    scratch: createScratch(pool),
    rates: createRateCounter(pool),
    failures: createFailureCounter(pool),
    seals: createSealing(options.keyring),
    passkeys: createPasskeys({
      ...{ rpId: hostname, origin, rpName: "Countersign" },
      attestationRoots: attestationRoots(options.config.countersign.attestation_roots_file),
    }),
    totp: createTotp(),
    passwords: createPasswords(),
    ...buildIdentityProviders({
      outbound: {
        allow: awe.outbound.allow,
        allowHttp: awe.outbound.allow_http,
        development: identity.development,
      },
      clock,
      warn: options.onIssuerFault ?? onFault,
    }),
    settings: {
      adminOverride: awe.decisions.admin_override,
      defaultTtlHours: awe.requests.default_ttl_hours,
      enforceArtifactType: awe.requests.enforce_artifact_type,
      delegationMaxDays: awe.delegation.max_days,
      ...{ readScope: awe.access.read_scope, webhooks: webhookSettings(awe.outbound, identity.development) },
      machineRequests: { perMinute: own.machine_rate_per_minute, open: own.machine_requests_open },
      ...(isMailSent(options.config) ? { notifier: { adminAddresses: awe.notifier.admin_addresses } } : {}),
    },
    ...{ identity, sha256: nodeSha256, random, newId: randomId, clock, lastSeen: new LastSeen() },
    organizations: new OrganizationDirectory(createReader(pool, { orgId }), clock),
    refusals: new RefusalDesk(onFault),
    ...{ deploy: options.deploy, managedPolicies: managedPolicies() },
  };
  const applications = new Map<string, Application>();
  const forOrganization = (id: string): Application => {
    const known = applications.get(id);
    if (known !== undefined) return known;
    const parts = { store: store.forOrganization(id), reader: createReader(pool, { orgId: id }) };
    const made: Application = { ...shared, ...parts, orgId: id, forOrganization };
    applications.set(id, made);
    return made;
  };
  return { app: forOrganization(orgId), store };
}

function webhookSettings(
  { allow, allow_http: allowHttp }: Config["awe"]["outbound"],
  development: boolean,
): WebhookSettings {
  return { urlFault: (url) => outboundUrlFault(url, { allow, allowHttp, development }) };
}
