/** A request as the wire shows it. */
import type { Request, Resolution } from "../../core/request.ts";
import type { CreateRequestOut, RequestOut } from "../../contract/requests.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { RequestSummary } from "../../ports/reader.ts";
import { taskOut } from "./task-out.ts";
import { grantOut } from "./verdict-out.ts";

export function requestOut(request: RequestSummary, now: number): RequestOut {
  const { policy, creator, outcome } = request;
  return {
    id: request.id,
    gate: request.gate,
    policy_id: policy.id,
    policy_key: policy.key,
    policy_version: policy.version,
    artifact_type: request.artifactType,
    artifact_id: request.artifactId,
    source_service: creator.subject,
    requester: request.requester,
    context: request.context,
    status: request.status,
    current_stage_order: request.currentStageOrder,
    callback_url: request.callback?.url ?? null,
    completed_at: wireTimeOrNull(request.completedAt),
    created_at: wireTime(request.createdAt),
    updated_at: wireTime(request.updatedAt),
    revision: request.revision,
    digest: request.digest,
    policy_digest: policy.digest,
    salt: request.salt,
    created_by: creator.assignee,
    expires_at: wireTime(request.expiresAt),
    held: false,
    resolution: request.resolution === null ? null : resolutionOut(request.resolution),
    grant: request.grant === null ? null : grantOut(request.grant, now),
    outcome:
      outcome === null
        ? null
        : {
            reason: outcome.reason,
            stage_order: outcome.stageOrder,
            actor: outcome.actor,
            actor_id: outcome.actorId,
            comment: outcome.comment,
            cause: outcome.cause,
            superseded_by: outcome.supersededBy,
          },
  };
}

function resolutionOut(resolution: Resolution): NonNullable<RequestOut["resolution"]> {
  return {
    stage_order: resolution.stageOrder,
    rule: resolution.rule,
    attempt: resolution.attempt,
    last_error: resolution.lastError,
    next_attempt_at: wireTime(resolution.nextAttemptAt),
  };
}

/** The open tasks of every started stage, by stage, then seat; observers after approvers. */
export function createRequestOut(request: Request, now: number): CreateRequestOut {
  const tasks = request.stages.flatMap((stage) => {
    const place = new Map(stage.seats.map((seat) => [seat.id, seat.position]));
    return stage.tasks
      .filter((task) => task.status === "open")
      .map((task) => ({ task, place: task.seatId === null ? Infinity : (place.get(task.seatId) ?? Infinity) }))
      .sort(
        (left, right) =>
          Number(left.task.kind === "observer") - Number(right.task.kind === "observer") ||
          order(left.place, right.place),
      )
      .map(({ task }) => taskOut({ request, stage, task, decision: null }, now));
  });
  return {
    request_id: request.id,
    status: request.status,
    current_stage_order: request.currentStageOrder,
    tasks,
    digest: request.digest,
    expires_at: wireTime(request.expiresAt),
  };
}

/** Infinity minus Infinity is no order. */
function order(left: number, right: number): number {
  return left === right ? 0 : left - right;
}
