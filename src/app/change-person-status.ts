/**
 * Locked, unlocked, suspended, reactivated, erased: what a person's status lets them do changes at once, and with it their
 * sessions, devices and seats. Implements the status table of docs/spec/identity.md section 1.
 */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { hasLeft, type PersonStatus } from "../core/person-status.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Facts } from "../core/facts.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { Carried, Needs, World } from "../ports/command-store.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { freedSeats, freeRemainingSeats, seatFacts, seatNeeds } from "./free-seats.ts";
import { NO_CHANGE } from "./no-change.ts";
import { outranked } from "./outranked.ts";
import { isOneself, joinedChanges, personAct } from "./person-changes.ts";
import { accessOf, endedAccess } from "./person-ending.ts";
import { erasure } from "./person-erasure.ts";
import { holderNeeds, lastHolderRefusal, type HolderNeeds } from "./person-holders.ts";
import { personUnknown } from "./person-page.ts";

export type StatusAct = "lock" | "unlock" | "suspend" | "reactivate" | "erase";

export interface StatusChange {
  readonly personId: PersonId;
  readonly act: StatusAct;
  readonly reason: string;
  /** Typed by whoever erases: the person's name, so that nobody erases by a slip. */
  readonly confirm?: string;
}

interface Step {
  readonly from: readonly PersonStatus[];
  readonly kind: string;
  readonly did: string;
}

const STEPS: Readonly<Record<StatusAct, Step>> = {
  lock: { from: ["active"], kind: "person.locked", did: "was locked" },
  unlock: { from: ["locked"], kind: "person.unlocked", did: "was unlocked" },
  suspend: {
    from: ["placeholder", "invited", "active", "locked"],
    kind: "person.suspended",
    did: "was suspended",
  },
  reactivate: { from: ["suspended"], kind: "person.reactivated", did: "was reactivated" },
  erase: {
    from: ["placeholder", "invited", "active", "locked", "suspended"],
    kind: "person.erased",
    did: "was erased",
  },
};

/** The status after the act. */
function statusAfter(act: StatusAct, person: PersonRecord): PersonStatus {
  switch (act) {
    case "lock":
      return "locked";
    case "unlock":
      return "active";
    case "suspend":
      return "suspended";
    case "reactivate":
      // Who never came in is asked to come in again.
      if (person.firstSignedInAt !== null) return "active";
      return person.email === null ? "placeholder" : "invited";
    case "erase":
      return "erased";
  }
}

export async function changePersonStatus(
  app: Application,
  actor: Actor,
  change: StatusChange,
): Promise<PersonRecord | Refusal> {
  if (isOneself(actor, change.personId)) {
    return refuse("permission_denied", "Nobody changes their own status: ask another administrator");
  }
  const holders = await holderNeeds(app);
  const changed = await app.store.submit<StatusChanged | Refusal>({
    name: `${change.act}_person`,
    needs: statusNeeds(change, holders),
    alone: true,
    gather: (world) => seatFacts(app, world, change.personId),
    carryOut: (world, facts) => carryOut(app, { actor, change }, { world, facts }),
  });
  if (isRefusal(changed)) return changed;
  const { person, more } = changed;
  if (more && hasLeft(person.status)) await freeRemainingSeats(app, person.id, causeOf(change.act));
  return person;
}

export interface StatusChanged {
  readonly person: PersonRecord;
  readonly more: boolean;
}

export function statusNeeds({ personId, act }: Pick<StatusChange, "personId" | "act">, holders: HolderNeeds): Needs {
  const leaves = act === "suspend" || act === "erase";
  return {
    personIds: [personId, ...holders.personIds],
    records: [
      ...holders.records,
      ...accessOf(personId),
      recordsBy("roleGrant", "personId", [personId]),
      recordsBy("scimResource", "personId", [personId]),
    ],
    ...(leaves ? seatNeeds(personId) : {}),
    ...(act === "erase" ? { openingsOf: [personId] } : {}),
  };
}

interface Asked {
  readonly actor: Actor;
  readonly change: StatusChange;
}

function carryOut(
  app: Application,
  { actor, change }: Asked,
  at: { readonly world: World; readonly facts: Facts },
): Carried<StatusChanged | Refusal> {
  const person = at.world.personRecord(change.personId);
  const refusal = statusRefused(app, { actor, change }, person, at.world);
  if (refusal !== null || person === undefined) return { answer: refusal ?? personUnknown(), changes: NO_CHANGE };
  return statusChanges(app, { actor, change, person }, at);
}

function statusRefused(
  app: Application,
  { actor, change: { act, confirm } }: Asked,
  person: PersonRecord | undefined,
  world: World,
): Refusal | null {
  if (person?.orgId !== app.orgId) return personUnknown();
  const refused = outranked(app, actor, person.id, world);
  if (refused !== null) return refused;
  if (!STEPS[act].from.includes(person.status)) {
    return refuse("wrong_state", `${person.assignee} is ${person.status} — cannot ${act}`);
  }
  if (act === "erase" && confirm !== person.assignee && confirm !== person.displayName) {
    const message = `Type the name of the person to erase: ${person.displayName ?? person.assignee}`;
    return refuse("invalid_input", message, [{ path: ["body", "confirm"], message }]);
  }
  return act === "unlock" || act === "reactivate" ? null : lastHolderRefusal(app, world, person.id);
}

/** `actor` null: the installation itself, or its directory. */
export function statusChanges(
  app: Application,
  {
    actor,
    change,
    person,
  }: { readonly actor: Actor | null; readonly change: StatusChange; readonly person: PersonRecord },
  { world, facts }: { readonly world: World; readonly facts: Facts },
): Carried<StatusChanged> {
  const { act, reason } = change;
  const { kind, did } = STEPS[act];
  const changed: PersonRecord = { ...person, status: statusAfter(act, person) };
  // The audit list must not bring back the name that goes away.
  const named = act === "erase" ? { id: person.id, assignee: person.id } : person;
  const told = personAct(
    app,
    actor,
    { kind, person: named, reason, did, before: { status: person.status }, after: { status: changed.status } },
    world,
  );
  const own: ChangeSet = { ...told, records: { person: [changed] } };
  if (act === "unlock" || act === "reactivate") return { answer: { person: changed, more: false }, changes: own };
  const ended = endedAccess(app, world, person.id, changed.status);
  if (act === "lock") return { answer: { person: changed, more: false }, changes: joinedChanges([own, ended]) };
  const freed = freedSeats(app, { world, facts }, { personId: person.id, cause: causeOf(act) });
  if (act === "suspend") {
    return { answer: { person: changed, more: freed.more }, changes: joinedChanges([own, ended, freed.changes]) };
  }
  const erased = erasure(app, world, changed);
  const changes = joinedChanges([told, ended, freed.changes, erased.changes]);
  return { answer: { person: erased.person, more: freed.more }, changes: withoutCredentials(changes) };
}

/** The rows of ended sessions and devices go away altogether; that they ended is told. */
function withoutCredentials(changes: ChangeSet): ChangeSet {
  return { ...changes, records: { ...changes.records, session: [], trustedDevice: [] } };
}

function causeOf(act: StatusAct): "suspended" | "erased" {
  return act === "erase" ? "erased" : "suspended";
}
