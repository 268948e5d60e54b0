/**
 * The refusals of the approvals API: creating, deciding, extending. Implements docs/spec/deploy.md section 21.2 and the texts
 * of its sections 2 and 3.
 */
import type { JsonObject } from "../../core/json.ts";
import type { DeployStatus } from "./deploy-status.ts";
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";

const NEW_REQUEST = "Make a new approval request.";
const RELOAD = "Reload the request.";

/** `live` is the request that is in the way, as the wire shows it (deploy R-REQ-4). */
export function approvalExists(live: JsonObject, id: string, link: string): DeployRefusal {
  const message = "an approval request is already pending or approved for this token and git commit";
  return refuseDeploy("deploy_approval_exists", message, [`${id} ${link}`], live);
}

export function approvalsDisabled(): DeployRefusal {
  return refuseDeploy("deploy_approvals_disabled", "deploy approvals feature is disabled", [
    "No approval is needed on this rack: deploy directly.",
  ]);
}

export function approvalNotFound(): DeployRefusal {
  return refuseDeploy("deploy_approval_not_found", "deploy approval request not found");
}

export function commitIncomplete(): DeployRefusal {
  const message = "git_commit_hash must be a full commit id (40 or 64 hexadecimal characters)";
  return refuseDeploy("commit_incomplete", message, [
    "git rev-parse HEAD prints it; with the app's setting vcs_repo an abbreviated one is looked up.",
  ]);
}

/** What a job's platform vouches for allows no other commit (deploy R-OIDC-4); null where it is this one, or nothing is bound. */
export function foreignCommit(commit: string, bound: { readonly commit: string | null } | null): DeployRefusal | null {
  if (bound === null || bound.commit === commit) return null;
  const own = bound.commit === null ? "Its platform names no commit." : `Its platform names ${bound.commit}.`;
  return refuseDeploy("commit_not_in_identity", "the commit is not the one of the CI identity", [
    `${own} Deploy that one, or switch bind_commit off for this workload provider.`,
  ]);
}

/** `reason` goes on after "because you"; `approvers` says who can. */
export function selfApproval(reason: keyof typeof selfApprovals, approvers: string): DeployRefusal {
  const message = `you cannot approve this request because you ${selfApprovals[reason]}`;
  return refuseDeploy("separation_of_duties", message, [approvers], { reason });
}

/** Who may not approve what is their own (deploy R-REQ-10). */
export const selfApprovals = {
  token_owner: "own the CI token it is for",
  requester: "asked for it",
  commit_author: "wrote the commit",
} as const;

export interface ExcludedPerson {
  readonly person: string;
  readonly reason: string;
}

export function noEligibleApprover(excluded: readonly ExcludedPerson[]): DeployRefusal {
  return refuseDeploy(
    "no_eligible_approver",
    "no one can approve this request",
    [
      ...excluded.map(({ person, reason }) => `${person}: ${reason}`),
      "Add an approver, or use a token of a service account.",
    ],
    { excluded: excluded.map(({ person, reason }) => ({ person, reason })) },
  );
}

export function notPending(status: DeployStatus): DeployRefusal {
  return refuseDeploy("deploy_approval_not_pending", `deploy approval request is already ${status}`, [RELOAD]);
}

export function requestChanged(): DeployRefusal {
  return refuseDeploy("request_changed", "deploy approval request has changed", [RELOAD]);
}

export function approvalExpired(): DeployRefusal {
  return refuseDeploy("approval_expired", "the approval has expired", [NEW_REQUEST]);
}

export function extensionLimit(): DeployRefusal {
  return refuseDeploy("extension_limit", "the approval cannot be extended further", [NEW_REQUEST]);
}

export function extensionNotLater(): DeployRefusal {
  return refuseDeploy("extension_not_later", "the approval cannot be extended further", [
    "The new end would not be later than the present one: extend when less of the window is left.",
  ]);
}

export function tokenCannotDecide(): DeployRefusal {
  return refuseDeploy("token_cannot_decide", "API tokens cannot decide deploy approval requests", [
    "Log in as a person.",
  ]);
}

export function credentialKindNotAllowed(): DeployRefusal {
  return refuseDeploy("credential_kind_not_allowed", "API tokens cannot do this", ["Log in as a person."]);
}

export function targetTokenUnsuitable(): DeployRefusal {
  return refuseDeploy("target_token_unsuitable", "target token cannot deploy with approval", [
    "It needs the role cicd, and this rack and app.",
  ]);
}

export function targetTokenUnknown(): DeployRefusal {
  return refuseDeploy("target_token_unknown", "api token not found");
}

export function policyUnavailable(name: string): DeployRefusal {
  return refuseDeploy("policy_unavailable", `deploy policy '${name}' is not available`, [
    "The settings deploy_policy and default_deploy_policy name it.",
  ]);
}

export function vcsUnavailable(): DeployRefusal {
  return refuseDeploy("vcs_unavailable", "GitHub verification failed: GitHub could not be reached", ["Try again."]);
}

export function sourceNotReady(): DeployRefusal {
  return refuseDeploy("source_not_ready", "the commit's files are still being read", ["Try again shortly."]);
}

export function branchMoved(branch: string, was: string, is: string): DeployRefusal {
  return refuseDeploy("approval_stale", `commit is no longer the latest on branch ${branch}`, [
    `was ${was}, is ${is}`,
    NEW_REQUEST,
  ]);
}

export function invalidPayload(message = "invalid payload", hint: readonly string[] = []): DeployRefusal {
  return refuseDeploy("invalid_payload", message, hint);
}
