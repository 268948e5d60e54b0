/** Why a request stands where it stands, as the wire shows it (engine R-EXPLAIN-1). */
import type { Explanation, SeatView, StageView } from "../../core/explain.ts";
import type { Request } from "../../core/request.ts";
import type { ExplainedStage, ExplainOut } from "../../contract/explain.ts";
import { wireTimeOrNull } from "../../contract/wire-time.ts";

export function explainOut(request: Request, explanation: Explanation): ExplainOut {
  const { summary, forbiddenApprovers, stages, you, next } = explanation;
  return {
    status: request.status,
    revision: request.revision,
    summary,
    forbidden_approvers: forbiddenApprovers.map(({ path, found }) => ({ path, found })),
    stages: stages.map(stageOut),
    you: {
      can_decide: you.canDecide,
      task_id: you.taskId,
      actions: [...you.actions],
      reasons: you.reasons.map(({ code, message }) => ({ code, message })),
    },
    next: {
      kind: next.kind,
      at: next.kind === "nothing" ? null : wireTimeOrNull(next.at),
      who: next.kind === "decision" ? [...next.who] : [],
    },
  };
}

function stageOut(stage: StageView): ExplainedStage {
  const { run } = stage;
  return {
    stage_order: run.order,
    name: run.name,
    group: stage.group,
    state: run.state,
    mode: run.mode,
    needed: stage.needed,
    approved: stage.approved,
    remaining: stage.remaining,
    feasible: stage.feasible,
    due_at: wireTimeOrNull(run.dueAt),
    required_missing: [...stage.requiredMissing],
    seats: stage.seats.map(seatOut),
    waiting_for: stage.waitingFor.map((task) => ({
      assignee: task.assignee,
      name: task.assigneeName,
      required: task.required,
    })),
    excluded: run.excluded.map(({ user, reason, path = null }) => ({ user, reason, path })),
    skip_reason: run.skipReason,
  };
}

function seatOut({ task, state, required, overdue, locked }: SeatView): ExplainedStage["seats"][number] {
  return {
    assignee: task.assignee,
    name: task.assigneeName,
    origin: task.delegatedFrom ?? task.reassignedFrom ?? task.assignee,
    state,
    required,
    overdue,
    locked,
    delegated_from: task.delegatedFrom,
  };
}
