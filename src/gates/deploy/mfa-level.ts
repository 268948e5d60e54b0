/**
 * How strongly must a person have proven who they are for what a permission allows? Implements docs/spec/deploy.md R-MFA-1;
 * what is not listed as a read proves more, never less.
 */
import type { Permission } from "../../core/permission.ts";

/** `step_up`: a factor within the last minutes of the session; `always`: one in this very call, which no token has. */
export type MfaLevel = "none" | "step_up" | "always";

export function mfaLevel(permission: Permission): MfaLevel {
  const [, resource = "", action = ""] = permission.split(":");
  if (READS.has(action) || FREE.has(permission)) return "none";
  return ALWAYS.has(permission) || OWN_FACTORS.has(resource) ? "always" : "step_up";
}

export function strongest(levels: readonly MfaLevel[]): MfaLevel {
  if (levels.includes("always")) return "always";
  return levels.includes("step_up") ? "step_up" : "none";
}

const READS: ReadonlySet<string> = new Set(["read", "list", "export"]);

/** Asking, uploading and stopping are easy. */
const FREE: ReadonlySet<Permission> = new Set([
  "convox:object:create",
  "gateway:deploy_approval_request:create",
  "gateway:deploy_approval_request:cancel",
]);

const ALWAYS: ReadonlySet<Permission> = new Set([
  // Approve and extend; rejecting needs the same permission and no factor (deploy R-STATE-2).
  "gateway:deploy_approval_request:approve",
  "gateway:api_token:create",
  "gateway:api_token:update",
  "gateway:api_token:delete",
  "gateway:user:create",
  "gateway:user:update",
  "gateway:user:delete",
  "security:secret:update",
  "convox:app:delete",
  "convox:instance:terminate",
  "convox:instance:keyroll",
  "gateway:setting_group:allow_destructive_actions",
  "gateway:setting_group:deploy_approvals",
  "gateway:setting_group:mfa_configuration",
  "gateway:setting_group:vcs_ci_deploy",
  "gateway:setting:approved_deploy_commands",
  "gateway:setting:service_image_patterns",
  "gateway:setting:image_repositories",
  "gateway:setting:approved_build_args",
  "gateway:setting:verify_source",
  "gateway:setting:deploy_policy",
]);

/** Writes to the own factors, backup codes, devices and preferences, with an existing factor. */
const OWN_FACTORS: ReadonlySet<string> = new Set([
  "mfa_method",
  "mfa_backup_codes",
  "mfa_preferences",
  "trusted_device",
]);
