/** The reading of requests: one whole, lists of them, and their events, each one statement. */
import type { EventId, RequestId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { GateName } from "../../core/request.ts";
import type { Reader, RequestFilter, StoredEvent, Viewer } from "../../ports/reader.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { allOf, ask, containing, parameters, read, type Parameters } from "./reader-statement.ts";
import { isVisible, visibilityConditions } from "./reader-visibility.ts";
import type { Asked, Sources } from "./reading-wall.ts";
import { RECORDED_ENTRIES, recordedByRequest, recordedName } from "./recorded-entries.ts";
import { aggregateSql, requestFromAggregate, type AggregateRow } from "./request-aggregate.ts";
import { instant, REQUEST_COLUMNS, requestFromRow, timestamp, type RequestRow } from "./rows.ts";
import { sql } from "./named-sql.ts";

type RequestReader = Pick<
  Reader,
  | "request"
  | "requests"
  | "recordedOf"
  | "events"
  | "eventsAfter"
  | "position"
  | "openRequestsOf"
  | "dueRequests"
  | "nextTimerAt"
>;

export function createRequestReader({ own, installation }: Sources, orgId: string): RequestReader {
  return {
    request: (id, viewer) => readRequest(own, { id, orgId }, viewer),
    async requests(filter, viewer) {
      const { text, values } = requestPage(filter, viewer, orgId);
      const rows = await ask<RequestRow>(own, "reader_requests", text, values);
      return pageOf(rows, filter.limit, {
        item: requestFromRow,
        cursor: (row) => encodeCursor("requests", [row.created_at, row.id]),
      });
    },
    async recordedOf(id) {
      const name = recordedName(id);
      return recordedByRequest(await read(RECORDED_ENTRIES, installation, [[name]])).get(name) ?? null;
    },
    events: (id, after, viewer) => readEvents(own, { id, after, orgId }, viewer),
    eventsAfter: (position, limit, viewer) => readEventsAfter(own, { position, limit, orgId }, viewer),
    async position() {
      const [row] = await read(positionSql, installation);
      return row?.size ?? 0;
    },
    async openRequestsOf({ issuer, subject }, most) {
      const [row] = await read(openSql, own, [orgId, issuer, subject, most]);
      return row?.count ?? 0;
    },
    async dueRequests(now, limit) {
      const rows = await read(dueSql, installation, [timestamp(now), limit]);
      return rows.map((row) => row.request_id);
    },
    async nextTimerAt(): Promise<Instant | null> {
      const [row] = await read(nextTimerSql, installation);
      return row?.next_timer_at === null || row?.next_timer_at === undefined ? null : instant(row.next_timer_at);
    },
  };
}

const openSql = sql<{ count: number }>(
  "reader_open_requests",
  `select count(*)::integer as count from (
     select from requests
     where org_id = $1::uuid and creator_issuer = $2 and creator_subject = $3 and creator_machine and completed_at is null
     limit $4
   ) as open`,
);

const positionSql = sql<{ size: number }>("reader_position", "select size from ledger_head");

const dueSql = sql<{ request_id: RequestId }>(
  "reader_due_requests",
  "select request_id from request_timers where next_timer_at <= $1 order by next_timer_at, request_id limit $2",
);

const nextTimerSql = sql<{ next_timer_at: string | null }>(
  "reader_next_timer",
  "select min(next_timer_at) as next_timer_at from request_timers",
);

async function readRequest(
  own: Asked,
  { id, orgId }: { readonly id: RequestId; readonly orgId: string },
  viewer: Viewer,
): ReturnType<Reader["request"]> {
  const bound = parameters();
  const where = allOf([`r.id = ${bound.$(id)}::uuid`, isVisible(viewer, orgId, bound)]);
  const [row] = await ask<AggregateRow>(own, "reader_request", aggregateSql(where, false), bound.values);
  return row === undefined ? undefined : requestFromAggregate(row);
}

/** The conditions of a list that speak of `requests r` alone. */
export function requestConditions(
  filter: {
    readonly gate?: GateName | undefined;
    readonly artifactType?: string | undefined;
    readonly policyKey?: string | undefined;
    readonly q?: string | undefined;
  },
  { $ }: Parameters,
): readonly (string | false)[] {
  return [
    filter.gate !== undefined && `r.gate = ${$(filter.gate)}`,
    filter.artifactType !== undefined && `r.artifact_type = ${$(filter.artifactType)}`,
    filter.policyKey !== undefined && `r.policy_key = ${$(filter.policyKey)}`,
    filter.q !== undefined && searchCondition($(containing(filter.q))),
  ];
}

function searchCondition(pattern: string): string {
  return `r.search_text ilike ${pattern} or r.context::text ilike ${pattern}`;
}

function requestPage(
  filter: RequestFilter,
  viewer: Viewer,
  orgId: string,
): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    ...requestConditions(filter, bound),
    filter.artifactId !== undefined && `r.artifact_id = ${$(filter.artifactId)}`,
    filter.status !== undefined && `r.status = ${$(filter.status)}`,
    filter.requester !== undefined && `r.requester = ${$(filter.requester)}`,
    filter.createdAfter !== undefined && `r.created_at >= ${$(timestamp(filter.createdAfter))}::timestamptz`,
    filter.createdBefore !== undefined && `r.created_at < ${$(timestamp(filter.createdBefore))}::timestamptz`,
    filter.cursor !== undefined && afterCursor(filter.cursor, bound),
  ];
  const limit = `${$(filter.limit + 1)}::integer`;
  const newest = visibilityConditions(viewer, orgId, bound).map(
    (visible) =>
      `(select r.id, r.created_at from requests r where ${allOf([...conditions, visible])}
    order by r.created_at desc, r.id desc limit ${limit})`,
  );
  const text = `with found as (select id from (${newest.join(" union ")}) united order by created_at desc, id desc limit ${limit})
select ${REQUEST_COLUMNS}
from found join requests r on r.id = found.id left join request_timers timer on timer.request_id = r.id
order by r.created_at desc, r.id desc`;
  return { text, values: bound.values };
}

