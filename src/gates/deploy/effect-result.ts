/**
 * How did a call to somebody else's service end, and what does that mean for the effect that made it? One judgement for every
 * provider, so that the same status is never permanent here and retried there. Implements docs/spec/deploy.md R-CI-1 and R-CI-4.
 */
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";

export type EffectFaultCode =
  | "ci_workflow_mismatch"
  | "ci_workflow_not_found"
  | "ci_job_not_found"
  | "ci_job_ended"
  | "ci_unauthorized"
  | "ci_forbidden"
  | "ci_refused"
  | "ci_not_configured"
  /** Nobody needs it any more: the approval it was for has ended. */
  | "approval_ended"
  | "vcs_not_found"
  | "vcs_forbidden"
  | "vcs_refused";

export type EffectResult =
  /** `record` is kept on the request: who approved the job, which comment it was. */
  | { readonly result: "done"; readonly record: JsonObject }
  /** `afterSeconds` is what the other side asked for; null leaves it to the schedule. */
  | { readonly result: "retry"; readonly afterSeconds: number | null; readonly why: string }
  | { readonly result: "permanent"; readonly code: EffectFaultCode; readonly sentence: string };

export type EffectFault = Exclude<EffectResult, { readonly result: "done" }>;

/** What a call came back with when it was not a success. */
export type FailedCall =
  | { readonly unreachable: string }
  | { readonly status: number; readonly retryAfterSeconds: number | null; readonly message: string };

/** The sentences that name what is missing; each provider has its own words for them. */
export interface FaultWords {
  /** What the credential lacks, for 403. */
  readonly forbidden: string;
  /** What was looked for, for 404. */
  readonly missing: string;
}

/** 401, 403 and 404 stay as they are whatever we do; 429, 5xx and the network may not (R-CI-4). */
export function ciFault(call: FailedCall, { forbidden, missing }: FaultWords): EffectFault {
  if ("unreachable" in call) return retry(call.unreachable);
  const { status, message, retryAfterSeconds } = call;
  switch (status) {
    case 401:
      return permanent("ci_unauthorized", "401 Unauthorized: the token is not valid or has expired");
    case 403:
      return permanent("ci_forbidden", `403 Forbidden: ${forbidden}`);
    case 404:
      return permanent("ci_workflow_not_found", missing);
    default:
      break;
  }
  if (isPassing(status)) return retry(`the service answered ${String(status)}`, retryAfterSeconds);
  return permanent("ci_refused", `the service answered ${String(status)}${message === "" ? "" : `: ${message}`}`);
}

export function done(record: JsonObject = {}): EffectResult {
  return { result: "done", record };
}

export function retry(why: string, afterSeconds: number | null = null): EffectFault {
  return { result: "retry", afterSeconds, why };
}

export function permanent(code: EffectFaultCode, sentence: string): EffectFault {
  return { result: "permanent", code, sentence };
}

/** Redirects count as passing: they are not followed, and somebody may be moving the service. */
function isPassing(status: number): boolean {
  return status < 400 || status === 408 || status === 409 || status === 425 || status === 429 || status >= 500;
}

const PAUSES_SECONDS = [2, 5, 10, 20, 30] as const;
const LONGEST_PAUSE_SECONDS = 30;

/**
 * When an effect is tried again after `attempt` failures; null when that is not before `endsAt`, the end of the window: an
 * unblock is never sent for an approval that is no longer live (R-CI-1).
 */
export function nextEffectAttempt(
  attempt: number,
  now: Instant,
  endsAt: Instant,
  afterSeconds: number | null,
): Instant | null {
  const pause = PAUSES_SECONDS[attempt - 1] ?? LONGEST_PAUSE_SECONDS;
  const at = now + Math.max(pause, afterSeconds ?? 0) * 1_000;
  return at < endsAt ? at : null;
}
