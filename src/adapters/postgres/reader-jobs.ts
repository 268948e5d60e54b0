/** The reading of an organization's effects as a list, one statement (docs/spec/deploy.md 11.3). */
import type { EffectRecord } from "../../ports/effects.ts";
import type { JobReader } from "../../ports/job-reader.ts";
import { sql } from "./named-sql.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { attemptOf, type AttemptRow } from "./reader-deliveries.ts";
import { read } from "./reader-statement.ts";
import type { Asked } from "./reading-wall.ts";
import { RECORD_TABLES, selectList } from "./record-tables.ts";

type JobRow = EffectRecord & { readonly created_text: string } & Record<string, unknown>;

const JOBS = sql<JobRow>(
  "reader_jobs",
  `select ${selectList(RECORD_TABLES.effect)}, t.created_at as created_text from effects t
   where t.org_id = $1::uuid and ($2::text is null or t.state = $2) and ($3::text is null or t.kind = $3)
     and ($4::timestamptz is null or (t.created_at, t.id) < ($4::timestamptz, $5::uuid))
   order by t.created_at desc, t.id desc limit $6::integer`,
);

/** What waits for days is tried thousands of times. */
const ATTEMPTS_MAX = 20;

const ATTEMPTS = sql<AttemptRow>(
  "reader_job_attempts",
  `select a.effect_id, a.attempt, a.at, a.duration_ms, a.outcome, a.code, a.message, a.detail
   from effects e cross join lateral (
     select * from effect_attempts tried where tried.effect_id = e.id order by tried.at desc, tried.attempt desc
     limit ${String(ATTEMPTS_MAX)}) a
   where e.org_id = $1::uuid and e.id = any($2::uuid[]) order by a.at, a.attempt`,
);

export function createJobReader(own: Asked, orgId: string): JobReader {
  return {
    async jobs({ state, kind, limit, cursor }) {
      const [at = null, id = null] = cursor === undefined ? [] : decodeCursor("jobs", cursor, [CURSOR_TIME, CURSOR_ID]);
      const rows = await read(JOBS, own, [orgId, state ?? null, kind ?? null, at, id, limit + 1]);
      return pageOf(rows, limit, {
        item: effectOf,
        cursor: (row) => encodeCursor("jobs", [row.created_text, row.id]),
      });
    },
    async jobAttempts(ids) {
      if (ids.length === 0) return [];
      const rows = await read(ATTEMPTS, own, [orgId, ids]);
      return rows.flatMap((row) => (row.at === null ? [] : [attemptOf(row, row.at)]));
    },
  };
}

function effectOf(row: JobRow): EffectRecord {
  const { id, orgId, kind, lane, position, requestId, payload, state, attempts, createdAt, dueAt, endsAt } = row;
  const { lastError, result, doneAt } = row;
  const known = { id, orgId, kind, lane, position, requestId, payload, state, attempts, createdAt, dueAt, endsAt };
  return { ...known, lastError, result, doneAt };
}
