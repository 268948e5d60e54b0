/**
 * The outbox's queue on Postgres: due effects are claimed with a lease, several processes share them, and what became of an
 * attempt is written by whoever holds the lease (docs/spec/effects.md).
 */
import type { Pool } from "pg";
import type {
  ClaimedEffect,
  EffectAttempt,
  EffectAttemptRecord,
  EffectKind,
  EffectQueue,
} from "../../ports/effects.ts";
import type { Instant } from "../../core/person.ts";
import { sql } from "./named-sql.ts";
import { recordOf } from "./record-statements.ts";
import { RECORD_TABLES, selectList } from "./record-tables.ts";
import { instant, timestamp } from "./rows.ts";

/** A lease that ran out was a worker that died: its attempt is told as lost, and the effect is taken again. */
const CLAIM = sql(
  "claim_effects",
  `with due as (
     select e.id from effects e
     where e.state = 'pending' and e.kind = any($1::text[]) and e.due_at <= $2::timestamptz
       and (e.lease_until is null or e.lease_until <= $2::timestamptz)
       and not exists (
         select 1 from effects earlier
         where earlier.lane = e.lane and earlier.position < e.position and earlier.state = 'pending'
           and ($6::bigint = 0 or not exists (
             select 1 from effect_attempts tried
             where tried.effect_id = earlier.id and tried.at <= $2::timestamptz - make_interval(secs => $6::bigint / 1000.0))))
       and coalesce(e.payload->>'host' <> all($7::text[]), true)
     order by e.due_at, e.id
     limit $3
     for update skip locked
   ), lost as (
     insert into effect_attempts (effect_id, attempt, at, duration_ms, outcome, code, message)
     select e.id, e.attempts, e.lease_until, 0, 'lost', 'worker_lost', 'The process that tried it ended before it knew the outcome'
     from effects e join due on due.id = e.id
     where e.lease_until is not null
     on conflict do nothing
   )
   update effects t
   set attempts = t.attempts + 1, worker = $4, lease_until = $5::timestamptz
   from due where t.id = due.id
   returning ${selectList(RECORD_TABLES.effect)}`,
);

const SETTLE = sql<{ settled: number }>(
  "settle_effect",
  `with settled as (
     update effects
     set state = $3, due_at = coalesce($4::timestamptz, due_at), lease_until = null, worker = null,
         last_error = $5::json, result = $6::json, done_at = $7::timestamptz
     where id = $1 and state = 'pending' and lease_until = $2::timestamptz
     returning id, attempts
   ), told as (
     insert into effect_attempts (effect_id, attempt, at, duration_ms, outcome, code, message, detail)
     select id, attempts, $8::timestamptz, $9, $10, $11, $12, $13::json from settled
     on conflict do nothing
   )
   select count(*)::integer as settled from settled`,
);

const NEXT_DUE = sql<{ at: string | null }>(
  "next_effect_due",
  `select min(greatest(due_at, coalesce(lease_until, due_at))) as at
   from effects e
   where state = 'pending' and kind = any($1::text[]) and coalesce(e.payload->>'host' <> all($2::text[]), true) and not exists (
     select 1 from effects earlier
     where earlier.lane = e.lane and earlier.position < e.position and earlier.state = 'pending')`,
);

const ATTEMPTS = sql<AttemptRow>(
  "effect_attempts",
  `select a.effect_id, a.attempt, a.at, a.duration_ms, a.outcome, a.code, a.message, a.detail
   from effect_attempts a where a.effect_id = any($1::uuid[]) order by a.effect_id, a.at, a.attempt`,
);

/** Given up, and no entry says so yet: whoever writes the entry leaves a result. */
const UNTOLD = sql<{ id: string; org_id: string }>(
  "untold_effects",
  `select id, org_id from effects where state = 'failed' and result is null order by id limit $1`,
);

interface AttemptRow {
  readonly [column: string]: unknown;
  readonly effect_id: string;
  readonly attempt: number;
  readonly at: string;
  readonly duration_ms: number;
  readonly outcome: EffectAttemptRecord["outcome"];
  readonly code: string | null;
  readonly message: string | null;
  readonly detail: EffectAttemptRecord["detail"];
}

export interface PostgresEffectQueue extends EffectQueue {
  /** Every attempt of these effects, oldest first. */
  attempts(effectIds: readonly string[]): Promise<readonly EffectAttemptRecord[]>;
  /** Some of those that were given up while nobody could write the entry that says so. */
  untold(limit: number): Promise<readonly { readonly id: string; readonly orgId: string }[]>;
}

export function createEffectQueue(pool: Pool): PostgresEffectQueue {
  return {
    async claim({ kinds, worker, now, leaseMs, limit, busyHosts = [], holdMs = 0 }) {
      const lease = now + leaseMs;
      const { rows } = await CLAIM.run(pool, [
        ...[kinds, timestamp(now), limit, worker, timestamp(lease), holdMs, busyHosts],
      ]);
      return rows.filter(recordOf("effect")).map((effect): ClaimedEffect => ({ effect, lease }));
    },

    async settle({ effect, lease }, end) {
      const { rows } = await SETTLE.run(pool, [effect.id, timestamp(lease), ...settledAs(end)]);
      return rows[0]?.settled === 1;
    },

    async nextDueAt(kinds: readonly EffectKind[], busyHosts: readonly string[] = []): Promise<Instant | null> {
      const { rows } = await NEXT_DUE.run(pool, [kinds, busyHosts]);
      const at = rows[0]?.at ?? null;
      return at === null ? null : instant(at);
    },

    async untold(limit) {
      const { rows } = await UNTOLD.run(pool, [limit]);
      return rows.map(({ id, org_id: orgId }) => ({ id, orgId }));
    },

    async attempts(effectIds) {
      if (effectIds.length === 0) return [];
      const { rows } = await ATTEMPTS.run(pool, [effectIds]);
      return rows.map((row) => ({
        effectId: row.effect_id,
        attempt: row.attempt,
        at: instant(row.at),
        durationMs: row.duration_ms,
        outcome: row.outcome,
        code: row.code,
        message: row.message,
        detail: row.detail,
      }));
    },
  };
}

/** The parameters 3 to 13 of `SETTLE`. */
function settledAs(end: EffectAttempt): readonly unknown[] {
  const { outcome, at, durationMs, retryAt } = end;
  const error = outcome.kind === "done" ? null : outcome.error;
  const isOver = retryAt === null;
  return [
    isOver ? STATE_AFTER[outcome.kind] : "pending",
    isOver ? null : timestamp(retryAt),
    error === null ? null : JSON.stringify(error),
    outcome.kind === "done" ? JSON.stringify(outcome.result) : null,
    isOver ? timestamp(at + durationMs) : null,
    timestamp(at),
    durationMs,
    ...told(end),
    detailOf(outcome),
  ];
}

function detailOf(outcome: EffectAttempt["outcome"]): string | null {
  const detail = outcome.kind === "done" ? outcome.result : (outcome.error.detail ?? null);
  return detail === null ? null : JSON.stringify(detail);
}

/** How the attempt is shown: outcome, code and sentence. */
function told({ outcome, retryAt }: EffectAttempt): readonly (string | null)[] {
  if (outcome.kind === "done") return ["done", null, null];
  return [retryAt === null ? "failed" : "retry", outcome.error.code, outcome.error.message];
}

const STATE_AFTER = { done: "done", retry: "failed", failed: "failed", withdrawn: "withdrawn" } as const;
