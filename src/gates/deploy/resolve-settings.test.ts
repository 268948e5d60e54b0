import { describe, expect, it } from "vitest";
import { appSettingRows, globalSettingRows } from "./deploy-settings.ts";
import { parseEnvironmentSettings } from "./environment-settings.ts";
import { resolveAppSettings, resolveGlobalSettings, type SettingLayers } from "./resolve-settings.ts";

const patterns = (): null => null;
const none: SettingLayers = { scope: "production", stored: {}, environment: [], patterns };

function environment(variables: Record<string, string>): SettingLayers {
  const { settings, faults } = parseEnvironmentSettings({ variables, scopes: ["production", "staging"], patterns });
  expect(faults).toEqual([]);
  return { ...none, environment: settings };
}

describe("the value of a setting", () => {
  it("deploy R-SETTINGS-1: is the default where nobody says anything, for every setting", () => {
    const global = resolveGlobalSettings(none);
    const expected = Object.entries(globalSettingRows).map(([name, { key, fallback }]) => [
      name,
      { value: fallback, source: "default", envVar: `RGW_SETTING_${key.toUpperCase()}` },
    ]);
    expect(Object.entries(global)).toEqual(expected);
    const app = resolveAppSettings("my-app", none, global);
    expect(Object.keys(app)).toEqual(Object.keys(appSettingRows));
    for (const [name, { key, fallback }] of Object.entries(appSettingRows)) {
      const found = new Map<string, unknown>(Object.entries(app)).get(name);
      const envVar = `RGW_APP_MY_APP_SETTING_${key.toUpperCase()}`;
      expect(found).toMatchObject({ envVar });
      if (fallback !== null) expect(found).toEqual({ value: fallback, source: "default", envVar });
    }
  });

  it("deploy R-SETTINGS-1: comes from the database before the environment, and from that before the default", () => {
    const layers = environment({ RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES: "20" });
    const envVar = "RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES";
    expect(resolveGlobalSettings(layers).windowMinutes).toEqual({ value: 20, source: "env", envVar });
    const stored = { ...layers, stored: { deploy_approval_window_minutes: 30 } };
    expect(resolveGlobalSettings(stored).windowMinutes).toEqual({ value: 30, source: "db", envVar });
  });

  it("deploy R-SETTINGS-1: a variable for this rack counts before one for all, and one for another not at all", () => {
    const layers = environment({
      RGW_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES: "20",
      RGW_RACK_PRODUCTION_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES: "25",
      RGW_RACK_STAGING_SETTING_DEPLOY_APPROVAL_MAX_EXTENSIONS: "9",
    });
    const global = resolveGlobalSettings(layers);
    expect(global.windowMinutes).toMatchObject({
      value: 25,
      envVar: "RGW_RACK_PRODUCTION_SETTING_DEPLOY_APPROVAL_WINDOW_MINUTES",
    });
    expect(global.maxExtensions).toMatchObject({ value: 3, source: "default" });
    expect(resolveGlobalSettings({ ...layers, scope: "staging" }).windowMinutes.value).toBe(20);
  });

  it("deploy R-SETTINGS-1: an app's variables are its own", () => {
    const layers = environment({ RGW_APP_MY_APP_SETTING_VCS_REPO: "a/b" });
    const global = resolveGlobalSettings(layers);
    expect(resolveAppSettings("my-app", layers, global).vcsRepo).toMatchObject({ value: "a/b", source: "env" });
    expect(resolveAppSettings("my", layers, global).vcsRepo).toMatchObject({ value: null, source: "default" });
  });

  it("deploy R-SETTINGS-1: what an app leaves open the global setting says", () => {
    const stored = {
      default_vcs_provider: "gitlab",
      default_ci_provider: "buildkite",
      default_deploy_policy: "strict",
      deploy_approval_window_minutes: 5,
      deploy_approval_pending_ttl_minutes: 60,
    };
    const global = resolveGlobalSettings({ ...none, stored });
    const open = resolveAppSettings("a", none, global);
    const inherited = [
      open.vcsProvider,
      open.ciProvider,
      open.deployPolicy,
      open.windowMinutes,
      open.pendingTtlMinutes,
    ];
    expect(inherited.map(({ value }) => value)).toEqual(["gitlab", "buildkite", "strict", 5, 60]);
    expect(inherited.every(({ source }) => source === "global_default")).toBe(true);
    const own = resolveAppSettings("a", { ...none, stored: { deploy_policy: "two-eyes" } }, global);
    expect(own.deployPolicy).toMatchObject({ value: "two-eyes", source: "db" });
  });

  it("deploy R-SETTINGS-1: a stored value that is none any more yields the default, not the environment's", () => {
    const layers = environment({ RGW_APP_A_SETTING_APPROVED_DEPLOY_COMMANDS: "rake" });
    const stored = { ...layers, stored: { approved_deploy_commands: { 0: "sh" } } };
    const settings = resolveAppSettings("a", stored, resolveGlobalSettings(layers));
    expect(settings.approvedDeployCommands).toMatchObject({ value: null, source: "default" });
  });
});
