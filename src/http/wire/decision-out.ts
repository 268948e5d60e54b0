/** A decision as the wire shows it (engine R-DECIDE-5). */
import type { Decision, StageRun } from "../../core/request.ts";
import type { DecisionOut } from "../../contract/decisions.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { RequestSummary } from "../../ports/reader.ts";

/** `entry` is known once the decision is committed. */
export function decisionOut(
  request: RequestSummary,
  stage: StageRun,
  decision: Decision,
  entry: number | null = null,
): DecisionOut {
  return {
    id: decision.id,
    request_id: request.id,
    task_id: decision.taskId,
    stage_order: stage.order,
    actor: decision.actor,
    action: decision.action,
    comment: decision.comment,
    attachments_ref: decision.attachmentsRef,
    created_at: wireTime(decision.createdAt),
    actor_id: decision.actorId,
    on_behalf_of: decision.onBehalfOf,
    override: decision.override,
    reason_code: decision.reasonCode,
    assurance: decision.assurance,
    method: decision.method,
    factor_id: decision.factorId,
    shown_at: wireTimeOrNull(decision.shownAt),
    entry,
    digest: decision.digest,
    request_status: request.status,
    stage_outcome: outcomeOf(stage),
    revision: decision.revision,
  };
}

/** A stage that closed because the request ended elsewhere was never decided itself. */
function outcomeOf(stage: StageRun): DecisionOut["stage_outcome"] {
  return stage.state === "approved" || stage.state === "rejected" ? stage.state : "open";
}
