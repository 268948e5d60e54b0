/** The events of a time, newest first, page by page out of the ledger, with who did it by name (docs/spec/deploy.md R-AUDIT-3). */
import { isId } from "../../core/ids.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { auditEvent, type AuditEvent } from "./audit-event.ts";
import { emailOf } from "./member-of-email.ts";

export interface AuditRange {
  /** Epoch milliseconds; null: from the beginning. */
  readonly since: number | null;
  /** Null: until now. */
  readonly until: number | null;
  /** Events before this position; null: from the newest on. */
  readonly before: number | null;
}

/** Who did it, as far as the database knows. */
export interface AuditActor {
  readonly email: string;
  readonly name: string;
  /** As older clients know people; 0 for machines. */
  readonly number: number;
  /** Of a machine's token. */
  readonly token: string | null;
}

export interface NamedAuditEvent extends AuditEvent {
  readonly by: AuditActor;
}

const BATCH = 500;

export async function* auditEvents(app: Application, range: AuditRange): AsyncGenerator<NamedAuditEvent> {
  const position = async (at: number | null): Promise<number | null> =>
    at === null ? null : app.reader.ledgerPositionAt(new Date(at).toISOString());
  const from = (await position(range.since)) ?? 0;
  const end = await position(range.until);
  let before = earlier(end, range.before);
  for (;;) {
    const lines = await app.reader.ledgerLines({ from, before, limit: BATCH });
    const events = lines.flatMap((line) => auditEvent(line) ?? []);
    yield* await namedEvents(app, events);
    const last = lines.at(-1);
    if (last === undefined || lines.length < BATCH) return;
    before = last.seq;
  }
}

function earlier(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Math.min(one, other);
}

/** In the same order, in a constant number of statements. */
export async function namedEvents(
  app: Application,
  events: readonly AuditEvent[],
): Promise<readonly NamedAuditEvent[]> {
  const ids = (prefix: string): readonly string[] => [
    ...new Set(events.flatMap(({ actor }) => (actor?.startsWith(prefix) === true ? (uuidOf(actor) ?? []) : []))),
  ];
  const [people, machines, numbers, approvals] = await Promise.all([
    app.reader.records(recordsBy("person", "id", ids("usr_"))),
    app.reader.records(recordsBy("machine", "id", ids("mch_"))),
    app.reader.numbersOf("person", ids("usr_")),
    app.reader.records(recordsBy("deployApproval", "requestId", requestsOf(events))),
  ]);
  const scopes = new Map<string, string>(approvals.map(({ requestId, scope }) => [requestId, scope]));
  const known = new Map<string, AuditActor>([
    ...people.map((person): [string, AuditActor] => [
      person.id,
      {
        ...{ email: emailOf(person), name: person.displayName ?? person.assignee, token: null },
        number: numbers.get(person.id) ?? 0,
      },
    ]),
    ...machines.map(({ id, name }): [string, AuditActor] => [id, { email: "", name, token: name, number: 0 }]),
  ]);
  return events.map((event) => ({
    ...{ ...event, by: byOf(event.actor, known) },
    scope: event.scope ?? scopes.get(uuidOf(event.request ?? "") ?? "") ?? null,
  }));
}

/** Entries of requests do not say themselves on which rack they are to be carried out. */
function requestsOf(events: readonly AuditEvent[]): readonly string[] {
  const ids = events.flatMap(({ scope, request }) => (scope === null ? (uuidOf(request ?? "") ?? []) : []));
  return [...new Set(ids)];
}

function byOf(actor: string | null, known: ReadonlyMap<string, AuditActor>): AuditActor {
  if (actor === null) return { email: "", name: "", token: null, number: 0 };
  const id = uuidOf(actor);
  return (id === null ? undefined : known.get(id)) ?? { email: "", name: actor, token: null, number: 0 };
}

/** The id behind `usr_…`, `mch_…` and `req_…`; null for machines of another issuer and for the server itself. */
function uuidOf(name: string): string | null {
  const hex = /^(?:usr|mch|req)_([0-9a-f]{32})$/.exec(name)?.[1];
  const id = hex?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5") ?? "";
  return isId(id) ? id : null;
}