function afterCursor(cursor: string, { $ }: Parameters): string {
  const [createdAt, id] = decodeCursor("requests", cursor, [CURSOR_TIME, CURSOR_ID]);
  return `(r.created_at, r.id) < (${$(createdAt)}::timestamptz, ${$(id)}::uuid)`;
}

interface EventRow {
  readonly id: EventId;
  readonly request_id: RequestId;
  readonly gate: GateName;
  readonly sequence: number;
  readonly event_type: string;
  readonly payload: JsonObject;
  readonly created_at: string;
  readonly entry_seq: number;
}

const EVENT_COLUMNS =
  "event.id, event.request_id, r.gate, event.sequence, event.event_type, event.payload, event.created_at, event.entry_seq";

/** A row without an event says that the request exists and is the viewer's to see. */
async function readEvents(
  own: Asked,
  which: { readonly id: RequestId; readonly after: number; readonly orgId: string },
  viewer: Viewer,
): Promise<readonly StoredEvent[] | undefined> {
  const bound = parameters();
  const id = `${bound.$(which.id)}::uuid`;
  const after = `${bound.$(which.after)}::integer`;
  const text = `select ${EVENT_COLUMNS}
from requests r left join events event on event.request_id = r.id and event.sequence > ${after}
where ${allOf([`r.id = ${id}`, isVisible(viewer, which.orgId, bound)])}
order by event.sequence`;
  const rows = await ask<EventRow | MissingEventRow>(own, "reader_events", text, bound.values);
  return rows.length === 0 ? undefined : rows.filter((row) => row.id !== null).map(eventFromRow);
}

interface MissingEventRow {
  readonly id: null;
}

async function readEventsAfter(
  own: Asked,
  from: { readonly position: number; readonly limit: number; readonly orgId: string },
  viewer: Viewer,
): Promise<readonly StoredEvent[]> {
  const bound = parameters();
  const position = `${bound.$(from.position)}::bigint`;
  const limit = `${bound.$(from.limit)}::integer`;
  const text = `select ${EVENT_COLUMNS}
from events event join requests r on r.id = event.request_id
where ${allOf([`event.entry_seq > ${position}`, isVisible(viewer, from.orgId, bound)])}
order by event.entry_seq limit ${limit}`;
  const rows = await ask<EventRow>(own, "reader_events_after", text, bound.values);
  return rows.map(eventFromRow);
}

function eventFromRow(row: EventRow): StoredEvent {
  return {
    id: row.id,
    requestId: row.request_id,
    gate: row.gate,
    sequence: row.sequence,
    type: row.event_type,
    payload: row.payload,
    createdAt: instant(row.created_at),
    position: row.entry_seq,
  };
}
