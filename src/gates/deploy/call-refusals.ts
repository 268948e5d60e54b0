/**
 * The refusals of proxied rack calls, each with its texts. Implements docs/spec/deploy.md section 21.2 and the texts of its
 * sections 4 to 8.
 */
import type { Permission } from "../../core/permission.ts";
import type { ContentRefusal } from "./content-refusal.ts";
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";

/** As many as an answer has room for. */
const PATHS_MAX = 20;
const NEW_REQUEST = "Other content needs a new approval request.";

/** First lines of what a caller lacks the permission for (deploy R-REFUSE-1). */
export const denials = {
  runProcesses: "You don't have permission to run processes.",
  stopProcesses: "You don't have permission to stop processes.",
  createReleases: "You don't have permission to create releases.",
  promoteReleases: "You don't have permission to promote releases.",
  any: "permission denied",
} as const;

/** First line of the guide; `reason` tells what became of the newest request, `help` what to do (deploy R-BIND-2). */
export function noActiveApproval(reason: string, help: string): DeployRefusal {
  return refuseDeploy("no_active_approval", "No active deploy approval found for this commit", [reason, help]);
}

export function gitShaRequired(): DeployRefusal {
  return refuseDeploy("git_sha_required", "git-sha is required when deploying with an approval", [
    "Run the command from a git checkout, or pass --git-sha.",
  ]);
}

export function archiveDiffers(paths: readonly string[]): DeployRefusal {
  const message = "an archive has already been uploaded for this deploy approval request";
  return refuseDeploy("archive_differs", message, [...someOf(paths), NEW_REQUEST]);
}

export function uploadForm(detail: string): DeployRefusal {
  return refuseDeploy("upload_form", `upload is not acceptable: ${detail}`);
}

export function uploadAttempts(uploadsMax: number): DeployRefusal {
  return refuseDeploy(
    "upload_attempts",
    `at most ${uploadsMax} archives may be uploaded for one deploy approval request`,
    ["Make a new approval request."],
  );
}

/** `second` says which build it is and what to do with it. */
export function buildExists(second: string): DeployRefusal {
  return refuseDeploy("build_exists", "a build has already been created for this deploy approval request", [second]);
}

export function buildAttempts(attemptsMax: number): DeployRefusal {
  return refuseDeploy("build_attempts", "a build has already been created for this deploy approval request", [
    `All ${attemptsMax} attempts were used. Make a new approval request.`,
  ]);
}

export function alreadyDeployed(): DeployRefusal {
  return refuseDeploy("already_deployed", "this deploy approval request has already been deployed", [
    "Another deploy needs a new approval request.",
  ]);
}

export function promoteInProgress(approvalId: string): DeployRefusal {
  return refuseDeploy("promote_in_progress", "a promote for this deploy approval request is still in progress", [
    `Wait for its outcome: rack-gateway deploy-approval show ${approvalId}`,
  ]);
}

export function promoteAttempts(attemptsMax: number): DeployRefusal {
  return refuseDeploy("promote_attempts", `a release may be promoted at most ${attemptsMax} times under one approval`, [
    "Make a new approval request.",
  ]);
}

export function promoteForm(detail: string): DeployRefusal {
  return refuseDeploy("promote_form", `promote request is not acceptable: ${detail}`);
}

/** What was found in an archive or a manifest, in the form of every refusal (docs/spec/deploy.md section 5). */
export function contentRefused({ code, message, lines }: ContentRefusal): DeployRefusal {
  return refuseDeploy(code, message, lines);
}

export function manifestInvalid(reason: string): DeployRefusal {
  return refuseDeploy("manifest_invalid", `manifest validation failed: ${reason}`);
}

export function digestChanged(service: string, recorded: string, found: string): DeployRefusal {
  return refuseDeploy("approval_stale", "image digest changed since it was recorded", [
    `${service}: was ${recorded}, is ${found}`,
    "Make a new approval request.",
  ]);
}

export function commandNotApproved(command: string, approved: readonly string[]): DeployRefusal {
  return refuseDeploy("command_not_approved", `command not approved: ${command}`, [approvedLine(approved)]);
}

/** Processes that an approval does not cover; the first line is the one of a missing permission (deploy R-ALLOW-2, -4). */
export function processNotApproved(why: string): DeployRefusal {
  return refuseDeploy("command_not_approved", denials.runProcesses, [why]);
}

export function commandBlankOrOther(approved: readonly string[]): DeployRefusal {
  return processNotApproved(approvedLine(approved));
}

