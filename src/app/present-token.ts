/**
 * An API token is presented: whose is it, and what may it do now? Implements docs/spec/identity.md R-ID-8 and R-TOK-1 to R-TOK-9,
 * R-WID-3.
 *
 * A text that was never given out ends at its checksum, without a query. Everything else is found by its SHA-256 as a key of an
 * index: what an attacker could learn from the time of that look-up is about the hash, of which they cannot choose a bit, so
 * no comparison here has to take a constant time.
 */
import { mayAct } from "../core/person-status.ts";
import type { Permission } from "../core/permission.ts";
import type { Actor, Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf } from "../core/roles.ts";
import type { ApiTokenRecord, MachineRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { ledgerId } from "./ledger-names.ts";
import { machineActor } from "./machine-actor.ts";
import { secretHash } from "./session-record.ts";
import type { ExchangedFor, FoundToken, TokenDesk, TokenOwner } from "./token-desk.ts";
import { readToken } from "./token-format.ts";
import { narrowedLimits, readTokenLimits, type TokenLimits } from "./token-limits.ts";
import { tokenPermissions } from "./token-permissions.ts";
import { readExchanged, type SingleUse } from "./workload-caller.ts";
import { readKeptClaims, workloadIdentity, type WorkloadIdentity } from "./workload-identity.ts";

export interface PresentedToken {
  readonly actor: Actor;
  readonly permissions: readonly Permission[];
  readonly orgId: string;
  readonly machine: MachineRecord;
  readonly tokenId: string;
  readonly limits: TokenLimits;
  /** Of the workload's token that it was given for (R-WID-3); null where somebody made it. */
  readonly singleUse: SingleUse | null;
  /** Of which job's token it was given for (deploy R-OIDC-1); null where somebody made it. */
  readonly workload: WorkloadIdentity | null;
  /** Null for a token without an end. */
  readonly expiresAt: Instant | null;
}

export interface TokenCall {
  readonly desk: TokenDesk;
  /** The client's; null when it is not known. */
  readonly address: string | null;
}

export async function presentToken(
  app: Application,
  token: string,
  { desk, address }: TokenCall,
): Promise<PresentedToken | Refusal> {
  if (readToken(token) === null) return unknown();
  const hash = secretHash(app, token);
  const found = await desk.found.get(hash, () => findToken(app, hash));
  if (found === undefined) return unknown();
  const now = app.clock();
  const limits = limitsOf(found);
  const refused = tokenRefusal(found, now) ?? ownerRefusal(found) ?? addressRefusal(limits, { desk, address });
  if (refused !== null) return refused;
  desk.used({ tokenId: found.token.id, usedAt: now, address });
  return presented(found, limits);
}

function presented(found: FoundToken, limits: TokenLimits): PresentedToken {
  const { secret, token, machine, exchanged } = found;
  const permissions = permissionsOfFound(found);
  return {
    actor: machineActor(machine, { permissions, credential: ledgerId("tok", token.id) }),
    ...{ permissions, orgId: token.orgId, machine, tokenId: token.id, limits },
    ...{ singleUse: exchanged?.singleUse ?? null, workload: exchanged?.workload ?? null },
    expiresAt: earlier(token.expiresAt, secret.endsAt),
  };
}

/** What was found does not change, and is presented many times. */
const permissionsFound = new WeakMap<FoundToken, readonly Permission[]>();

function permissionsOfFound(found: FoundToken): readonly Permission[] {
  const known = permissionsFound.get(found);
  if (known !== undefined) return known;
  const { token, machine, owners, exchanged } = found;
  const active = owners.filter((owner) => owner.active);
  const permissions = tokenPermissions({
    scopes: exchanged === null ? token.scopes : token.scopes.filter((scope) => exchanged.scopes.includes(scope)),
    creatorPermissions: token.creatorPermissions,
    owners: machine.owners.length === 0 ? null : active.map((owner) => owner.permissions),
  });
  permissionsFound.set(found, permissions);
  return permissions;
}

function limitsOf({ token, exchanged }: FoundToken): TokenLimits {
  const own = readTokenLimits(token.limits);
  return exchanged === null ? own : narrowedLimits(own, exchanged.limits);
}

async function findToken(app: Application, hash: string): Promise<FoundToken | undefined> {
  const [secret] = await app.reader.records(recordsBy("tokenSecret", "tokenHash", [hash]));
  if (secret === undefined) return undefined;
  const [token] = await app.reader.records(recordsBy("apiToken", "id", [secret.tokenId]));
  if (token === undefined) return undefined;
  const [machine] = await app.reader.records(recordsBy("machine", "id", [token.machineId]));
  if (machine === undefined) return undefined;
  const { reader } = app.forOrganization(token.orgId);
  const owners = await Promise.all(
    machine.owners.map(async (id): Promise<TokenOwner> => {
      const member = await reader.person(id);
      if (member === undefined) return { active: false, permissions: [] };
      return { active: mayAct(member.record.status), permissions: permissionsOf(member.roles) };
    }),
  );
  return { secret, token, machine, owners, exchanged: await exchangedOf(app, token) };
}

/** What cannot be read lets nobody in. */
async function exchangedOf(app: Application, { exchanged }: ApiTokenRecord): Promise<ExchangedFor | null> {
  if (exchanged === null) return null;
  const kept = readExchanged(exchanged);
  if (kept === null) {
    const singleUse = { scope: "", value: "", expiresAt: 0 };
    return { singleUse, enabled: false, workload: null, scopes: [], limits: readTokenLimits({}) };
  }
  const [provider] = await app.reader.records(recordsBy("workloadProvider", "id", [kept.provider]));
  const workload = provider === undefined ? null : workloadIdentity(provider, readKeptClaims(exchanged));
  return {
    ...{ singleUse: kept.singleUse, enabled: provider?.deletedAt === null && provider.enabled, workload },
    ...{ scopes: provider?.scopes ?? [], limits: readTokenLimits(provider?.limits ?? {}) },
  };
}

function tokenRefusal({ secret, token, machine, exchanged }: FoundToken, now: Instant): Refusal | null {
  if (token.revokedAt !== null) return refuse("token_revoked", "This token was revoked");
  if (machine.disabledAt !== null) return refuse("token_revoked", "The machine of this token was retired");
  if (exchanged?.enabled === false)
    return refuse("token_revoked", "The workload provider of this token was switched off");
  if (token.expiresAt !== null && token.expiresAt <= now) return refuse("token_expired", "This token has expired");
  if (secret.endsAt !== null && secret.endsAt <= now) {
    return refuse("token_revoked", "This token was rotated: the secret that replaced it is the one to use");
  }
  return null;
}

/** One active owner is enough; a service account has none to ask about (R-ID-8). */
function ownerRefusal({ machine, owners }: FoundToken): Refusal | null {
  if (machine.owners.length === 0 || owners.some((owner) => owner.active)) return null;
  return refuse("owner_inactive", "No owner of this machine is active any more");
}

function addressRefusal({ cidrs }: TokenLimits, { desk, address }: TokenCall): Refusal | null {
  if (cidrs === null) return null;
  if (address !== null && cidrs.some((range) => desk.isWithin(address, range))) return null;
  return refuse("token_scope_limit", "This token may not be used from this address");
}

function earlier(one: Instant | null, other: Instant | null): Instant | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** The same for a text that is no token and for one that nobody was given. */
function unknown(): Refusal {
  return refuse("token_invalid", "This token is not known here");
}
