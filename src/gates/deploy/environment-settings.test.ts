import { describe, expect, it } from "vitest";
import { appSettingRows, globalSettingRows } from "./deploy-settings.ts";
import { parseEnvironmentSettings, settingVariable } from "./environment-settings.ts";

const patterns = (pattern: string): string | null => (pattern.includes("(") ? "missing )" : null);

function parse(variables: Record<string, string | undefined>, scopes: readonly string[] = ["production", "staging"]) {
  return parseEnvironmentSettings({ variables, scopes, patterns });
}

function valueOf(name: string, text: string): unknown {
  const { settings, faults } = parse({ [name]: text });
  return faults[0] ?? settings[0]?.value;
}

describe("settings from the environment", () => {
  it("deploy R-SETTINGS-1: global ones, those of an app, and either for one rack", () => {
    const { settings, faults } = parse({
      RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES: "20",
      RGW_APP_MY_APP_SETTING_VCS_REPO: "MyOrg/myapp",
      RGW_RACK_STAGING_SETTING_DEPLOY_APPROVALS_ENABLED: "no",
      RGW_RACK_STAGING_APP_MY_APP_SETTING_GITHUB_VERIFICATION: "off",
      RGW_DATABASE_URL: "postgres://x",
      PATH: "/bin",
      RGW_SETTING_X: undefined,
    });
    expect(faults).toEqual([]);
    expect(settings.map(({ scope, app, key, value }) => [scope, app, key, value])).toEqual([
      [null, null, "deploy_approval_window_minutes", 20],
      [null, "my-app", "vcs_repo", "MyOrg/myapp"],
      ["staging", null, "deploy_approvals_enabled", false],
      ["staging", "my-app", "github_verification", false],
    ]);
  });

  it("deploy R-SETTINGS-1: every setting has its variable, and every variable its setting", () => {
    for (const { key } of Object.values(globalSettingRows)) {
      const name = settingVariable(key, null);
      expect(valueOf(name, "\u0000")).toContain(name);
      expect(valueOf(name, "\u0000")).not.toContain("names no setting");
    }
    for (const { key } of Object.values(appSettingRows)) {
      const name = settingVariable(key, "my-app");
      expect(name).toMatch(/^RGW_APP_MY_APP_SETTING_[A-Z_]+$/);
      expect(String(valueOf(name, "{"))).not.toContain("names no setting");
    }
  });

  it.each([
    ...["RGW_SETTING_X", "RGW_SETTING_", "RGW_SETTING_VCS_REPO", "RGW_SETTING_deploy_approvals_enabled"],
    ...[
      "RGW_APP_SHOP_SETTING_X",
      "RGW_APP_SHOP_VCS_REPO",
      "RGW_APP__SETTING_VCS_REPO",
      "RGW_APP_SHOP__SETTING_VCS_REPO",
    ],
    ...["RGW_APP_SHOP_SETTING_DEPLOY_APPROVALS_ENABLED", "RGW_RACK_OTHER_SETTING_DEPLOY_APPROVALS_ENABLED"],
    ...["RGW_RACK_STAGING_X", "RGW_APP_shop_SETTING_VCS_REPO", "RGW_RACK_STAGING_SETTING_X"],
  ])("deploy R-SETTINGS-1: %s stops the start", (name) => {
    expect(parse({ [name]: "true" })).toEqual({
      settings: [],
      faults: [`${name} names no setting of a configured rack: correct or remove it.`],
    });
  });

  it.each([
    ["true", true],
    ["1", true],
    ["YES", true],
    [" on ", true],
    ["false", false],
    ["0", false],
    ["No", false],
    ["OFF", false],
  ])("deploy R-SETTINGS-1: the boolean %j is %s", (text, value) => {
    expect(valueOf("RGW_SETTING_DEPLOY_APPROVALS_ENABLED", text)).toBe(value);
  });

  it.each([
    ["RGW_SETTING_DEPLOY_APPROVALS_ENABLED", "maybe"],
    ["RGW_SETTING_DEPLOY_APPROVALS_ENABLED", ""],
    ["RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES", "1.5"],
    ["RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES", "0x10"],
    ["RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES", "-5"],
    ["RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES", "0"],
    ["RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES", "1441"],
    ["RGW_SETTING_DEPLOY_APPROVAL_REQUIRED_FOR", "nobody"],
    ["RGW_APP_A_SETTING_VCS_REPO", ""],
    ["RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS", "[1]"],
    ["RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS", "[broken"],
    ["RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS", "a,,b"],
    ["RGW_APP_A_SETTING_SERVICE_IMAGE_PATTERNS", "web=.*"],
    ["RGW_APP_A_SETTING_SERVICE_IMAGE_PATTERNS", "[]"],
    ["RGW_APP_A_SETTING_SERVICE_IMAGE_PATTERNS", "null"],
    ["RGW_APP_A_SETTING_SERVICE_IMAGE_PATTERNS", '{"web":"("}'],
  ])("deploy R-SETTINGS-1: %s=%j stops the start", (name, text) => {
    expect(valueOf(name, text)).toMatch(new RegExp(`^${name} has an invalid value: \\S.*\\.$`));
  });

  it("deploy R-SETTINGS-1: texts stay texts, lists are JSON or words between commas, maps are JSON", () => {
    expect(valueOf("RGW_APP_A_SETTING_CIRCLECI_APPROVAL_JOB_NAME", "123")).toBe("123");
    expect(valueOf("RGW_APP_A_SETTING_CIRCLECI_APPROVAL_JOB_NAME", "true")).toBe("true");
    expect(valueOf("RGW_APP_A_SETTING_CIRCLECI_APPROVAL_JOB_NAME", "")).toBe("");
    expect(valueOf("RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS", "rake a , rake b")).toEqual(["rake a", "rake b"]);
    expect(valueOf("RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS", '["rake a, b"]')).toEqual(["rake a, b"]);
    expect(valueOf("RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS", "  ")).toEqual([]);
    expect(valueOf("RGW_APP_A_SETTING_SERVICE_IMAGE_PATTERNS", '{"web":".*"}')).toEqual({ web: ".*" });
  });

  it("deploy R-SETTINGS-1: an app may be called like the words between", () => {
    const { settings } = parse({ RGW_APP_A_SETTING_B_SETTING_VCS_REPO: "a/b" });
    expect(settings).toMatchObject([{ app: "a-setting-b", key: "vcs_repo" }]);
  });

  it("deploy R-SETTINGS-1: what can be read in two ways stops the start", () => {
    const name = "RGW_RACK_EU_APP_X_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES";
    expect(parse({ [name]: "5" }, ["eu"]).settings).toMatchObject([{ scope: "eu", app: "x" }]);
    expect(parse({ [name]: "5" }, ["eu", "eu-app-x"]).faults[0]).toContain("can be read in two ways");
  });
});
