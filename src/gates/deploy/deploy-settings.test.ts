import { describe, expect, it } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import {
  appSettingRows,
  checkSetting,
  checkSettingGroup,
  checkSettingKeys,
  globalSettingRows,
  settingRow,
  type SettingLevel,
} from "./deploy-settings.ts";

const patterns = (pattern: string): string | null => (pattern.includes("(") ? "missing )" : null);

function check(level: SettingLevel, key: string, json: JsonValue): unknown {
  const checked = checkSetting(level, key, json, patterns);
  return "code" in checked ? checked.message : checked.value;
}

/** docs/spec/deploy.md section 17, both tables: key, default, group. */
const GLOBAL = [
  ["deploy_approvals_enabled", true, "deploy_approvals"],
  ["deploy_approval_window_minutes", 15, "deploy_approvals"],
  ["deploy_approval_pending_ttl_minutes", 1_440, "deploy_approvals"],
  ["deploy_approval_max_extensions", 3, "deploy_approvals"],
  ["deploy_approval_max_window_minutes", 120, "deploy_approvals"],
  ["deploy_approval_required_for", "gated", "deploy_approvals"],
  ["default_deploy_policy", "deploy-default", "deploy_approvals"],
  ["allow_destructive_actions", false, "allow_destructive_actions"],
  ["default_ci_provider", "circleci", "vcs_and_ci_defaults"],
  ["default_vcs_provider", "github", "vcs_and_ci_defaults"],
  ["mfa_require_all_users", true, "mfa_configuration"],
  ["mfa_step_up_window_minutes", 10, "mfa_configuration"],
  ["mfa_trusted_device_ttl_days", 30, "mfa_configuration"],
  ["session_timeout_minutes", 60, "session_configuration"],
  ["cli_session_max_days", 1, "session_configuration"],
  ["api_token_max_days", 365, "session_configuration"],
] as const;

const APP = [
  ["vcs_provider", null, "vcs_ci_deploy"],
  ["ci_provider", null, "vcs_ci_deploy"],
  ["vcs_repo", null, "vcs_ci_deploy"],
  ["circleci_approval_job_name", "", "vcs_ci_deploy"],
  ["circleci_auto_approve_on_approval", false, "vcs_ci_deploy"],
  ["circleci_cancel_on_rejection", false, "vcs_ci_deploy"],
  ["github_verification", true, "vcs_ci_deploy"],
  ["github_post_pr_comment", true, "vcs_ci_deploy"],
  ["allow_deploy_from_default_branch", false, "vcs_ci_deploy"],
  ["default_branch", "main", "vcs_ci_deploy"],
  ["require_pr_for_branch", true, "vcs_ci_deploy"],
  ["verify_git_commit_mode", "latest", "vcs_ci_deploy"],
  ["approved_deploy_commands", null, "own"],
  ["service_image_patterns", null, "own"],
  ["protected_env_vars", null, "own"],
  ["secret_env_vars", null, "own"],
  ["deploy_policy", null, "deploy_gate"],
  ["deploy_approval_window_minutes", null, "deploy_gate"],
  ["deploy_approval_pending_ttl_minutes", null, "deploy_gate"],
  ["supersede_pending", true, "deploy_gate"],
  ["verify_source", "auto", "deploy_gate"],
  ["source_path", ".", "deploy_gate"],
  ["allowed_untracked_paths", [], "deploy_gate"],
  ["approved_manifests", ["convox.yml"], "deploy_gate"],
  ["approved_build_args", [], "deploy_gate"],
  ["max_build_attempts", 5, "deploy_gate"],
  ["image_repositories", null, "deploy_gate"],
  ["image_digest_resolution", "off", "deploy_gate"],
  ["require_image_digest", false, "deploy_gate"],
  ["drift_env", "record", "deploy_gate"],
  ["drift_base", "record", "deploy_gate"],
  ["github_environment", null, "deploy_gate"],
  ["github_actions_token", null, "deploy_gate"],
  ["ci_webhook_url", null, "deploy_gate"],
] as const;

