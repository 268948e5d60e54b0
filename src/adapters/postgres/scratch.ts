/** Records that live for minutes, and counters, each call one statement and a transaction of its own (docs/spec/identity.md sections 6 and 10). */
import type { Pool, QueryResultRow } from "pg";
import type {
  FailureCounter,
  FailureState,
  RateCounter,
  RateLimit,
  Records,
  Scratch,
  ScratchKind,
} from "../../ports/records.ts";
import { sql, type NamedSql } from "./named-sql.ts";
import { asked } from "./reader-statement.ts";
import { recordOf } from "./record-statements.ts";
import {
  columnOf,
  insertText,
  RECORD_TABLES,
  recordRow,
  selectList,
  upsertText,
  type TableShape,
} from "./record-tables.ts";
import { instantOrNull, timestamp } from "./rows.ts";

export function createScratch(pool: Pool): Scratch {
  return {
    async add<Kind extends ScratchKind>(kind: Kind, record: Records[Kind]): Promise<boolean> {
      const table: TableShape = RECORD_TABLES[kind];
      const row = JSON.stringify([recordRow(table, record, null)]);
      const { rowCount } = await asked(() => statement(`add_${columnOf(kind)}`, insertText(table)).run(pool, [row]));
      return rowCount === 1;
    },
    async put<Kind extends "deployVcsFacts">(kind: Kind, record: Records[Kind]): Promise<void> {
      const table: TableShape = RECORD_TABLES[kind];
      const row = JSON.stringify([recordRow(table, record, null)]);
      await asked(() => statement(`put_${columnOf(kind)}`, upsertText(table)).run(pool, [row]));
    },
    async consume<Kind extends "ceremony" | "loginState" | "cliLogin">(
      kind: Kind,
      key: string,
      now: number,
    ): Promise<Records[Kind] | undefined> {
      const table: TableShape = RECORD_TABLES[kind];
      const [member = ""] = table.key;
      const type = table.columns[member] ?? "text";
      const text = `update ${table.table} t set used_at = $2 where t."${columnOf(member)}" = $1::${type}
        and t.used_at is null and t.expires_at > $2 returning ${selectList(table)}`;
      const { rows } = await asked(() => statement(`consume_${columnOf(kind)}`, text).run(pool, [key, timestamp(now)]));
      return rows.find(recordOf(kind));
    },
  };
}

const statements = new Map<string, NamedSql<QueryResultRow>>();

function statement(name: string, text: string): NamedSql<QueryResultRow> {
  const known = statements.get(name);
  if (known !== undefined) return known;
  const made = sql(name, text);
  statements.set(name, made);
  return made;
}

interface WindowRow extends QueryResultRow {
  readonly window_seconds: number;
  readonly count: number;
  readonly window_start: string;
}

const COUNT = sql<WindowRow>(
  "count_rate",
  `insert into rate_windows as w (bucket, key, window_start, window_seconds, count)
   select $1, $2, $3::timestamptz, seconds, 1 from unnest($4::integer[]) as seconds
   on conflict (bucket, key, window_seconds) do update set
     count = case when w.window_start + make_interval(secs => w.window_seconds) <= $3::timestamptz then 1 else w.count + 1 end,
     window_start = case when w.window_start + make_interval(secs => w.window_seconds) <= $3::timestamptz
       then $3::timestamptz else w.window_start end
   returning w.window_seconds, w.count, w.window_start`,
);

export function createRateCounter(pool: Pool): RateCounter {
  return {
    async count(bucket, key, limits, now): Promise<number | null> {
      const seconds = limits.map(({ windowSeconds }) => windowSeconds);
      const { rows } = await asked(() => COUNT.run(pool, [bucket, key, timestamp(now), seconds]));
      const waits = rows.flatMap((row) => waitOf(row, limits, now));
      return waits.length === 0 ? null : Math.max(...waits);
    },
  };
}

function waitOf(row: WindowRow, limits: readonly RateLimit[], now: number): readonly number[] {
  const limit = limits.find(({ windowSeconds }) => windowSeconds === row.window_seconds)?.limit ?? 0;
  if (row.count <= limit) return [];
  const end = Date.parse(row.window_start) + row.window_seconds * 1_000;
  return [Math.max(1, Math.ceil((end - now) / 1_000))];
}

interface FailureRow extends QueryResultRow {
  readonly failures: number;
  readonly in_a_row: number;
  readonly blocked_until: string | null;
}

const FAILURES = sql<FailureRow>(
  "failure_state",
  "select failures, in_a_row, blocked_until from failure_counts where scope = $1 and key = $2",
);

/** A window that is over begins anew; the level, which doubles the wait, falls only with a success. */
const FAIL = sql<FailureRow>(
  "count_failure",
  `insert into failure_counts as f (scope, key, failures, in_a_row, window_start, blocked_until, level)
   values ($1, $2, 1, 1, $3::timestamptz, case when $4::integer <= 1 then $3::timestamptz + make_interval(secs => $6) end, 0)
   on conflict (scope, key) do update set
     failures = case when f.window_start + make_interval(secs => $5) <= $3::timestamptz then 1 else f.failures + 1 end,
     in_a_row = f.in_a_row + 1,
     window_start = case when f.window_start + make_interval(secs => $5) <= $3::timestamptz then $3::timestamptz else f.window_start end,
     blocked_until = case when (case when f.window_start + make_interval(secs => $5) <= $3::timestamptz then 1 else f.failures + 1 end) >= $4::integer
       then $3::timestamptz + make_interval(secs => least($6 * power(2, f.level), $7)) else f.blocked_until end,
     level = case when (case when f.window_start + make_interval(secs => $5) <= $3::timestamptz then 1 else f.failures + 1 end) >= $4::integer
       then least(f.level + 1, 30) else f.level end
   returning f.failures, f.in_a_row, f.blocked_until`,
);

const SUCCEED = sql("forget_failures", "delete from failure_counts where scope = $1 and key = $2");

export function createFailureCounter(pool: Pool): FailureCounter {
  return {
    async state(scope, key): Promise<FailureState> {
      const { rows } = await asked(() => FAILURES.run(pool, [scope, key]));
      return stateOf(rows[0]);
    },
    async fail(scope, key, rule, now): Promise<FailureState> {
      const { limit, windowSeconds, blockSeconds, blockSecondsMax } = rule;
      const values = [scope, key, timestamp(now), limit, windowSeconds, blockSeconds, blockSecondsMax];
      const { rows } = await asked(() => FAIL.run(pool, values));
      return stateOf(rows[0]);
    },
    async succeed(scope, key): Promise<void> {
      await asked(() => SUCCEED.run(pool, [scope, key]));
    },
  };
}

function stateOf(row: FailureRow | undefined): FailureState {
  if (row === undefined) return { failures: 0, inARow: 0, blockedUntil: null };
  return { failures: row.failures, inARow: row.in_a_row, blockedUntil: instantOrNull(row.blocked_until) };
}
