/** A delivery and its attempts as the wire shows them (docs/spec/engine.md R-HOOK-12). */
import type { DeliveryAttemptOut, DeliveryOut } from "../../contract/deliveries.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { JsonObject } from "../../core/json.ts";
import type { EffectAttemptRecord, EffectRecord } from "../../ports/effects.ts";
import type { Delivery } from "../../ports/reader.ts";

const STATUS = { pending: "pending", done: "delivered", failed: "exhausted", withdrawn: "exhausted" } as const;

export function deliveryOut({ effect, lastAttemptAt, blockedBy }: Delivery): DeliveryOut {
  const { id, payload, requestId, state, attempts, dueAt, lastError, createdAt, doneAt, position } = effect;
  const updatedAt = Math.max(createdAt, lastAttemptAt ?? 0, doneAt ?? 0);
  return {
    ...{ id, event_id: text(payload, "event"), request_id: requestId, event_type: text(payload, "type") },
    ...{ url: text(payload, "url"), status: STATUS[state], attempt: attempts },
    next_attempt_at: state === "pending" ? wireTime(dueAt) : null,
    last_attempt_at: wireTimeOrNull(lastAttemptAt),
    last_status_code: lastStatus(effect),
    last_error: lastError?.message ?? null,
    ...{ created_at: wireTime(createdAt), updated_at: wireTime(updatedAt) },
    ...{ sequence: position, blocked_by: blockedBy },
  };
}

export function attemptOut(attempt: EffectAttemptRecord): DeliveryAttemptOut {
  const detail = attempt.detail ?? {};
  const isDone = attempt.outcome === "done";
  return {
    ...{
      attempt: attempt.attempt,
      at: wireTime(attempt.at),
      duration_ms: attempt.durationMs,
      outcome: attempt.outcome,
    },
    status_code: statusOf(detail["status_code"], attempt.code),
    error: isDone ? null : attempt.message,
    response_snippet: textOrNull(detail, "response_snippet"),
    url: textOrNull(detail, "url"),
    signed_with: textOrNull(detail, "signed_with"),
  };
}

function lastStatus({ result, lastError }: EffectRecord): number | null {
  return statusOf(lastError?.detail?.["status_code"] ?? result?.["status_code"], lastError?.code ?? null);
}

function statusOf(given: unknown, code: string | null): number | null {
  if (typeof given === "number") return given;
  const [, status] = /^http_(\d{3})$/.exec(code ?? "") ?? [];
  return status === undefined ? null : Number(status);
}

function text(object: JsonObject, member: string): string {
  return textOrNull(object, member) ?? "";
}

function textOrNull(object: JsonObject, member: string): string | null {
  const value = object[member];
  return typeof value === "string" ? value : null;
}
