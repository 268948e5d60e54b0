/** Housekeeping on Postgres: in steps small enough that nobody waits behind them. */
import type { Pool } from "pg";
import type { Housekeeping } from "../../ports/housekeeping.ts";
import { sql } from "./named-sql.ts";
import { timestamp } from "./rows.ts";

const AT_ONCE = 1_000;

const FORGET_ANSWERS = sql(
  "forget_answers",
  `delete from idempotency_keys where (scope, key) in (
     select scope, key from idempotency_keys where created_at < $1 order by created_at limit ${String(AT_ONCE)})`,
);

/** Of events that are still being tried every attempt counts: when the first one was decides what waits for it (R-HOOK-9). */
const FORGET_ATTEMPTS = sql(
  "forget_attempts",
  `delete from effect_attempts where ctid = any(array(
     select attempt.ctid from effect_attempts attempt join effects effect on effect.id = attempt.effect_id
     where attempt.at < $1::timestamptz and effect.kind = 'webhook' and effect.state <> 'pending'
     order by attempt.at limit ${String(AT_ONCE)}))`,
);

/** Rows that live for minutes, by the end of their time, and how long afterwards they may still explain something. */
const SCRATCH = [
  ["ceremonies", "expires_at", "1 hour"],
  ["login_states", "expires_at", "1 hour"],
  ["cli_logins", "expires_at", "1 hour"],
  ["spent_proofs", "expires_at", "1 hour"],
  ["views", "expires_at", "24 hours"],
  ["statements", "expires_at", "24 hours"],
  ["deploy_archives", "expires_at", "1 hour"],
  ["rate_windows", "window_start", "24 hours"],
  // Waits double with each block and fall with a right answer; nobody waits longer than some hours.
  ["failure_counts", "window_start", "30 days"],
] as const;

const FORGET_SCRATCH = SCRATCH.map(([table, column, rest]) =>
  sql(
    `forget_${table}`,
    `delete from ${table} where ctid = any(array(
       select ctid from ${table} where ${column} < $1::timestamptz - interval '${rest}' limit ${String(AT_ONCE)}))`,
  ),
);

/** Rows that somebody else holds are left out: they are being changed, and that counts for more. */
const WRITE_LAST_SEEN = sql(
  "write_last_seen",
  `with due as (
     select session.token_hash, given.seen_at
     from json_to_recordset($1::json) as given(id uuid, seen_at timestamptz)
     join sessions session on session.id = given.id
     where session.ended_at is null and (session.last_seen_at is null or session.last_seen_at < given.seen_at)
     order by session.token_hash for update of session skip locked)
   update sessions session set last_seen_at = due.seen_at from due where session.token_hash = due.token_hash`,
);

/** Another process may have seen a session and not written it down yet. */
const GRACE = "5 minutes";

const OVERDUE_SESSIONS = sql<{ token_hash: string; org_id: string }>(
  "overdue_sessions",
  `select token_hash, org_id from sessions where ended_at is null and (expires_at <= $1::timestamptz
     or coalesce(last_seen_at, created_at) + make_interval(secs => idle_seconds) + interval '${GRACE}' <= $1::timestamptz)
   order by expires_at limit $2::integer`,
);

export function createHousekeeping(pool: Pool): Housekeeping {
  return {
    async forgetAnswers(before): Promise<number> {
      const { rowCount } = await FORGET_ANSWERS.run(pool, [timestamp(before)]);
      return rowCount ?? 0;
    },

    async forgetAttempts(before): Promise<number> {
      const { rowCount } = await FORGET_ATTEMPTS.run(pool, [timestamp(before)]);
      return rowCount ?? 0;
    },

    async forgetScratch(now): Promise<number> {
      let gone = 0;
      for (const statement of FORGET_SCRATCH) gone += (await statement.run(pool, [timestamp(now)])).rowCount ?? 0;
      return gone;
    },

    async writeLastSeen(seen): Promise<void> {
      if (seen.size === 0) return;
      const rows = [...seen].map(([id, at]) => ({ id, seen_at: timestamp(at) }));
      await WRITE_LAST_SEEN.run(pool, [JSON.stringify(rows)]);
    },

    async overdueSessions(now, limit) {
      const { rows } = await OVERDUE_SESSIONS.run(pool, [timestamp(now), limit]);
      return rows.map(({ token_hash: tokenHash, org_id: orgId }) => ({ tokenHash, orgId }));
    },
  };
}
