/**
 * People, tasks and seats as entries name them, in the engine's own values. Entries know people by id alone; what the
 * engine calls a name is that id here. Serves `outcome.ts` (docs/spec/evidence.md section 6, step 6).
 */
import { isId } from "../core/ids.ts";
import type { NewId, TaskId } from "../core/ids.ts";
import { foldName } from "../core/person.ts";
import type { Actor, Instant, Person } from "../core/person.ts";
import { Bug } from "../core/refusal.ts";
import type { Seat, Task } from "../core/request.ts";
import type { JsonValue } from "../ledger/canonical-json.ts";
import type { EntryFields } from "../ledger/entry.ts";
import { isRecord } from "../ledger/kind-schema.ts";

type Id<Name extends string> = string & { readonly __id: Name };

/** Ids that the replay needs and no entry gives. */
export function countingIds(): NewId {
  let count = 0;
  return <Name extends string>(): Id<Name> => {
    count += 1;
    const text = `00000000-0000-4000-8000-${count.toString(16).padStart(12, "0")}`;
    if (!isId<Name>(text)) throw new Bug("a made id is none");
    return text;
  };
}

/** `task_` and 32 hex digits as the engine's UUID text. */
export function idOf<Name extends string>(prefix: string, value: JsonValue | undefined): Id<Name> {
  const hex = typeof value === "string" && value.startsWith(`${prefix}_`) ? value.slice(prefix.length + 1) : "";
  const text = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  if (!isId<Name>(text)) throw new Bug(`an entry names no ${prefix}`);
  return text;
}

export function personOf(value: JsonValue | undefined): Person {
  const id = idOf<"person">("usr", value);
  const name = typeof value === "string" ? value : "";
  return { id, assignee: name, foldedNames: [foldName(name)], displayName: null, disabled: false, machine: false };
}

/** Who the entry says acted; anything but a person is a machine to the engine. */
export function actorOf({ actor, data }: EntryFields, admin: boolean): Actor {
  const person = isPersonName(actor) ? personOf(actor) : null;
  const name = actor ?? "";
  const behalf = data["on_behalf_of"];
  return {
    ...{ person, assignee: name, displayName: name, issuer: "", subject: name, clientId: null, email: null },
    ...{ credential: null, machine: person === null, permissions: [], admin, viewer: false },
    standsFor: person === null && isPersonName(behalf) ? [personOf(behalf).id] : [],
  };
}

export function isPersonName(name: unknown): boolean {
  return typeof name === "string" && name.startsWith("usr_");
}

export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return isList(value) ? value : [];
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** A member of `tasks` of the entry `request.resolved`; kind `required` is an approver whose approval the policy demands. */
export function taskOf(item: JsonValue, now: Instant): Task {
  if (!isRecord(item)) throw new Bug("a task is an object");
  const { task, person, seat, kind } = item;
  if (kind !== "approver" && kind !== "required" && kind !== "observer") throw new Bug("a task has an unknown kind");
  return {
    ...openTask(person, idOf<"task">("task", task), now),
    seatId: seat === null ? null : idOf<"seat">("seat", seat),
    kind: kind === "observer" ? "observer" : "approver",
    required: kind === "required",
  };
}

/** One seat per seat id, in the order in which the entries name them. */
export function seatsOf(items: readonly JsonValue[]): readonly Seat[] {
  const seats = new Map<string, Seat>();
  for (const item of items) {
    const task = taskOf(item, 0);
    if (task.seatId === null) continue;
    if (seats.has(task.seatId)) throw new Bug("two people are asked for one seat");
    seats.set(task.seatId, {
      ...{ id: task.seatId, position: seats.size, origins: [task.personId], holder: task.personId },
      ...{ required: task.required, state: "open" },
    });
  }
  return [...seats.values()];
}

/** A task of somebody whom an escalation added. */
export function addedTask(person: JsonValue, id: TaskId, now: Instant): Task {
  return { ...openTask(person, id, now), escalation: true };
}

function openTask(value: JsonValue | undefined, id: TaskId, now: Instant): Task {
  const { id: personId, assignee } = personOf(value);
  return {
    ...{
      id,
      seatId: null,
      escalation: false,
      personId,
      assignee,
      assigneeName: null,
      kind: "approver",
      required: false,
    },
    ...{ delegatedFrom: null, delegatorId: null, reassignedFrom: null, status: "open", claimedAt: null },
    ...{ completedAt: null, dueAt: null, overdueAt: null, decisionId: null, createdAt: now },
  };
}
