/**
 * Who gives which role: only what the giver holds in full, never to oneself, and never so that nobody is left to administer
 * (docs/spec/identity.md R-ROLE-3). Roles with a source of their own stay with that source.
 */
import type { PersonId } from "../core/ids.ts";
import { permitsAll } from "../core/permission.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf, roleNamed, type Role } from "../core/roles.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { RoleGrantRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { ledgerActor } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { isOneself, joinedChanges, personAct } from "./person-changes.ts";
import { outrankedHere, standingIn } from "./outranked.ts";
import { endedSessions, endedSessionsHere } from "./person-ending.ts";
import { holderNeeds, lastHolderRefusal } from "./person-holders.ts";
import { personUnknown } from "./person-page.ts";

/** What administrators give by hand, and what an invitation brought: both are changed by hand. */
const BY_HAND: ReadonlySet<string> = new Set(["admin", "invitation", "setup", "environment"]);

/** The roles that the actor may give, or why one of them is not to be had. */
export function givableRoles(actor: Actor, names: readonly string[]): readonly Role[] | Refusal {
  const roles: Role[] = [];
  for (const name of new Set(names)) {
    const role = roleNamed(name);
    if (role === undefined || role.holder === "machine") {
      const message = `There is no role '${name}' for people`;
      return refuse("invalid_input", message, [{ path: ["body", "roles"], message, code: "unknown_role" }]);
    }
    if (!permitsAll(actor.permissions, permissionsOf([name]))) {
      return refuse("permission_denied", `To give the role '${name}' you must hold everything it allows`);
    }
    roles.push(role);
  }
  return roles;
}

export interface GrantedBy {
  readonly personId: PersonId;
  readonly source: string;
  readonly createdBy: string;
}

export function newGrant(app: Application, world: World, role: Role, by: GrantedBy): RoleGrantRecord {
  const orgId = role.holder === "platform" ? null : app.orgId;
  return { id: world.newId(), orgId, role: role.name, ...by, createdAt: world.now, endedAt: null };
}

export async function setRoles(
  app: Application,
  actor: Actor,
  { personId, roles }: { readonly personId: PersonId; readonly roles: readonly string[] },
): Promise<null | Refusal> {
  if (isOneself(actor, personId)) return refuse("self_role_change", "Nobody changes their own roles");
  const member = await app.reader.member(personId);
  if (member === undefined) return personUnknown();
  const holders = await holderNeeds(app);
  return await app.store.submit<null | Refusal>({
    name: "set_roles",
    needs: {
      personIds: [personId, ...holders.personIds],
      records: [
        ...holders.records,
        recordsBy("roleGrant", "personId", [personId]),
        recordsBy("session", "personId", [personId]),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(app, actor, { personId, roles }, world),
  });
}

function carryOut(
  app: Application,
  actor: Actor,
  { personId, roles }: { readonly personId: PersonId; readonly roles: readonly string[] },
  world: World,
): Carried<null | Refusal> {
  const refused = (refusal: Refusal): Carried<Refusal> => ({ answer: refusal, changes: NO_CHANGE });
  const person = world.personRecord(personId);
  if (person === undefined || person.status === "erased") return refused(personUnknown());
  const higher = outrankedHere(app, actor, personId, world);
  if (higher !== null) return refused(higher);
  const live = world
    .records("roleGrant", "personId", personId)
    .filter((grant) => grant.endedAt === null && (grant.orgId === null || grant.orgId === app.orgId));
  const byHand = live.filter(({ source }) => BY_HAND.has(source));
  const wanted = new Set(roles);
  const missing = [...wanted].filter((name) => !byHand.some(({ role }) => role === name));
  const surplus = byHand.filter(({ role }) => !wanted.has(role));
  // What is taken away must be the giver's to give as well.
  const changed = givableRoles(actor, [...missing, ...surplus.map(({ role }) => role)]);
  if (isRefusal(changed)) return refused(changed);
  if (missing.length + surplus.length === 0) return { answer: null, changes: NO_CHANGE };
  const keeps = live.filter((grant) => !surplus.includes(grant));
  const last = lastHolderRefusal(app, world, personId, keeps);
  if (last !== null) return refused(last);
  const createdBy = ledgerActor(actor, app.sha256);
  const added = changed
    .filter(({ name }) => missing.includes(name))
    .map((role) => newGrant(app, world, role, { personId, source: "admin", createdBy }));
  const ended = surplus.map((grant) => ({ ...grant, endedAt: world.now }));
  const told = personAct(
    app,
    actor,
    {
      ...{ kind: "person.roles_changed", person, did: "was given other roles" },
      data: { source: "admin", added: missing, removed: surplus.map(({ role }) => role) },
      before: { roles: live.map(({ role }) => role) },
      after: { roles: [...keeps, ...added].map(({ role }) => role) },
    },
    world,
  );
  // Without a role nobody stays signed in (R-SESS-3); whoever has one elsewhere stays there.
  const ends = standingIn(app, world, personId).holdsElsewhere ? endedSessionsHere : endedSessions;
  const signedOut = keeps.length + added.length === 0 ? [ends(app, world, personId, "roles")] : [];
  const changes = joinedChanges([{ ...told, records: { roleGrant: [...ended, ...added] } }, ...signedOut]);
  return { answer: null, changes };
}
