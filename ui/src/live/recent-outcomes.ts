import type { LiveEvent } from "./live-stream.ts";

/** What the stream said last about how a request or stage ended: why a row left the inbox (R-INB-7). Bounded, newest kept. */
const kept = 500;
const outcomes = new Map<string, string>();

const sentences: Readonly<Record<string, string>> = {
  request_approved: "Approved",
  request_rejected: "Rejected",
  request_cancelled: "Cancelled",
  request_expired: "Expired",
  stage_completed: "Stage completed",
  stage_quorum_skipped: "Enough signatures",
  task_reassigned: "Handed over",
  changes_requested: "Changes requested",
};

export function rememberOutcome(event: LiveEvent): void {
  const sentence = sentences[event.event_type];
  if (sentence === undefined || event.request_id === null) return;
  outcomes.delete(event.request_id);
  outcomes.set(event.request_id, event.actor === null ? sentence : `${sentence} by ${event.actor}`);
  const oldest = outcomes.keys().next().value;
  if (outcomes.size > kept && oldest !== undefined) outcomes.delete(oldest);
}

export function recentOutcome(requestId: string): string {
  return outcomes.get(requestId) ?? "Settled elsewhere";
}
