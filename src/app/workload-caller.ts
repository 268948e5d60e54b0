/**
 * A platform's token is presented: which machine's workload is that, and what may it do now? Implements docs/spec/identity.md
 * R-WID-1 and R-WID-3. Only a registered issuer is ever asked for its keys.
 */
import type { JsonObject } from "../core/json.ts";
import type { Permission } from "../core/permission.ts";
import { mayAct } from "../core/person-status.ts";
import type { Actor, Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf } from "../core/roles.ts";
import type { ApiTokenRecord, MachineRecord, WorkloadProviderRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { WorkloadFault } from "../ports/workload-tokens.ts";
import type { Application } from "./application.ts";
import { ledgerId } from "./ledger-names.ts";
import { machineActor } from "./machine-actor.ts";
import { secretHash } from "./session-record.ts";
import { tokenPermissions } from "./token-permissions.ts";
import { jobOf, keptClaims, workloadIdentity, type WorkloadIdentity } from "./workload-identity.ts";
import { isMeantFor, letsIn } from "./workload-rules.ts";
import { oldestFirst } from "./workload-provider.ts";

/** What a token can be used for once only. */
export interface SingleUse {
  /** The provider: another one's tokens are numbered by itself. */
  readonly scope: string;
  /** SHA-256 of the token's id, or of the token where it has none. */
  readonly value: string;
  /** Until then it could come again. */
  readonly expiresAt: Instant;
}

/** The same for a token that was given in exchange: what the workload's token may do once, the two may do once together. */
export function exchangedFor({ provider, singleUse, identity }: WorkloadCaller): JsonObject {
  const { value, expiresAt } = singleUse;
  return { provider: provider.id, value, expires_at: expiresAt, claims: identity.claims };
}

/** Null for what no exchange keeps so. */
export function readExchanged(kept: JsonObject): { readonly provider: string; readonly singleUse: SingleUse } | null {
  const { provider, value, expires_at: expiresAt } = kept;
  if (typeof provider !== "string" || typeof value !== "string" || typeof expiresAt !== "number") return null;
  return { provider, singleUse: { scope: scopeOf(provider), value, expiresAt } };
}

/** Is it the token without a secret that stands for a provider (deploy R-OIDC-1)? It goes with the provider, and with nothing else. */
export function standsForProvider({ id, exchanged }: Pick<ApiTokenRecord, "id" | "exchanged">): boolean {
  return exchanged?.["provider"] === id && exchanged["value"] === undefined;
}

export function keptByProvider(): Refusal {
  return refuse("wrong_state", "This token stands for a workload provider: change or remove the provider");
}

function scopeOf(provider: string): string {
  return `workload:${provider}`;
}

export interface WorkloadCaller {
  readonly actor: Actor;
  readonly permissions: readonly Permission[];
  readonly orgId: string;
  readonly machine: MachineRecord;
  readonly provider: WorkloadProviderRecord;
  readonly expiresAt: Instant;
  readonly singleUse: SingleUse;
  /** Which job of the provider's it is (deploy R-OIDC-1). */
  readonly identity: WorkloadIdentity;
}

const SKEW_MS = 60_000;
const JOB_MS = 24 * 3_600_000;

/**
 * Null when no registered provider's issuer is named: the token may be somebody else's. An organization that registers an issuer
 * which the installation trusts for its people takes nobody's tokens over.
 */
export async function presentWorkload(app: Application, token: string): Promise<WorkloadCaller | Refusal | null> {
  const issuer = app.workloadTokens.claimedIssuer(token);
  if (issuer === null || app.identity.peopleIssuers.includes(issuer)) return null;
  const known = await app.reader.records(recordsBy("workloadProvider", "issuer", [issuer]));
  const registered = known.filter(({ deletedAt }) => deletedAt === null);
  if (registered.length === 0) return null;
  const verified = await app.workloadTokens.verify(issuer, token);
  if ("fault" in verified) return faultRefusal(verified);
  const provider = chosen([...registered].sort(oldestFirst), verified.claims);
  if (isRefusal(provider)) return provider;
  return callerOf(app, provider, { token, claims: verified.claims });
}

function faultRefusal({ fault, detail }: WorkloadFault): Refusal {
  if (fault === "identity_provider_unreachable") {
    return refuse(fault, "The platform that issued this token does not answer: try again in a moment");
  }
  return refuse(fault, `The workload token is refused: ${detail}`);
}

function chosen(registered: readonly WorkloadProviderRecord[], claims: JsonObject): WorkloadProviderRecord | Refusal {
  const meant = registered.filter((provider) => isMeantFor(provider, claims));
  if (meant.length === 0) return refuse("audience_not_allowed", "The workload token was made for another audience");
  const enabled = meant.filter((provider) => provider.enabled);
  if (enabled.length === 0) return refuse("token_invalid", "This workload provider is switched off");
  const provider = enabled.find((each) => letsIn(each, claims));
  return provider ?? refuse("subject_not_allowed", "This workload is not among those that are let in here");
}

async function callerOf(
  app: Application,
  provider: WorkloadProviderRecord,
  { token, claims }: { readonly token: string; readonly claims: JsonObject },
): Promise<WorkloadCaller | Refusal> {
  const [machine] = await app.reader.records(recordsBy("machine", "id", [provider.machineId]));
  if (machine?.disabledAt !== null) return refuse("token_revoked", "The machine of this workload was retired");
  const owners = await activeOwners(app, machine);
  if (machine.owners.length > 0 && owners.length === 0) {
    return refuse("owner_inactive", "No owner of this machine is active any more");
  }
  const permissions = tokenPermissions({
    ...{ scopes: provider.scopes, creatorPermissions: provider.scopes },
    owners: machine.owners.length === 0 ? null : owners,
  });
  const expiresAt = Number(claims["exp"]) * 1_000;
  return {
    actor: machineActor(machine, { permissions, credential: ledgerId("wid", provider.id) }),
    ...{ permissions, orgId: provider.orgId, machine, provider, expiresAt },
    singleUse: {
      scope: scopeOf(provider.id),
      value: secretHash(app, jobOf(claims) ?? `token:${signedPart(token)}`),
      // A job that is known by its own id may be given further tokens for as long as it runs.
      expiresAt: expiresAt + (typeof claims["jti"] === "string" ? SKEW_MS : JOB_MS),
    },
    identity: workloadIdentity(provider, keptClaims(provider.preset, claims)),
  };
}

/** The signature can be written in several ways; what is signed cannot. */
function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf("."));
}

/** What each owner who is active holds now. */
async function activeOwners(app: Application, machine: MachineRecord): Promise<readonly (readonly Permission[])[]> {
  const { reader } = app.forOrganization(machine.orgId);
  const members = await Promise.all(machine.owners.map((id) => reader.person(id)));
  return members.flatMap((member) =>
    member !== undefined && mayAct(member.record.status) ? [permissionsOf(member.roles)] : [],
  );
}
