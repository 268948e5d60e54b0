/**
 * What does the deploy gate answer when the answer is no? A stable code with its one status, the first line that clients
 * know, and what to do next. Implements docs/spec/deploy.md R-REFUSE-1 and the bodies of R-PROXY-4.
 */
import type { JsonObject } from "../../core/json.ts";
import { utf8Start } from "./utf8-length.ts";

/** Every code of the gate and the status that it always has (docs/spec/deploy.md section 21.2). */
export const deployRefusalStatus = {
  no_active_approval: 403,
  deploy_approval_exists: 409,
  deploy_approvals_disabled: 404,
  deploy_approval_not_found: 404,
  app_not_found: 404,
  commit_incomplete: 400,
  commit_not_verified: 400,
  commit_not_in_identity: 403,
  git_sha_required: 400,
  archive_differs: 409,
  upload_form: 400,
  upload_attempts: 409,
  build_exists: 409,
  build_attempts: 409,
  already_deployed: 409,
  promote_in_progress: 409,
  promote_attempts: 409,
  promote_form: 400,
  source_mismatch: 422,
  image_pattern: 422,
  image_repository: 422,
  manifest_invalid: 422,
  approval_stale: 409,
  command_not_approved: 403,
  process_option: 403,
  build_option: 403,
  build_arg: 403,
  manifest_path: 403,
  archive_form: 422,
  archive_limit: 413,
  build_form: 400,
  object_unknown: 403,
  object_key_in_use: 409,
  release_mismatch: 409,
  separation_of_duties: 403,
  no_eligible_approver: 422,
  deploy_approval_not_pending: 409,
  request_changed: 412,
  approval_expired: 409,
  extension_limit: 409,
  extension_not_later: 409,
  token_cannot_decide: 403,
  credential_kind_not_allowed: 403,
  target_token_unsuitable: 400,
  target_token_unknown: 404,
  policy_unavailable: 422,
  invalid_payload: 400,
  vcs_unavailable: 502,
  source_not_ready: 409,
  permission_denied: 403,
  unknown_route: 404,
  path_invalid: 400,
  query_not_allowed: 400,
  repeated_header: 400,
  header_invalid: 400,
  destructive_disabled: 403,
  environment_not_allowed: 403,
  env_form: 400,
  env_masked: 400,
  env_protected: 403,
  env_conflict: 409,
  setting_invalid: 400,
  ledger_unavailable: 503,
  quarantine: 503,
  rack_unreachable: 502,
  rack_timeout: 504,
  rack_certificate: 502,
} as const;

export type DeployRefusalCode = keyof typeof deployRefusalStatus;

export interface DeployRefusal {
  readonly code: DeployRefusalCode;
  readonly status: number;
  /** The compatible first line. */
  readonly message: string;
  /** The next step: second and further lines. */
  readonly hint: readonly string[];
  /** Further members of a JSON answer. */
  readonly details?: JsonObject;
}

export function refuseDeploy(
  code: DeployRefusalCode,
  message: string,
  hint: readonly string[] = [],
  details?: JsonObject,
): DeployRefusal {
  const refusal = { code, status: deployRefusalStatus[code], message, hint };
  return details === undefined ? refusal : { ...refusal, details };
}

export function isDeployRefusal(value: object): value is DeployRefusal {
  return "code" in value && "status" in value && "hint" in value;
}

/** Clients show no more, and the Go client formats what it shows (deploy R-PROXY-4). */
export const refusalBytesMax = 4_096;

/** The `text/plain` body of a refusal on a proxied route: one line each, the first one first. */
export function refusalText(refusal: Pick<DeployRefusal, "message" | "hint">): string {
  const lines = [refusal.message, ...refusal.hint].map(plainLine).filter((line) => line !== "");
  return `${utf8Start(lines.join("\n"), refusalBytesMax - 1)}\n`;
}

/** The body for clients that name `application/json`. */
export function refusalJson(
  refusal: Omit<DeployRefusal, "code"> & { readonly code: string },
  requestId: string,
): JsonObject {
  const hint = refusal.hint.map(plainLine).join("\n");
  return {
    ...refusal.details,
    error: plainLine(refusal.message),
    code: refusal.code,
    ...(hint === "" ? {} : { hint }),
    request_id: requestId,
  };
}

/**
 * What somebody else wrote must neither be formatted by the client (`%`) nor forge lines or reorder them: line breaks,
 * controls and direction marks become spaces, the percent sign its full-width look-alike.
 */
function plainLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, " ")
    .replaceAll("%", "\uff05")
    .trim();
}
