/**
 * What commands on machines have in common: whom a machine may name, and how a change is told. Implements
 * docs/spec/identity.md R-ID-8 and R-ID-9.
 */
import type { PersonId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import { mayAct } from "../core/person-status.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal, type RefusalDetail } from "../core/refusal.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { MachineRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { describe } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";

/** Whom a machine names. Without owners it is a service account, whose contact is told but answers for nothing. */
export interface MachinePeople {
  readonly owners: readonly PersonId[];
  readonly contactId: PersonId | null;
  readonly actsForId: PersonId | null;
}

export function peopleOf({ owners, contactId, actsForId }: MachinePeople): readonly PersonId[] {
  return [...owners, ...(contactId === null ? [] : [contactId]), ...(actsForId === null ? [] : [actsForId])];
}

/** What `machineFault` looks at. */
export function machineNeeds(app: Application, people: readonly PersonId[]): readonly RecordQuery[] {
  return [
    recordsBy("machine", "orgId", [app.orgId]),
    recordsBy("person", "id", people),
    recordsBy("roleGrant", "personId", people),
  ];
}

/** Why this machine cannot be as asked for; null when it can. Who was named before may stay, whatever became of them. */
export function machineFault(
  app: Application,
  world: World,
  { after, before }: { readonly after: MachineRecord; readonly before: MachineRecord | null },
): Refusal | null {
  const known = new Set(before === null ? [] : peopleOf(before));
  const isNobody = (id: PersonId | null): boolean => id !== null && !known.has(id) && !isMember(app, world, id);
  const faults: RefusalDetail[] = [
    ...after.owners.flatMap((id, index) => (isNobody(id) ? [nobody("owners", index)] : [])),
    ...(isNobody(after.contactId) ? [nobody("contact_id")] : []),
    ...(isNobody(after.actsForId) ? [nobody("acts_for_id")] : []),
  ];
  if (after.owners.length === 0 && after.contactId === null) {
    faults.push({ path: ["body", "owners"], message: "must name somebody, or contact_id must: a machine has people" });
  }
  if (after.actsForId !== null && after.kind !== "agent") {
    faults.push({
      path: ["body", "acts_for_id"],
      message: "is for agents: this machine acts for nobody in particular",
    });
  }
  const [first] = faults;
  if (first !== undefined) {
    return refuse("invalid_input", `${first.path.slice(1).join(".")} ${first.message}`, faults);
  }
  return isTaken(app, world, after) ? refuse("already_exists", `There is a machine called '${after.name}'`) : null;
}

/** The same words for somebody unknown, somebody of another organization and somebody who left. */
function nobody(...path: readonly (string | number)[]): RefusalDetail {
  return { path: ["body", ...path], message: "is not an active person of this organization" };
}

function isMember(app: Application, world: World, id: PersonId): boolean {
  const [person] = world.records("person", "id", id);
  if (person === undefined || !mayAct(person.status)) return false;
  const grants = world.records("roleGrant", "personId", id);
  return person.orgId === app.orgId || grants.some((grant) => grant.endedAt === null && grant.orgId === app.orgId);
}

function isTaken(app: Application, world: World, { id, name }: MachineRecord): boolean {
  return world
    .records("machine", "orgId", app.orgId)
    .some((other) => other.id !== id && other.disabledAt === null && other.name.toLowerCase() === name.toLowerCase());
}

export function recordMachine(
  app: Application,
  actor: Actor,
  { before, after }: { readonly before: MachineRecord | null; readonly after: MachineRecord },
  world: World,
): Pick<ChangeSet, "entries" | "audit" | "records"> {
  const entry = describe(
    {
      org: ledgerId("org", app.orgId),
      kind: before === null ? "machine.created" : "machine.changed",
      actor: ledgerActor(actor, app.sha256),
      credential: actor.credential,
      ...{ resource: null, request: null },
      data: { machine: ledgerId("mch", after.id), owners: after.owners.map((id) => ledgerId("usr", id)) },
    },
    app,
  );
  const verb = before === null ? "created" : after.disabledAt === null ? "changed" : "retired";
  const audit = auditRecord(
    actor,
    { entry: 0, world },
    {
      action: `machine.${verb}`,
      resourceType: "machine",
      resourceId: after.id,
      summary: `The machine ${after.name} was ${verb}`,
      before: before === null ? null : shown(before),
      after: shown(after),
      metadata: {},
    },
  );
  return { entries: [entry], audit: [audit], records: { machine: [after] } };
}

function shown({ kind, name, owners, contactId, actsForId, disabledAt }: MachineRecord): JsonObject {
  return { kind, name, owners, contact_id: contactId, acts_for_id: actsForId, retired: disabledAt !== null };
}

export function machineNotFound(): Refusal {
  return refuse("not_found", "There is no such machine");
}
