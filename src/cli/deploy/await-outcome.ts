/** Waits until a deploy approval request is decided (docs/spec/deploy.md R-CLI-7). */
import { textIn } from "../../client/api-client.ts";
import { approvalFrom, approvalPage, approvalsGiven, type ApprovalObject } from "./approval-object.ts";
import { CliFault, EXIT } from "./cli-outcome.ts";
import { notice, plain } from "./cli-output.ts";
import type { Gateway } from "./open-gateway.ts";
import { patientCall, pauseUntil, type Deadline } from "./patient-call.ts";

export interface Waiting {
  readonly pollIntervalMs: number;
  readonly deadline: Deadline;
  readonly quiet?: true;
}

/** Seconds; proxies end what is silent for a minute. */
const LONG_POLL_MAX = 55;
/** What the answer may take beyond the time that was asked for. */
const GRACE_MS = 15_000;

/** The request once it is approved or deployed; every other end is a fault with its exit status. */
export async function awaitOutcome(gateway: Gateway, first: ApprovalObject, waiting: Waiting): Promise<ApprovalObject> {
  endOnInterrupt();
  let approval = first;
  let told = "";
  notice(waiting, approvalPage(gateway, approval));
  while (approval.status === "pending") {
    const state = [`Waiting for approval (status: ${approval.status})`, approvalsGiven(approval) ?? ""]
      .join("\n")
      .trim();
    if (state !== told) notice(waiting, state);
    told = state;
    approval = await nextState(gateway, approval, waiting);
  }
  return endedWell(approval);
}

/** The request stays; the wait ends (130, as shells count it). */
export function endOnInterrupt(): void {
  process.once("SIGINT", () => process.exit(EXIT.interrupted));
}

/** Long polls where the server counts versions, else asks again each interval. */
async function nextState(gateway: Gateway, known: ApprovalObject, waiting: Waiting): Promise<ApprovalObject> {
  const { deadline, pollIntervalMs } = waiting;
  const left = Math.floor((deadline - Date.now()) / 1_000);
  const seconds = Math.max(1, Math.min(LONG_POLL_MAX, left));
  const query = known.version === null ? "" : `?wait=${String(seconds)}&version=${String(known.version)}`;
  const askedAt = Date.now();
  const path = `/deploy-approval-requests/${known.id}${query}`;
  const call = { method: "GET" as const, path, timeoutMs: seconds * 1_000 + GRACE_MS };
  const approval = approvalFrom(await patientCall(() => gateway.call(call), deadline));
  const changed = approval.version !== known.version || approval.status !== known.status;
  if (changed) return approval;
  // A server that knows no long poll answers at once.
  const waited = Date.now() - askedAt;
  const hasWaited = query !== "" && waited >= (seconds - 1) * 1_000;
  await pauseUntil(hasWaited ? 0 : Math.max(0, pollIntervalMs - waited), deadline);
  return approval;
}

function endedWell(approval: ApprovalObject): ApprovalObject {
  const { id, status, json } = approval;
  switch (status) {
    case "approved":
    case "deployed":
      return approval;
    case "rejected": {
      const notes = plain(textIn(json, "approval_notes") ?? "");
      throw new CliFault(`deploy approval request ${id} rejected${notes === "" ? "" : `: ${notes}`}`, EXIT.rejected);
    }
    case "expired":
      throw new CliFault(`deploy approval request ${id} expired`, EXIT.expired);
    case "cancelled":
      throw new CliFault(`deploy approval request ${id} cancelled`, EXIT.cancelled);
    case "superseded": {
      const by = textIn(json, "superseded_by");
      throw new CliFault(`deploy approval request ${id} superseded${by === null ? "" : ` by ${by}`}`, EXIT.superseded);
    }
    default:
      throw new CliFault(`deploy approval request ${id} has the unknown status ${plain(status)}`);
  }
}