describe("the settings", () => {
  it("deploy R-SETTINGS-1: are those of the two tables, with their defaults and groups", () => {
    const rows = (all: Record<string, { key: string; fallback: unknown; group: string }>): unknown =>
      Object.values(all).map(({ key, fallback, group }) => [key, fallback, group]);
    expect(rows(globalSettingRows)).toEqual(GLOBAL);
    expect(rows(appSettingRows)).toEqual(APP);
  });

  it("deploy R-SETTINGS-2: every default is a value that a PUT would take", () => {
    for (const [key, fallback] of GLOBAL) expect(check("global", key, fallback)).toEqual(fallback);
    for (const [key, fallback] of APP.filter(([, value]) => value !== null)) {
      expect(check("app", key, fallback)).toEqual(fallback);
    }
  });

  it("deploy R-SETTINGS-2: null is no value of any setting; deleting is", () => {
    for (const [key] of GLOBAL) expect(check("global", key, null)).toMatch(`invalid value for ${key}: `);
    for (const [key] of APP) expect(check("app", key, null)).toMatch(`invalid value for ${key}: `);
  });

  const always = new Set([
    ...["approved_deploy_commands", "service_image_patterns", "image_repositories", "approved_build_args"],
    ...["verify_source", "deploy_policy", "allow_destructive_actions"],
  ]);

  it("deploy R-MFA-1: what weakens the gate asks for a factor in the call", () => {
    const strong = new Set(["deploy_approvals", "allow_destructive_actions", "mfa_configuration", "vcs_ci_deploy"]);
    for (const { key, group, mfa, permission } of [
      ...Object.values(globalSettingRows),
      ...Object.values(appSettingRows),
    ]) {
      expect(mfa, key).toBe(always.has(key) || strong.has(group) ? "always" : "step_up");
      const isOwn = group === "own" || group === "deploy_gate";
      expect(permission).toBe(isOwn ? `gateway:setting:${key}` : `gateway:setting_group:${group}`);
    }
  });
});

describe("values", () => {
  it.each<[SettingLevel, string, number, number]>([
    ["global", "deploy_approval_window_minutes", 1, 1_440],
    ["global", "deploy_approval_pending_ttl_minutes", 5, 43_200],
    ["global", "deploy_approval_max_extensions", 0, 20],
    ["global", "deploy_approval_max_window_minutes", 1, 10_080],
    ["global", "mfa_step_up_window_minutes", 1, 240],
    ["global", "mfa_trusted_device_ttl_days", 1, 365],
    ["global", "session_timeout_minutes", 1, 1_440],
    ["global", "cli_session_max_days", 1, 90],
    ["global", "api_token_max_days", 1, 365],
    ["app", "deploy_approval_window_minutes", 1, 1_440],
    ["app", "deploy_approval_pending_ttl_minutes", 5, 43_200],
  ])("deploy R-SETTINGS-2: %s %s is a whole number from %s to %s", (level, key, min, max) => {
    expect(check(level, key, min)).toBe(min);
    expect(check(level, key, max)).toBe(max);
    const why = `invalid value for ${key}: it is not a whole number from ${min} to ${max}`;
    for (const wrong of [min - 1, max + 1, min + 0.5, String(min), true, [min]]) {
      expect(check(level, key, wrong)).toBe(why);
    }
  });

  it.each<[SettingLevel, string, JsonValue]>([
    ["global", "deploy_approvals_enabled", "true"],
    ["global", "deploy_approvals_enabled", 1],
    ["global", "deploy_approval_required_for", "nobody"],
    ["global", "default_deploy_policy", ""],
    ["global", "default_deploy_policy", "a b"],
    ["global", "default_ci_provider", "jenkins"],
    ["global", "default_vcs_provider", "GitHub"],
    ["app", "vcs_repo", "shop"],
    ["app", "vcs_repo", "a/b/c"],
    ["app", "vcs_repo", "a/b\n"],
    ["app", "vcs_repo", 5],
    ["app", "circleci_approval_job_name", "a\u0000"],
    ["app", "circleci_approval_job_name", "a".repeat(256)],
    ["app", "default_branch", ""],
    ["app", "default_branch", "a b"],
    ["app", "verify_git_commit_mode", "any"],
    ["app", "approved_deploy_commands", {}],
    ["app", "approved_deploy_commands", "rake"],
    ["app", "approved_deploy_commands", [5]],
    ["app", "approved_deploy_commands", [" "]],
    ["app", "approved_deploy_commands", ["a\nb"]],
    ["app", "approved_deploy_commands", ["a".repeat(501)]],
    ["app", "approved_deploy_commands", ["a", " a"]],
    ["app", "approved_deploy_commands", Array.from({ length: 101 }, (_, index) => `c${index}`)],
    ["app", "protected_env_vars", ["A-B"]],
    ["app", "service_image_patterns", []],
    ["app", "service_image_patterns", { web: 5 }],
    ["app", "service_image_patterns", { "a b": ".*" }],
    [
      "app",
      "service_image_patterns",
      Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`s${index}`, "x"])),
    ],
    ["app", "source_path", "/a"],
    ["app", "source_path", "a/../b"],
    ["app", "source_path", ""],
    ["app", "allowed_untracked_paths", [""]],
    ["app", "approved_manifests", ["../convox.yml"]],
    ["app", "approved_manifests", ["a\\b"]],
    ["app", "approved_build_args", ["A B"]],
    ["app", "approved_build_args", ["A=1,B=2"]],
    ["app", "max_build_attempts", 0],
    ["app", "image_repositories", ["Docker.io/x"]],
    ["app", "image_repositories", ["a/*/b"]],
    ["app", "ci_webhook_url", "ftp://x"],
    ["app", "ci_webhook_url", "https://user:pass@x"],
    ["app", "ci_webhook_url", "javascript:alert(1)"],
  ])("deploy R-SETTINGS-2: %s %s is not %j", (level, key, wrong) => {
    expect(check(level, key, wrong)).toMatch(new RegExp(`^invalid value for ${key}: \\S`));
  });

  it.each<[SettingLevel, string, JsonValue]>([
    ["app", "vcs_repo", "My.Org_1/my-app"],
    ["app", "default_branch", "release/1.x"],
    ["app", "circleci_approval_job_name", "123"],
    ["app", "approved_deploy_commands", ["a".repeat(500)]],
    ["app", "secret_env_vars", ["A", "_b9"]],
    ["app", "service_image_patterns", { "*": ".*", web: "x", "web.initContainer": "x", "resources.db": "x" }],
    ["app", "source_path", "services/shop"],
    ["app", "allowed_untracked_paths", ["dist/**"]],
    ["app", "approved_build_args", ["NODE_ENV=production", "DEBUG", "A="]],
    ["app", "image_repositories", ["registry.example.com:5000/shop/*", "docker.io/library/redis"]],
    ["app", "ci_webhook_url", "https://ci.example.com:8443/hook?x=1"],
  ])("deploy R-SETTINGS-2: %s %s may be %j", (level, key, value) => {
    expect(check(level, key, value)).toEqual(value);
  });

  it("deploy R-ALLOW-1: commands are kept trimmed", () => {
    expect(check("app", "approved_deploy_commands", [" rake db:migrate "])).toEqual(["rake db:migrate"]);
  });

  it("deploy R-IMAGE-2: a pattern that does not compile names its service", () => {
    expect(check("app", "service_image_patterns", { web: "(" })).toBe("invalid image pattern for service web");
    expect(check("app", "service_image_patterns", { "*": "" })).toBe("invalid image pattern for service *");
    expect(check("app", "service_image_patterns", { web: "a".repeat(1_001) })).toBe(
      "invalid image pattern for service web",
    );
  });

  it("deploy R-SETTINGS-2: an unknown key is one, also where every object has it", () => {
    expect(check("global", "vcs_repo", "a/b")).toBe("unknown setting key: vcs_repo");
    expect(check("app", "constructor", true)).toBe("unknown setting key: constructor");
    expect(settingRow("app", "toString")).toBeUndefined();
  });
});

