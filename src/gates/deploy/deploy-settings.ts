/**
 * Which settings has the deploy gate, and what may each be? One row per key with default, kind and group. Implements
 * docs/spec/deploy.md section 17, R-SETTINGS-2 and the levels of R-MFA-1.
 */
import type { JsonObject, JsonValue } from "../../core/json.ts";
import type { Permission } from "../../core/permission.ts";
import { refuseDeploy, type DeployRefusal } from "./deploy-refusal.ts";
import { mfaLevel, strongest, type MfaLevel } from "./mfa-level.ts";
import { choice, count, flag, isSettingFault, list, map, text } from "./setting-kinds.ts";
import type { PatternCheck, SettingKind } from "./setting-kinds.ts";

/** `own` settings have an endpoint each. */
export type SettingGroup =
  | "deploy_approvals"
  | "allow_destructive_actions"
  | "vcs_and_ci_defaults"
  | "mfa_configuration"
  | "session_configuration"
  | "vcs_ci_deploy"
  | "deploy_gate"
  | "own";

export interface SettingRow<Value extends JsonValue = JsonValue, Fallback extends JsonValue = JsonValue> {
  readonly key: string;
  readonly kind: SettingKind<Value>;
  /** Null where an app's setting is absent by default, or falls back on the global one of the same meaning. */
  readonly fallback: Fallback;
  readonly group: SettingGroup;
  /** The permission that writing it needs. */
  readonly permission: Permission;
  readonly mfa: MfaLevel;
}

/** What a row holds, its fallback included. */
export type SettingValue<Row> = Row extends SettingRow<infer Value, infer Fallback> ? Value | Fallback : never;

function row<Value extends JsonValue, Fallback extends Value | null>(
  key: string,
  group: SettingGroup,
  kind: SettingKind<Value>,
  fallback: Fallback,
): SettingRow<Value, Fallback> {
  const hasOwn = group === "own" || group === "deploy_gate";
  const permission = hasOwn ? `gateway:setting:${key}` : `gateway:setting_group:${group}`;
  return { key, kind, fallback, group, permission, mfa: mfaLevel(permission) };
}

const NAMES_MAX = 200;
const ITEMS_MAX = 100;
const CONTROLS = /[\p{Cc}\p{Cs}]/u;

function within(max: number, value: string): string | null {
  if (CONTROLS.test(value)) return "it holds a control character";
  return Array.from(value).length > max ? `it has more than ${max} characters` : null;
}

function matching(pattern: RegExp, why: string): (value: string) => string | null {
  return (value) => (pattern.test(value) ? null : why);
}

const policyName = text(matching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, "it is not the name of a policy"));
const providers = {
  vcs: choice(["github", "bitbucket", "gitlab"]),
  ci: choice(["circleci", "github_actions", "gitlab", "buildkite", "webhook"]),
};
const window = count(1, 1_440);
const pendingTtl = count(5, 43_200);

/** A path below the root of a repository; `.` is the root itself. */
function pathFault(path: string): string | null {
  const inside = path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
  return inside && !path.includes("\\") ? within(1_024, path) : `'${path}' is not a relative path`;
}

const names = list({
  itemsMax: NAMES_MAX,
  fault: (name) => (/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(name) ? null : `'${name}' is not the name of a variable`),
});

/** One word of a shell without blanks and separators of lists. */
const buildArgument = /^[A-Za-z_][A-Za-z0-9_]*(?:=[^,]*)?$/;

export const globalSettingRows = {
  deployApprovalsEnabled: row("deploy_approvals_enabled", "deploy_approvals", flag(), true),
  windowMinutes: row("deploy_approval_window_minutes", "deploy_approvals", window, 15),
  pendingTtlMinutes: row("deploy_approval_pending_ttl_minutes", "deploy_approvals", pendingTtl, 1_440),
  maxExtensions: row("deploy_approval_max_extensions", "deploy_approvals", count(0, 20), 3),
  maxWindowMinutes: row("deploy_approval_max_window_minutes", "deploy_approvals", count(1, 10_080), 120),
  requiredFor: row(
    "deploy_approval_required_for",
    "deploy_approvals",
    choice(["gated", "tokens", "everyone"]),
    "gated",
  ),
  defaultPolicy: row("default_deploy_policy", "deploy_approvals", policyName, "deploy-default"),
  allowDestructiveActions: row("allow_destructive_actions", "allow_destructive_actions", flag(), false),
  defaultCiProvider: row("default_ci_provider", "vcs_and_ci_defaults", providers.ci, "circleci"),
  defaultVcsProvider: row("default_vcs_provider", "vcs_and_ci_defaults", providers.vcs, "github"),
  mfaRequireAllUsers: row("mfa_require_all_users", "mfa_configuration", flag(), true),
  mfaStepUpWindowMinutes: row("mfa_step_up_window_minutes", "mfa_configuration", count(1, 240), 10),
  mfaTrustedDeviceTtlDays: row("mfa_trusted_device_ttl_days", "mfa_configuration", count(1, 365), 30),
  sessionTimeoutMinutes: row("session_timeout_minutes", "session_configuration", count(1, 1_440), 60),
  cliSessionMaxDays: row("cli_session_max_days", "session_configuration", count(1, 90), 1),
  apiTokenMaxDays: row("api_token_max_days", "session_configuration", count(1, 365), 365),
} as const;

