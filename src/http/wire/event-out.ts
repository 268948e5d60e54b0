/** An event as a timeline shows it, and as the live stream tells it. */
import type { JsonValue } from "../../core/json.ts";
import type { LiveEvent } from "../../contract/live-events.ts";
import type { RequestEventOut } from "../../contract/requests.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { StoredEvent } from "../../ports/reader.ts";

export function eventOut(event: StoredEvent): RequestEventOut {
  return {
    id: event.id,
    request_id: event.requestId,
    event_type: event.type,
    payload: event.payload,
    created_at: wireTime(event.createdAt),
    sequence: event.sequence,
  };
}

export function liveEvent({ type, requestId, gate, sequence, payload }: StoredEvent): LiveEvent {
  return {
    event_type: type,
    request_id: requestId,
    artifact_type: textOf(payload["artifact_type"]),
    artifact_id: textOf(payload["artifact_id"]),
    status: textOf(payload["status"]),
    stage_order: numberOf(payload["stage_order"]),
    sequence,
    actor: textOf(payload["actor"]),
    gate,
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function numberOf(value: JsonValue | undefined): number | null {
  return typeof value === "number" ? value : null;
}
