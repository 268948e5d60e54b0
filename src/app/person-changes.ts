/** An act on a person as changes: its entry and audit line, and everything that follows from it in the same transaction. */
import type { PersonId } from "../core/ids.ts";
import type { JsonValue } from "../core/json.ts";
import type { Actor } from "./admitted-actor.ts";
import type { AuditRecord, ChangeSet, RequestChange } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import type { RecordChanges, RecordKind, Records } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { describe, hidden, type EntryData } from "./entry-writer.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";

export interface PersonAct {
  /** Of the ledger: `person.locked`. */
  readonly kind: string;
  readonly person: Pick<PersonRecord, "id" | "assignee">;
  readonly data?: EntryData;
  /** In the words of whoever acts; committed to, never written. */
  readonly reason?: string | null;
  /** In the past tense, for the audit list: `was locked`. */
  readonly did: string;
  readonly before?: JsonValue;
  readonly after?: JsonValue;
}

/** `actor` null: the installation itself did it. */
export function personAct(app: Application, actor: Actor | null, act: PersonAct, world: World): ChangeSet {
  const { kind, person, data = {}, reason = null, did, before = null, after = null } = act;
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind, resource: null, request: null },
      actor: actor === null ? "sys_server" : ledgerActor(actor, app.sha256),
      credential: actor?.credential ?? null,
      data: {
        person: ledgerId("usr", person.id),
        ...data,
        ...(reason === null ? {} : { ctx: hidden({ reason }) }),
      },
    },
    app,
  );
  if (actor === null) return { entries: [entry] };
  const line = auditRecord(
    actor,
    { entry: 0, world },
    {
      ...{ action: kind, resourceType: "person", resourceId: person.id },
      summary: `${person.assignee} ${did}`,
      ...{ before, after, metadata: reason === null ? {} : { reason } },
    },
  );
  return { entries: [entry], audit: [line] };
}

/** Nobody's name but their own: who is acting on themselves. */
export function isOneself(actor: Actor, id: PersonId): boolean {
  return actor.person?.id === id;
}

/** Several change sets as one: entries in order, and whatever counts entries counts on. */
export function joinedChanges(parts: readonly ChangeSet[]): ChangeSet {
  const lengths = parts.map(({ entries }) => entries.length);
  const all = <Item>(pick: (part: ChangeSet, first: number) => readonly Item[] | undefined): readonly Item[] =>
    parts.flatMap(
      (part, index) =>
        pick(
          part,
          lengths.slice(0, index).reduce((sum, length) => sum + length, 0),
        ) ?? [],
    );
  return {
    entries: all(({ entries }) => entries),
    requests: all(({ requests }, first) => requests?.map((change) => movedRequest(change, first))),
    audit: all(({ audit }, first) => audit?.map((line) => movedLine(line, first))),
    directory: all(({ directory }) => directory),
    aliases: all(({ aliases }) => aliases),
    erased: all(({ erased }) => erased),
    records: parts.reduce<RecordChanges>((joined, { records = {} }) => joinedRecords(joined, records), {}),
  };
}

function movedRequest(change: RequestChange, first: number): RequestChange {
  return { ...change, events: change.events.map((event) => ({ ...event, entry: event.entry + first })) };
}

function movedLine(line: AuditRecord, first: number): AuditRecord {
  return { ...line, entry: line.entry + first };
}

function joinedRecords(left: RecordChanges, right: RecordChanges): RecordChanges {
  let joined = left;
  const isKind = (name: string): name is RecordKind => Object.hasOwn(right, name);
  for (const kind of Object.keys(right)) if (isKind(kind)) joined = withRecords(joined, kind, right[kind] ?? []);
  return joined;
}

function withRecords<Kind extends RecordKind>(
  changes: RecordChanges,
  kind: Kind,
  records: readonly Records[Kind][],
): RecordChanges {
  return { ...changes, [kind]: [...(changes[kind] ?? []), ...records] };
}
