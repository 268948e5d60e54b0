/**
 * Who makes, rotates or revokes a token, as the transaction finds them: what was looked up when the call came in may have
 * changed since. Implements docs/spec/identity.md R-TOK-9 (last sentence) and who may do what in section 7.
 */
import { mayAct } from "../core/person-status.ts";
import { permits, type Permission } from "../core/permission.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf } from "../core/roles.ts";
import type { World } from "../ports/command-store.ts";
import type { MachineRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";

export interface TokenCaller {
  readonly actor: Actor;
  /** Null for a credential that is no session: those make no tokens. */
  readonly session: SessionRecord | null;
}

export function makerNeeds({ actor, session }: TokenCaller): readonly RecordQuery[] {
  const personIds = actor.person === null ? [] : [actor.person.id];
  return [
    // By its id: a proof in this very call may have given the session another secret.
    recordsBy("session", "id", session === null ? [] : [session.id]),
    recordsBy("person", "id", personIds),
    recordsBy("roleGrant", "personId", personIds),
  ];
}

/** What the caller may do at this moment. */
export function makerPermissions(
  app: Application,
  world: World,
  { actor, session }: TokenCaller,
): readonly Permission[] | Refusal {
  const personId = actor.person?.id;
  if (personId === undefined || session === null) return refuse("permission_denied", "Only people make tokens");
  const rows = world.records("session", "id", session.id);
  const isLive = rows.some((row) => row.endedAt === null && row.expiresAt > world.now && row.personId === personId);
  if (!isLive) return refuse("session_expired", "Your session has ended: sign in again");
  const [person] = world.records("person", "id", personId);
  if (person === undefined || !mayAct(person.status)) {
    return refuse("person_suspended", "This account is no longer active");
  }
  const roles = world
    .records("roleGrant", "personId", personId)
    .filter((grant) => grant.endedAt === null && (grant.orgId === null || grant.orgId === app.orgId))
    .map((grant) => grant.role);
  // Nobody vouches for the roles of development mode, and no record holds them.
  return session.method === "development" ? actor.permissions : permissionsOf(roles);
}

/** People look after the tokens of machines they own; `org:token:write` is for all. */
export function mayKeepTokens(actor: Actor, permissions: readonly Permission[], machine: MachineRecord): boolean {
  if (permits(permissions, "org:token:write")) return true;
  return actor.person !== null && machine.owners.includes(actor.person.id);
}