export const appSettingRows = {
  vcsProvider: row("vcs_provider", "vcs_ci_deploy", providers.vcs, null),
  ciProvider: row("ci_provider", "vcs_ci_deploy", providers.ci, null),
  vcsRepo: row("vcs_repo", "vcs_ci_deploy", text(repoFault), null),
  circleciApprovalJobName: row(
    "circleci_approval_job_name",
    "vcs_ci_deploy",
    text((name) => within(255, name)),
    "",
  ),
  circleciAutoApprove: row("circleci_auto_approve_on_approval", "vcs_ci_deploy", flag(), false),
  circleciCancelOnRejection: row("circleci_cancel_on_rejection", "vcs_ci_deploy", flag(), false),
  githubVerification: row("github_verification", "vcs_ci_deploy", flag(), true),
  githubPostPrComment: row("github_post_pr_comment", "vcs_ci_deploy", flag(), true),
  allowDeployFromDefaultBranch: row("allow_deploy_from_default_branch", "vcs_ci_deploy", flag(), false),
  defaultBranch: row("default_branch", "vcs_ci_deploy", text(branchFault), "main"),
  requirePrForBranch: row("require_pr_for_branch", "vcs_ci_deploy", flag(), true),
  verifyGitCommitMode: row("verify_git_commit_mode", "vcs_ci_deploy", choice(["latest", "branch"]), "latest"),
  approvedDeployCommands: row(
    "approved_deploy_commands",
    "own",
    list({
      itemsMax: ITEMS_MAX,
      fault: (command) => (command === "" ? "a command is empty" : within(500, command)),
      trim: true,
    }),
    null,
  ),
  serviceImagePatterns: row("service_image_patterns", "own", map({ itemsMax: ITEMS_MAX, fault: imageFault }), null),
  protectedEnvVars: row("protected_env_vars", "own", names, null),
  secretEnvVars: row("secret_env_vars", "own", names, null),
  deployPolicy: row("deploy_policy", "deploy_gate", policyName, null),
  windowMinutes: row("deploy_approval_window_minutes", "deploy_gate", window, null),
  pendingTtlMinutes: row("deploy_approval_pending_ttl_minutes", "deploy_gate", pendingTtl, null),
  supersedePending: row("supersede_pending", "deploy_gate", flag(), true),
  verifySource: row("verify_source", "deploy_gate", choice(["auto", "enforce", "warn", "off"]), "auto"),
  sourcePath: row(
    "source_path",
    "deploy_gate",
    text((path) => (path === "." ? null : pathFault(path))),
    ".",
  ),
  allowedUntrackedPaths: row(
    "allowed_untracked_paths",
    "deploy_gate",
    list({ itemsMax: ITEMS_MAX, fault: (glob) => (glob === "" ? "a glob is empty" : within(1_024, glob)) }),
    [],
  ),
  approvedManifests: row("approved_manifests", "deploy_gate", list({ itemsMax: ITEMS_MAX, fault: pathFault }), [
    "convox.yml",
  ]),
  approvedBuildArgs: row(
    "approved_build_args",
    "deploy_gate",
    list({
      itemsMax: ITEMS_MAX,
      fault: (arg) => (buildArgument.test(arg) ? within(1_000, arg) : `'${arg}' is neither NAME nor NAME=value`),
    }),
    [],
  ),
  maxBuildAttempts: row("max_build_attempts", "deploy_gate", count(1, 20), 5),
  imageRepositories: row(
    "image_repositories",
    "deploy_gate",
    list({
      itemsMax: ITEMS_MAX,
      fault: (name) =>
        /^[a-z0-9][a-z0-9._:-]*(?:\/[a-z0-9._-]+)*(?:\/\*)?$/.test(name) ? null : `'${name}' is not a repository`,
    }),
    null,
  ),
  imageDigestResolution: row("image_digest_resolution", "deploy_gate", choice(["off", "record", "enforce"]), "off"),
  requireImageDigest: row("require_image_digest", "deploy_gate", flag(), false),
  driftEnv: row("drift_env", "deploy_gate", choice(["record", "deny"]), "record"),
  driftBase: row("drift_base", "deploy_gate", choice(["record", "deny"]), "record"),
  githubEnvironment: row(
    "github_environment",
    "deploy_gate",
    text((name) => within(255, name)),
    null,
  ),
  githubActionsToken: row(
    "github_actions_token",
    "deploy_gate",
    text((name) => within(150, name)),
    null,
  ),
  ciWebhookUrl: row("ci_webhook_url", "deploy_gate", text(webhookFault), null),
} as const;