export function processOption(name: string, why = ""): DeployRefusal {
  const message = `process option '${name}' is not allowed with a deploy approval`;
  return refuseDeploy("process_option", message, why === "" ? [] : [why]);
}

export function environmentNotAllowed(): DeployRefusal {
  return refuseDeploy("environment_not_allowed", denials.runProcesses, [
    "Setting environment variables of a process needs the permission convox:env:set.",
  ]);
}

export function buildOption(name: string): DeployRefusal {
  return refuseDeploy("build_option", `option '${name}' is not allowed with a deploy approval`);
}

export function buildArgument(name: string): DeployRefusal {
  return refuseDeploy("build_arg", `build argument '${name}' is not approved`, [
    "The setting approved_build_args lists the approved ones.",
  ]);
}

export function manifestPath(path: string, approved: readonly string[]): DeployRefusal {
  return refuseDeploy("manifest_path", `manifest '${path}' is not approved`, [
    `Approved: ${approved.join(", ")} (setting approved_manifests).`,
  ]);
}

export function buildForm(detail: string): DeployRefusal {
  return refuseDeploy("build_form", `build request is not acceptable: ${detail}`);
}

export function buildWithoutObject(): DeployRefusal {
  return refuseDeploy("build_form", "build request missing object URL", ["Upload the archive first."]);
}

export function objectUnknown(): DeployRefusal {
  return refuseDeploy("object_unknown", "this archive was not uploaded under this deploy approval", [
    "Upload the archive of the approved commit through the gateway with the same token.",
  ]);
}

export function objectKeyInUse(): DeployRefusal {
  return refuseDeploy("object_key_in_use", "an object with this name already exists", ["Upload it under a new name."]);
}

export function releaseMismatch(why: string): DeployRefusal {
  return refuseDeploy("release_mismatch", "this release does not belong to the approved build", [why]);
}

export function permissionDenied(message: string, permission: Permission): DeployRefusal {
  return refuseDeploy("permission_denied", message, [`This call needs the permission ${permission}.`], { permission });
}

/** A process that another approval, or nobody, started under the gate (deploy R-ALLOW-5). */
export function processOfOthers(message: string): DeployRefusal {
  return refuseDeploy("permission_denied", message, ["The process was not started under this deploy approval."]);
}

export function unknownRoute(): DeployRefusal {
  return refuseDeploy("unknown_route", "not found", ["The gateway does not carry this call."]);
}

export function pathInvalid(): DeployRefusal {
  return refuseDeploy("path_invalid", "path is not acceptable");
}

export function queryNotAllowed(): DeployRefusal {
  return refuseDeploy("query_not_allowed", "a query string is not allowed on this call");
}

export function repeatedHeader(name: string): DeployRefusal {
  return refuseDeploy("repeated_header", `header '${name}' is sent more than once`);
}

export function headerInvalid(detail: string): DeployRefusal {
  return refuseDeploy("header_invalid", `headers are not acceptable: ${detail}`);
}

export function destructiveDisabled(): DeployRefusal {
  return refuseDeploy("destructive_disabled", "Destructive rack actions are disabled by policy", [
    "The setting allow_destructive_actions permits them.",
  ]);
}

export function ledgerUnavailable(): DeployRefusal {
  return refuseDeploy("ledger_unavailable", "nothing was done: the ledger cannot be written", [
    "Try again shortly; /readyz tells when the gateway accepts calls again.",
  ]);
}

export function quarantined(): DeployRefusal {
  return refuseDeploy("quarantine", "nothing was done: the ledger failed verification", [
    "An administrator has to look at it; /readyz tells when the gateway accepts calls again.",
  ]);
}

export function rackUnreachable(): DeployRefusal {
  return refuseDeploy("rack_unreachable", "rack is unreachable", ["The rack's page in the console tells since when."]);
}

export function rackTimeout(): DeployRefusal {
  return refuseDeploy("rack_timeout", "rack did not answer in time", ["Look at the rack before you repeat a change."]);
}

export function rackCertificate(): DeployRefusal {
  return refuseDeploy("rack_certificate", "rack certificate verification failed", [
    "An administrator compares the fingerprint on the rack's page.",
  ]);
}

function approvedLine(approved: readonly string[]): string {
  return approved.length === 0
    ? "No command is approved for this app (setting approved_deploy_commands)."
    : `Approved: ${approved.join(" | ")} (setting approved_deploy_commands).`;
}

function someOf(paths: readonly string[]): readonly string[] {
  const rest = paths.length - PATHS_MAX;
  return rest > 0 ? [...paths.slice(0, PATHS_MAX), `and ${rest} more`] : paths;
}
