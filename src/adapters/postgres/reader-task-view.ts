/**
 * What a page shows about a task: the task, its stage's count, its decision and its request, from one statement. How many
 * approvals a stage needs is the core's to say (engine R-QUORUM-14): the statement brings the votes and the pinned policy.
 */
import type { Assurance } from "../../core/assurance-level.ts";
import { tryCompilePolicy } from "../../core/compile-policy.ts";
import type { PolicyId } from "../../core/ids.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Policy } from "../../core/policy.ts";
import { needed, tally, type Vote } from "../../core/quorum.ts";
import type { TaskView } from "../../ports/reader.ts";
import {
  DECISION_COLUMNS,
  decisionFromRow,
  TASK_COLUMNS,
  taskFromRow,
  type DecisionRow,
  type TaskRow,
} from "./request-aggregate.ts";
import { REQUEST_COLUMNS, requestFromRow, type RequestRow } from "./rows.ts";

export interface TaskViewRow {
  /** The sort keys, as text with microseconds; times inside JSON are cut to what they need. */
  readonly id: string;
  readonly created_at: string;
  readonly due_at: string | null;
  readonly task: TaskRow;
  readonly request: RequestRow;
  readonly decision: DecisionRow | null;
  readonly search_text: string | null;
  readonly stage_order: number;
  readonly stage_name: string;
  readonly assurance: Assurance;
  readonly has_started: boolean;
  readonly votes: readonly Vote[];
  /** The pinned policy's document, with the first row that needs it. */
  readonly document: string | null;
}

/** `ids` selects the ids of tasks; the rows come in the same order when it is given once more for `tasks task`. */
export function taskViewSql(ids: string, order = "task.id"): string {
  return `with found as materialized (${ids})
select task.id, task.created_at, task.due_at, to_json(shown_task) as task, to_json(shown_request) as request,
  to_json(shown_decision) as decision, r.search_text, stage.stage_order, stage.name as stage_name,
  stage.assurance,
  stage.started_at is not null as has_started,
  (select coalesce(json_agg(json_build_object('state', seat.state, 'required', seat.required)), '[]'::json)
    from seats seat where seat.stage_run_id = stage.id) as votes,
  case when row_number() over (partition by r.policy_id order by ${order}) = 1 then policy.document end as document
from found
join tasks task on task.id = found.id
join requests r on r.id = task.request_id
left join request_timers timer on timer.request_id = r.id
join stage_runs stage on stage.id = task.stage_run_id
join policies policy on policy.id = r.policy_id
cross join lateral (select ${TASK_COLUMNS}) shown_task
cross join lateral (select ${REQUEST_COLUMNS}) shown_request
left join lateral (select ${DECISION_COLUMNS} from decisions decision where decision.id = task.decision_id) shown_decision on true
order by ${order}`;
}

export function taskViews(rows: readonly TaskViewRow[]): readonly TaskView[] {
  const policies = new Map<PolicyId, Policy | null>();
  for (const { request, document } of rows) {
    if (document !== null) policies.set(request.policy_id, compile(document));
  }
  return rows.map((row) => taskView(row, policies.get(row.request.policy_id) ?? null));
}

function taskView(row: TaskViewRow, policy: Policy | null): TaskView {
  const rule = policy?.stages.find((stage) => stage.order === row.stage_order);
  const votes = tally(row.votes);
  return {
    task: taskFromRow(row.task),
    stageId: row.task.stage_run_id,
    stageOrder: row.stage_order,
    stageName: row.stage_name,
    assurance: row.assurance,
    decision: row.decision === null ? null : decisionFromRow(row.decision),
    request: requestFromRow(row.request),
    searchText: row.search_text,
    approved: votes.approved,
    needed: rule === undefined || !row.has_started ? null : needed(rule, votes),
  };
}

function compile(document: string): Policy | null {
  const value: unknown = JSON.parse(document);
  const compiled = isJsonObject(value) ? tryCompilePolicy(value) : null;
  return compiled?.ok === true ? compiled.policy : null;
}
