import type { DeployLog } from "../../api/deploy-approvals.ts";

/**
 * What each kind of entry says of a deploy request, after the name of whoever did it; with a capital letter where the gate itself did.
 * Every kind that can stand in such a history has its words here.
 */
const words: Readonly<Record<string, string>> = {
  "access.refused": "was refused",
  "decision.recorded": "decided",
  "decision.voided": "no longer counts: the decision was voided",
  "decision.withdrawn": "took the decision back",
  "deploy.app_changed": "changed the app",
  "deploy.build_created": "started a build",
  "deploy.call_ended": "got the rack's answer",
  "deploy.call_intended": "called the rack",
  "deploy.call_read": "read from the rack",
  "deploy.ci_unblocked": "CI goes on",
  "deploy.drift_found": "Something differs from when it was approved",
  "deploy.env_changed": "changed the environment",
  "deploy.image_changed": "An image is another one than was recorded",
  "deploy.images_resolved": "Images looked up",
  "deploy.object_uploaded": "uploaded the source",
  "deploy.process_exec_ended": "ran a command",
  "deploy.process_exec_started": "started a command",
  "deploy.process_started": "started a process",
  "deploy.process_terminated": "stopped a process",
  "deploy.rack_changed": "changed the rack",
  "deploy.rack_params_set": "changed the rack's parameters",
  "deploy.release_created": "made a release",
  "deploy.release_promoted": "promoted the release",
  "effect.exhausted": "An outside call was given up",
  "effect.retried": "had an outside call tried again",
  "gate.denied": "was refused by the gate",
  "grant.expired": "The time to deploy is over",
  "grant.extended": "extended the time",
  "grant.issued": "May be deployed from here on",
  "grant.revoked": "took the approval back",
  "grant.used": "Deployed",
  "person.merged": "Two entries of the directory became one person",
  "request.approved": "Approved",
  "request.cancelled": "cancelled",
  "request.commented": "added a note",
  "request.created": "asked for approval",
  "request.expired": "Expired",
  "request.held": "Held back",
  "request.quorum_skipped": "Enough approvals, nobody else is asked",
  "request.rejected": "Rejected",
  "request.reminded": "Approvers reminded",
  "request.resolution_failed": "Approvers could not be found",
  "request.resolved": "Approvers found",
  "request.revised": "New facts about the commit",
  "request.sent_back": "asked for changes",
  "request.stage_completed": "Enough approvals",
  "request.stage_escalated": "More approvers asked",
  "request.stage_skipped": "A stage was not needed",
  "request.stage_started": "Approvers asked",
  "request.superseded": "Superseded",
  "request.viewed": "looked at it",
  "task.claimed": "took it on",
  "task.delegated": "Handed to a delegate",
  "task.delegation_skipped": "A delegate may not decide this",
  "task.expired": "The time of an approver is over",
  "task.reassigned": "handed it to somebody else",
  "task.released": "gave it back",
};

/** An end that somebody said no to goes by another kind, and is a rejection (docs/spec/deploy.md R-STATE-1). */
export function entryWords({ kind, action }: Pick<DeployLog, "kind" | "action">): string {
  if (action.endsWith(".reject") && kind !== "request.rejected") return "rejected";
  return words[kind] ?? (kind === "" ? action : kind).replaceAll(/[._]/g, " ");
}
