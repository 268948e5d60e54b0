/** Which events go to a request's address, and what is sent of each. Implements docs/spec/engine.md section 11, R-HOOK-1 and R-HOOK-4. */
import type { EngineEventType } from "../../core/event.ts";
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { RequestCallback } from "../../core/request.ts";

/** True: always sent; false: to those who ask for it. */
const SENT: Readonly<Record<EngineEventType, boolean>> = {
  ...{ request_created: true, stage_started: true, stage_skipped: true, stage_quorum_skipped: false },
  ...{ stage_completed: true, stage_escalated: true, task_claimed: false, task_released: false, task_decided: false },
  ...{ task_reassigned: true, task_delegated: false, task_expired: true, seat_freed: false, person_merged: false },
  ...{ decision_voided: false, delegation_skipped: false, resolution_failed: false, request_approved: true },
  ...{ request_rejected: true, request_cancelled: true, request_expired: true, grant_used: false },
  ...{ grant_extended: false, grant_revoked: false, grant_expired: false },
};

const EVERY = "*";

export function isEventChoice(type: string): boolean {
  return type === EVERY || Object.hasOwn(SENT, type);
}

export function isSent(type: EngineEventType, { events }: Pick<RequestCallback, "events">): boolean {
  return SENT[type] || events.includes(EVERY) || events.includes(type);
}

export interface SentEvent {
  readonly id: string;
  readonly sequence: number;
  readonly type: string;
  readonly payload: JsonObject;
  readonly createdAt: Instant;
}

const BYTES_MAX = 20_000;
const ITEMS_MAX = 200;

/** Compact JSON in ASCII; the order of the members is part of the contract, `data` last. */
export function webhookBody(event: SentEvent, { includeData }: { readonly includeData: boolean }): string {
  const { payload } = event;
  const head = {
    ...{ event_id: event.id, event_type: event.type, request_id: payload["request_id"] ?? null },
    ...{ artifact_type: payload["artifact_type"] ?? null, artifact_id: payload["artifact_id"] ?? null },
    ...{ status: payload["status"] ?? null, stage_order: payload["stage_order"] ?? null },
    ...{ actor: payload["actor"] ?? null, occurred_at: `${new Date(event.createdAt).toISOString().slice(0, -1)}000Z` },
  };
  if (!includeData) return asciiJson(head);
  const whole = { ...payload, sequence: event.sequence, actor_id: payload["actor_id"] ?? null };
  for (let most = ITEMS_MAX; ; most = Math.floor(most / 2)) {
    const body = asciiJson({ ...head, data: withShortLists(whole, most) });
    if (body.length < BYTES_MAX || most === 0) return body;
  }
}

function withShortLists(data: JsonObject, most: number): JsonObject {
  const isLong = (value: JsonValue | undefined): value is readonly JsonValue[] =>
    Array.isArray(value) && value.length > most;
  if (!Object.values(data).some(isLong)) return data;
  const cut = Object.entries(data).map(
    ([name, value]) => [name, isLong(value) ? value.slice(0, most) : value] as const,
  );
  return { ...Object.fromEntries(cut), truncated: true };
}

/** As receivers in other languages write it too: everything beyond the printable ASCII letters as `\uXXXX`. */
function asciiJson(value: JsonValue): string {
  return JSON.stringify(value).replaceAll(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
