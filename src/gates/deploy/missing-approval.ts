/**
 * Why is there no approval for this call, and what helps? Looks at the caller's own requests only. Implements
 * docs/spec/deploy.md R-BIND-2.
 */
import type { Instant } from "../../core/person.ts";
import { noActiveApproval } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";
import type { DeployApproval } from "./deploy-records.ts";
import { deployStatus, endedAt } from "./deploy-status.ts";
import { approvalsOfCall, approvalsOfCaller, paramOf, type GatedCall, type GatedFacts } from "./gated-facts.ts";

/** `commit` is the one that the call is for, or null where it names none. */
export function missingApproval(call: GatedCall, facts: GatedFacts, commit: string | null): DeployRefusal {
  const app = paramOf(call, "app");
  const ofApp = approvalsOfCall(call, facts);
  const newest = ofApp.find((approval) => approval.commit === commit) ?? (commit === null ? ofApp[0] : undefined);
  const ask = `rack-gateway deploy-approval request --app ${app} --git-commit ${commit ?? "HEAD"} --message "…" --wait`;
  if (newest === undefined) return noActiveApproval(otherReason(app, commit, facts), ask);
  const isPending = deployStatus(newest.standing, facts.now) === "pending";
  const help = isPending ? `An approver decides here: ${facts.requestLink(newest.id)}` : ask;
  return noActiveApproval(reasonOf(newest, facts.now), help);
}

/** Nothing was asked for exactly this; perhaps something else is approved. */
function otherReason(app: string, commit: string | null, facts: GatedFacts): string {
  const approved = approvalsOfCaller(facts).filter(({ standing }) => deployStatus(standing, facts.now) === "approved");
  const sameApp = approved.find((approval) => approval.app === app);
  if (sameApp !== undefined && commit !== null) {
    return `Commit ${sameApp.commit} is approved, not ${commit}.`;
  }
  const other = approved.find((approval) => approval.app !== app);
  if (other !== undefined) return `App ${other.app} is approved, not ${app}.`;
  return "No request was made with this credential.";
}

function reasonOf({ id, standing, createdAt }: DeployApproval, now: Instant): string {
  const status = deployStatus(standing, now);
  const end = timeText(endedAt(standing, now) ?? now);
  switch (status) {
    case "pending": {
      const missing = standing.approvalsMissing;
      const waiting = missing === 1 ? "1 approval" : `${missing} approvals`;
      return `Request ${id} is pending since ${timeText(createdAt)} and waits for ${waiting}.`;
    }
    case "approved":
      return `Request ${id} is approved, but not for this call.`;
    case "expired":
      return `Request ${id} expired at ${end}.`;
    case "rejected":
      return `Request ${id} was rejected at ${end}.`;
    case "cancelled":
      return `Request ${id} was cancelled at ${end}.`;
    case "superseded":
      return `Request ${id} was superseded by a newer one at ${end}.`;
    case "deployed":
      return `Request ${id} has already been deployed, at ${end}.`;
  }
}

function timeText(at: Instant): string {
  return new Date(at).toISOString();
}
