/** Is what the commands left behind whole? Questions to the tables, each naming the requests that answer it wrongly. */
import type { Pool } from "pg";

const LIVE = "('pending', 'in_review')";
const OPEN = "('open', 'claimed')";
const TERMINAL_EVENTS = "('request_approved', 'request_rejected', 'request_cancelled', 'request_expired')";

/** Each statement lists ids of requests that break its rule. */
const BROKEN: Readonly<Record<string, string>> = {
  "R-STAGE-3: a request that ended has one terminal event, and it fits the status": `
    select r.id from requests r left join events e on e.request_id = r.id and e.event_type in ${TERMINAL_EVENTS}
    group by r.id, r.status
    having case when r.status in ${LIVE} then count(e.id) <> 0
      else count(e.id) <> 1 or min(e.event_type) <> 'request_' || r.status end`,
  "R-STAGE-4: nothing is open in a request that ended": `
    select r.id from requests r where r.status not in ${LIVE} and (
      exists (select from tasks t where t.request_id = r.id and t.status in ${OPEN})
      or exists (select from seats s where s.request_id = r.id and s.state = 'open')
      or exists (select from stage_runs s where s.request_id = r.id and s.state in ('open', 'resolving', 'waiting'))
      or exists (select from request_timers t where t.request_id = r.id))`,
  "a live request has an open task and a timer that ends it": `
    select r.id from requests r where r.status in ${LIVE} and (
      not exists (select from tasks t where t.request_id = r.id and t.status in ${OPEN})
      or not exists (select from request_timers t where t.request_id = r.id))`,
  "R-EVENT-1: events are numbered without gaps": `
    select r.id from requests r left join events e on e.request_id = r.id group by r.id, r.event_count
    having count(e.id) <> r.event_count or coalesce(max(e.sequence), 0) <> r.event_count`,
  "every event has an entry of its request": `
    select e.request_id as id from events e left join ledger_entries l on l.seq = e.entry_seq
    where l.request is distinct from 'req_' || replace(e.request_id::text, '-', '')`,
  "a completed task has its decision, and no other task has one": `
    select t.request_id as id from tasks t left join decisions d on d.task_id = t.id
    where (t.status = 'completed') <> (d.id is not null) or t.decision_id is distinct from d.id`,
  "a stage starts once": `
    select request_id as id from events where event_type = 'stage_started'
    group by request_id, payload ->> 'stage_order' having count(*) > 1`,
};

/** Rule and number of requests that break it; empty when all is well. */
export async function brokenRules(pool: Pool): Promise<Readonly<Record<string, number>>> {
  const broken: Record<string, number> = {};
  for (const [rule, statement] of Object.entries(BROKEN)) {
    const { rowCount } = await pool.query(statement);
    if (rowCount !== null && rowCount > 0) broken[rule] = rowCount;
  }
  return broken;
}

export async function countByStatus(pool: Pool): Promise<Readonly<Record<string, number>>> {
  const { rows } = await pool.query<{ status: string; count: number }>(
    "select status, count(*)::integer as count from requests group by status",
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]));
}
