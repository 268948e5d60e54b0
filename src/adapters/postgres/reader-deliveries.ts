/** The reading of deliveries, newest first, one statement each (docs/spec/engine.md R-HOOK-12). */
import type { QueryResultRow } from "pg";
import type { EffectAttemptRecord } from "../../ports/effects.ts";
import type { Delivery, DeliveryFilter, Reader } from "../../ports/reader.ts";
import { sql } from "./named-sql.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { allOf, ask, parameters, type Parameters } from "./reader-statement.ts";
import type { Asked } from "./reading-wall.ts";
import { recordOf } from "./record-statements.ts";
import { RECORD_TABLES, selectList } from "./record-tables.ts";
import { instant, instantOrNull, timestamp } from "./rows.ts";

export function createDeliveryReader(
  own: Asked,
  orgId: string,
): Pick<Reader, "deliveries" | "deliveryAttempts" | "secretUses"> {
  return {
    async deliveries(filter) {
      const { text, values } = deliveryPage(filter, orgId);
      const rows = await ask<DeliveryRow>(own, "reader_deliveries", text, values);
      return pageOf(rows, filter.limit, {
        item: deliveryOf,
        cursor: (row) => encodeCursor("deliveries", [row.created_text, row.cursor_id]),
      });
    },

    async deliveryAttempts(id) {
      const { rows } = await ATTEMPTS.run(own, [orgId, id]);
      if (rows.length === 0) return undefined;
      return rows.flatMap((row) => (row.at === null ? [] : [attemptOf(row, row.at)]));
    },

    async secretUses() {
      const { rows } = await SECRET_USES.run(own, [orgId]);
      return new Map(rows.map(({ name, at }) => [name, instant(at)]));
    },
  };
}

interface DeliveryRow extends QueryResultRow {
  readonly cursor_id: string;
  readonly created_text: string;
  readonly last_attempt_at: string | null;
  readonly blocked_by: string | null;
}

const STATES = { pending: "pending", delivered: "done", exhausted: "failed" } as const;

function deliveryPage(filter: DeliveryFilter, orgId: string): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    `t.org_id = ${$(orgId)}::uuid and t.kind = 'webhook'`,
    filter.id !== undefined && `t.id = ${$(filter.id)}::uuid`,
    filter.status !== undefined && `t.state = ${$(STATES[filter.status])}`,
    filter.requestId !== undefined && `t.request_id = ${$(filter.requestId)}::uuid`,
    filter.eventType !== undefined && `t.payload->>'type' = ${$(filter.eventType)}`,
    filter.url !== undefined && `t.payload->>'url' = ${$(filter.url)}`,
    filter.since !== undefined && `t.created_at >= ${$(timestamp(filter.since))}::timestamptz`,
    filter.until !== undefined && `t.created_at < ${$(timestamp(filter.until))}::timestamptz`,
    filter.cursor !== undefined && afterCursor(filter.cursor, bound),
  ];
  const text = `select ${selectList(RECORD_TABLES.effect)}, t.id as cursor_id, t.created_at as created_text,
  (select max(a.at) from effect_attempts a where a.effect_id = t.id) as last_attempt_at,
  case when t.state = 'pending' then (select earlier.id from effects earlier where earlier.lane = t.lane
    and earlier.position < t.position and earlier.state = 'pending' order by earlier.position limit 1) end as blocked_by
from effects t where ${allOf(conditions)} order by t.created_at desc, t.id desc limit ${$(filter.limit + 1)}::integer`;
  return { text, values: bound.values };
}

function afterCursor(cursor: string, { $ }: Parameters): string {
  const [createdAt, id] = decodeCursor("deliveries", cursor, [CURSOR_TIME, CURSOR_ID]);
  return `(t.created_at, t.id) < (${$(createdAt)}::timestamptz, ${$(id)}::uuid)`;
}

const isEffect = recordOf("effect");

function deliveryOf(row: DeliveryRow): Delivery {
  if (!isEffect(row)) throw new Error("a delivery is an effect");
  return { effect: row, lastAttemptAt: instantOrNull(row.last_attempt_at), blockedBy: row.blocked_by };
}

export interface AttemptRow extends QueryResultRow {
  readonly effect_id: string;
  readonly attempt: number;
  readonly at: string | null;
  readonly duration_ms: number;
  readonly outcome: EffectAttemptRecord["outcome"];
  readonly code: string | null;
  readonly message: string | null;
  readonly detail: EffectAttemptRecord["detail"];
}

/** A row without an attempt says that the delivery is there. */
const ATTEMPTS = sql<AttemptRow>(
  "reader_delivery_attempts",
  `select e.id as effect_id, a.attempt, a.at, a.duration_ms, a.outcome, a.code, a.message, a.detail
   from effects e left join effect_attempts a on a.effect_id = e.id
   where e.org_id = $1::uuid and e.id = $2::uuid and e.kind = 'webhook' order by a.at, a.attempt`,
);

export function attemptOf(
  { effect_id: effectId, duration_ms: durationMs, ...row }: AttemptRow,
  at: string,
): EffectAttemptRecord {
  const { attempt, outcome, code, message, detail } = row;
  return { effectId, attempt, at: instant(at), durationMs, outcome, code, message, detail };
}

const SECRET_USES = sql<{ name: string; at: string }>(
  "reader_secret_uses",
  `select a.detail->>'signed_with' as name, max(a.at) as at
   from effect_attempts a join effects e on e.id = a.effect_id
   where e.org_id = $1::uuid and e.kind = 'webhook' and a.detail->>'signed_with' is not null group by 1`,
);
