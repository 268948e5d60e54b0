/** A task as the wire shows it: the task, its decision, and what its request is about (docs/spec/api.md R-TASK-4, R-TASK-5). */
import type { Assurance } from "../../core/assurance-level.ts";
import { isOverdue } from "../../core/explain.ts";
import type { Decision, StageRun, Task } from "../../core/request.ts";
import type { TaskOut } from "../../contract/tasks.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { RequestSummary, TaskView } from "../../ports/reader.ts";
import { searchText } from "../../core/search-text.ts";

export interface TaskParts {
  readonly request: RequestSummary;
  readonly stage: Pick<StageRun, "id" | "order" | "assurance">;
  readonly task: Task;
  readonly decision: Decision | null;
}

export function taskOut({ request, stage, task, decision }: TaskParts, now: number): TaskOut {
  return {
    id: task.id,
    request_id: request.id,
    stage_id: stage.id,
    stage_order: stage.order,
    assignee: task.assignee,
    assignee_name: task.assigneeName,
    kind: task.kind,
    delegated_from: task.delegatedFrom,
    reassigned_from: task.reassignedFrom,
    status: task.status,
    claimed_at: wireTimeOrNull(task.claimedAt),
    completed_at: wireTimeOrNull(task.completedAt),
    due_at: wireTimeOrNull(task.dueAt),
    decision_id: task.decisionId,
    created_at: wireTime(task.createdAt),
    context: request.context,
    artifact_type: request.artifactType,
    artifact_id: request.artifactId,
    policy_key: request.policy.key,
    search_text: searchText(request.context, request.artifactId),
    overdue: isOverdue(task, now),
    seat_id: task.seatId,
    required: task.required,
    leaf: null,
    request_status: request.status,
    revision: request.revision,
    digest: request.digest,
    ...decided(decision, task.kind === "observer" ? "session" : stage.assurance),
  };
}

type DecidedPart = Pick<
  TaskOut,
  "decision_action" | "decision_comment" | "override" | "decided_by" | "on_behalf_of" | "assurance"
>;

const UNDECIDED = {
  decision_action: null,
  decision_comment: null,
  override: false,
  decided_by: null,
  on_behalf_of: null,
} as const;

/** `assurance` is what an approval needs; once decided, how the decision was proven. */
function decided(decision: Decision | null, needed: Assurance): DecidedPart {
  if (decision === null) return { ...UNDECIDED, assurance: needed };
  return {
    decision_action: decision.action,
    decision_comment: decision.comment,
    override: decision.override,
    decided_by: decision.actorId,
    on_behalf_of: decision.onBehalfOf,
    assurance: decision.assurance,
  };
}

export function taskOutOfView(view: TaskView, now: number): TaskOut {
  const stage = { id: view.stageId, order: view.stageOrder, assurance: view.assurance };
  return taskOut({ request: view.request, stage, task: view.task, decision: view.decision }, now);
}

/** After a command: the decision, if any, is in the stage. */
export function taskOutOfStage(request: RequestSummary, stage: StageRun, task: Task, now: number): TaskOut {
  const decision = stage.decisions.find((candidate) => candidate.id === task.decisionId) ?? null;
  return taskOut({ request, stage, task, decision }, now);
}