export type SettingLevel = "global" | "app";

export function settingRow(level: SettingLevel, key: string): SettingRow | undefined {
  return ROWS[level].get(key);
}

const ROWS: Readonly<Record<SettingLevel, ReadonlyMap<string, SettingRow>>> = {
  global: new Map(Object.values(globalSettingRows).map((one) => [one.key, one])),
  app: new Map(Object.values(appSettingRows).map((one) => [one.key, one])),
};

export interface SettingWrite {
  /** In canonical form, by key. */
  readonly values: JsonObject;
  /** The most that one of the keys asks for. */
  readonly mfa: MfaLevel;
}

/** One value, as PUT brings it or the database holds it: JSON in its canonical form, or the refusal (deploy R-SETTINGS-2). */
export function checkSetting(
  level: SettingLevel,
  key: string,
  json: JsonValue,
  patterns: PatternCheck,
): { readonly value: JsonValue } | DeployRefusal {
  const known = settingRow(level, key);
  if (known === undefined) return settingInvalid(`unknown setting key: ${key}`);
  const checked = known.kind.check(json, patterns);
  if (!isSettingFault(checked)) return checked;
  const isPattern = key === appSettingRows.serviceImagePatterns.key && checked.why.startsWith(PATTERN_FAULT);
  return settingInvalid(isPattern ? checked.why : `invalid value for ${key}: ${checked.why}`);
}

/** The body of a PUT on a group: all of it, or nothing. */
export function checkSettingGroup(
  level: SettingLevel,
  group: SettingGroup,
  body: JsonObject,
  patterns: PatternCheck,
): SettingWrite | DeployRefusal {
  const keys = Object.keys(body);
  if (keys.length === 0) return settingInvalid("no settings provided");
  const rows = rowsOf(level, group, keys);
  if (!isRows(rows)) return rows;
  const values: Record<string, JsonValue> = {};
  for (const [key, json] of Object.entries(body)) {
    const checked = checkSetting(level, key, json, patterns);
    if ("code" in checked) return checked;
    values[key] = checked.value;
  }
  return { values, mfa: strongest(rows.map(({ mfa }) => mfa)) };
}

/** The keys of a DELETE on a group: with them the values return to what environment and defaults say. */
export function checkSettingKeys(
  level: SettingLevel,
  group: SettingGroup,
  keys: readonly string[],
): { readonly mfa: MfaLevel } | DeployRefusal {
  if (keys.length === 0) return settingInvalid("at least one key is required");
  const rows = rowsOf(level, group, keys);
  return isRows(rows) ? { mfa: strongest(rows.map(({ mfa }) => mfa)) } : rows;
}

function rowsOf(
  level: SettingLevel,
  group: SettingGroup,
  keys: readonly string[],
): readonly SettingRow[] | DeployRefusal {
  const rows: SettingRow[] = [];
  for (const key of keys) {
    const known = settingRow(level, key);
    if (known === undefined) return settingInvalid(`unknown setting key: ${key}`);
    if (known.group !== group) return settingInvalid(`setting ${key} is not managed by this endpoint`);
    rows.push(known);
  }
  return rows;
}

function isRows(value: readonly SettingRow[] | DeployRefusal): value is readonly SettingRow[] {
  return Array.isArray(value);
}

function settingInvalid(message: string): DeployRefusal {
  return refuseDeploy("setting_invalid", message);
}

function repoFault(name: string): string | null {
  return /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/.test(name) ? within(255, name) : "it is not owner/repo";
}

function branchFault(name: string): string | null {
  return name === "" || /[\s~^:?*[\\]/.test(name) ? "it is not the name of a branch" : within(255, name);
}

const IMAGE_POSITION = /^(?:\*|[a-z0-9][a-z0-9-]{0,62}(?:\.initContainer)?|resources\.[a-z0-9][a-z0-9-]{0,62})$/;
const PATTERN_FAULT = "invalid image pattern for service ";

function imageFault(position: string, pattern: string, patterns: PatternCheck): string | null {
  if (!IMAGE_POSITION.test(position)) return `'${position}' is neither a service nor a resource`;
  const isFine = pattern !== "" && within(1_000, pattern) === null && patterns(pattern) === null;
  return isFine ? null : `${PATTERN_FAULT}${position}`;
}

function webhookFault(url: string): string | null {
  return /^https?:\/\/[^\s/?#@]+(?:[/?][^\s]*)?$/.test(url) ? within(2_048, url) : "it is not an http or https address";
}