describe("groups", () => {
  function group(body: Record<string, JsonValue>): unknown {
    const write = checkSettingGroup("app", "deploy_gate", body, patterns);
    return "code" in write ? write.message : write.mfa;
  }

  it("deploy R-SETTINGS-2: are written whole, by the strongest of their keys", () => {
    expect(group({ supersede_pending: false })).toBe("step_up");
    expect(group({ supersede_pending: false, verify_source: "off" })).toBe("always");
    const write = checkSettingGroup("app", "deploy_gate", { drift_env: "deny" }, patterns);
    expect(write).toEqual({ values: { drift_env: "deny" }, mfa: "step_up" });
  });

  it.each([
    [{}, "no settings provided"],
    [{ nope: 1 }, "unknown setting key: nope"],
    [{ vcs_repo: "a/b" }, "setting vcs_repo is not managed by this endpoint"],
    [{ approved_deploy_commands: [] }, "setting approved_deploy_commands is not managed by this endpoint"],
    [{ drift_env: "deny", drift_base: "no" }, "invalid value for drift_base: it is none of record, deny"],
  ])("deploy R-SETTINGS-2: %j: %s", (body, expected) => {
    expect(group(body)).toBe(expected);
  });

  it("deploy R-SETTINGS-2: keys to delete are checked the same way", () => {
    const told = (keys: readonly string[]): unknown => {
      const checked = checkSettingKeys("app", "deploy_gate", keys);
      return "code" in checked ? checked.message : checked.mfa;
    };
    expect(told([])).toBe("at least one key is required");
    expect(told(["nope"])).toBe("unknown setting key: nope");
    expect(told(["vcs_repo"])).toBe("setting vcs_repo is not managed by this endpoint");
    expect(told(["drift_env"])).toBe("step_up");
    expect(told(["drift_env", "deploy_policy"])).toBe("always");
  });

  it("deploy R-SETTINGS-2: what is written is what was checked, trimmed as the check trims", () => {
    const write = checkSettingGroup("app", "own", { approved_deploy_commands: [" a "] }, patterns);
    expect("code" in write ? {} : write.values).toEqual({ approved_deploy_commands: ["a"] });
  });
});
