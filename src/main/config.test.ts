import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ConfigFault, loadConfig, type Environment, type LoadedConfig } from "./config.ts";
import { isMailSent } from "./mail-transport.ts";
import { packageRoot } from "./package-root.ts";

const directory = mkdtempSync(join(tmpdir(), "countersign-config-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

let files = 0;
function file(text: string): string {
  files += 1;
  const path = join(directory, `${String(files)}.yaml`);
  writeFileSync(path, text);
  return path;
}

function settingOf({ settings }: LoadedConfig, key: string): { value: unknown; source: string } {
  const found = settings.find((setting) => setting.key === key);
  if (found === undefined) throw new Error(`no setting ${key}`);
  return { value: found.value, source: found.source };
}

function problemsOf(environment: Environment, flags: Readonly<Record<string, unknown>> = {}): readonly string[] {
  try {
    loadConfig(environment, flags);
    return [];
  } catch (error) {
    if (error instanceof ConfigFault) return error.problems;
    throw error;
  }
}

describe("configuration: where a setting comes from", () => {
  it("the command line beats the environment, the environment the file, the file the default", () => {
    const CONFIG_PATH = file("awe:\n  sla:\n    check_interval_seconds: 20\ncountersign:\n  port: 1\n");
    const key = "awe.sla.check_interval_seconds";
    expect(settingOf(loadConfig({}), key)).toEqual({ value: 300, source: "default" });
    expect(settingOf(loadConfig({ CONFIG_PATH }), key)).toEqual({ value: 20, source: `${CONFIG_PATH} line 3` });
    const environment = { CONFIG_PATH, AWE__SLA__CHECK_INTERVAL_SECONDS: "30", PORT: "2" };
    expect(settingOf(loadConfig(environment), key)).toEqual({ value: 30, source: "AWE__SLA__CHECK_INTERVAL_SECONDS" });
    expect(settingOf(loadConfig(environment), "countersign.port")).toEqual({ value: 2, source: "PORT" });
    const flagged = loadConfig(environment, { "countersign.port": 3, "countersign.host": undefined });
    expect(settingOf(flagged, "countersign.port")).toEqual({ value: 3, source: "the command line" });
    expect(settingOf(flagged, "countersign.host").source).toBe("default");
  });

  it.each<[Environment, string, unknown]>([
    [{ AWE_PORT: "8010", PORT: "8020" }, "countersign.port", 8010],
    [{ COUNTERSIGN_PORT: "8005", AWE_PORT: "8010" }, "countersign.port", 8005],
    [{ AWE_HOST: "::1" }, "countersign.host", "::1"],
    [{ COUNTERSIGN_DATA_DIR: "/var/data" }, "countersign.data_dir", "/var/data"],
    [{ GIT_COMMIT: "1234567" }, "countersign.git_commit", "1234567"],
    [{ BUILD_TIME: "2026" }, "countersign.build_time", "2026"],
    [{ AWE__API_VERSION: "2.0" }, "awe.api_version", "2.0"],
    [{ AWE__KEYCLOAK__ROLE_CLIENTS: '["a","b"]' }, "awe.keycloak.role_clients", ["a", "b"]],
    [{ AWE__WEBHOOK__BACKOFF_SECONDS: "[1, 2]" }, "awe.webhook.backoff_seconds", [1, 2]],
    [{ AWE__AUTH__MACHINE_CLAIMS: '{"typ":["bot"]}' }, "awe.auth.machine_claims", { typ: ["bot"] }],
    [{ AWE__REQUESTS__ENFORCE_ARTIFACT_TYPE: "false" }, "awe.requests.enforce_artifact_type", false],
    [{ AWE__ACCESS__READ_SCOPE: "authenticated" }, "awe.access.read_scope", "authenticated"],
    [{ PORT: "" }, "countersign.port", 8000],
  ])("%j sets %s to %j", (environment, key, value) => {
    expect(settingOf(loadConfig(environment), key).value).toEqual(value);
  });

  it("a database is named by its URL or by its parts", () => {
    const parts = { DB_HOST: "db.test", DB_NAME: "awe", DB_USER: "a b", DB_PASSWORD: "p@ss" };
    expect(loadConfig(parts).config.countersign.database_url).toBe("postgres://a%20b:p%40ss@db.test:5432/awe");
    const url = "postgresql+asyncpg://u@h/d";
    expect(loadConfig({ ...parts, DATABASE_URL: url }).config.countersign.database_url).toBe(url);
  });

  it("secrets are never shown", () => {
    const secrets = {
      DATABASE_URL: "postgres://u:hunter2@h/d",
      AWE__KEYCLOAK__ADMIN_CLIENT_SECRET: "hunter2",
      AWE__NOTIFIER__SMTP_PASSWORD: "hunter2",
    };
    const { settings } = loadConfig(secrets);
    expect(JSON.stringify(settings)).not.toContain("hunter2");
    expect(settings.filter(({ value }) => value === "********")).toHaveLength(3);
  });

  it("an empty section, an empty file and no file mean the defaults", () => {
    const defaults = loadConfig({}).config;
    expect(loadConfig({ CONFIG_PATH: file("") }).config).toEqual(defaults);
    expect(loadConfig({ CONFIG_PATH: file("awe:\n  webhook:\n") }).config).toEqual(defaults);
  });
});

it("the guide names every setting", () => {
  const guide = readFileSync(join(packageRoot(), "docs", "guide", "configuration.md"), "utf8");
  const { settings } = loadConfig({});
  expect(settings.map(({ key }) => key).filter((key) => !guide.includes(`\`${key}\``))).toEqual([]);
});

it("deploy R-MAIL-1, R-SETTINGS-4: rack-gateway's variables of Postmark set mail up, and the token is masked", () => {
  const environment = { POSTMARK_API_TOKEN: "t", POSTMARK_FROM: "gate@example.com", POSTMARK_STREAM: "deploys" };
  const loaded = loadConfig(environment);
  const { notifier } = loaded.config.awe;
  expect([isMailSent(loaded.config), notifier.from_address, notifier.postmark_stream]).toEqual([
    ...[true, "gate@example.com", "deploys"],
  ]);
  expect(settingOf(loaded, "awe.notifier.postmark_token")).toEqual({ value: "********", source: "POSTMARK_API_TOKEN" });
  expect(isMailSent(loadConfig({}).config)).toBe(false);
});

describe("configuration: what cannot be understood stops the start, with the setting and where it was found", () => {
  it.each<[string, Environment, string, string]>([
    ["a name that is no setting", { AWE__SLA__CHEK: "1" }, "AWE__SLA__CHEK", "no setting"],
    ["a name of ours that is no setting", { COUNTERSIGN_PROT: "1" }, "COUNTERSIGN_PROT", "no setting"],
    ["a number that is none", { PORT: "eighty" }, "countersign.port (PORT)", "number"],
    ["a number out of bounds", { AWE__WEBHOOK__TIMEOUT_SECONDS: "61" }, "awe.webhook.timeout_seconds", "60"],
    ["a fraction", { AWE__WEBHOOK__TIMEOUT_SECONDS: "1.5" }, "AWE__WEBHOOK__TIMEOUT_SECONDS", "int"],
    ["a word that is not offered", { AWE__ACCESS__READ_SCOPE: "all" }, "awe.access.read_scope", "participants"],
    ["an algorithm with a shared key", { AWE__KEYCLOAK__ALGORITHMS: '["HS256"]' }, "awe.keycloak.algorithms", "RS256"],
    ["a list that is none", { AWE__KEYCLOAK__ROLE_CLIENTS: "a,b" }, "awe.keycloak.role_clients", "array"],
    ["a flag that is none", { AWE__REQUESTS__ENFORCE_ARTIFACT_TYPE: "yes" }, "enforce_artifact_type", "boolean"],
    ["an address that is none", { COUNTERSIGN_PUBLIC_URL: "approvals" }, "countersign.public_url", "https://"],
    ["mail without a server", { AWE__NOTIFIER__ENABLED: "true" }, "awe.notifier.smtp_host", "it is needed"],
    ["a flag for mail that is none", { AWE__NOTIFIER__ENABLED: "on" }, "awe.notifier.enabled", "boolean"],
    [
      "lookups, which are not built",
      { AWE__KEYCLOAK__BASE_URL: "https://k" },
      "keycloak.base_url",
      "not available in this version",
    ],
    ["a file that is not there", { CONFIG_PATH: "/nowhere.yaml" }, "CONFIG_PATH", "does not exist"],
  ])("%s", (_what, environment, setting, reason) => {
    const problems = problemsOf(environment);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(setting);
    expect(problems[0]).toContain(reason);
  });

  it.each([
    ["awe:\n  slas:\n    x: 1\n", "awe.slas", "line 2"],
    ["awe:\n  sla:\n    check: 1\n", "awe.sla.check", "line 3"],
    ["awe:\n  sla:\n    check_interval_seconds: often\n", "awe.sla.check_interval_seconds", "line 3"],
    ["awe:\n  sla: 300\n", "awe.sla", "line 2"],
    ["other:\n  a: 1\n", "other", "line 1"],
    ["- a\n", "must hold a map", ".yaml"],
    ["awe: [\n", "is not YAML", ".yaml"],
    ["awe:\n  module: a\n  module: b\n", "is not YAML", ".yaml"],
  ])("the file %j", (text, setting, place) => {
    const problems = problemsOf({ CONFIG_PATH: file(text) });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(setting);
    expect(problems[0]).toContain(place);
  });

  it("every problem is told at once", () => {
    expect(problemsOf({ PORT: "x", AWE_HOST: "h", AWE__X: "1", AWE__SLA__CHECK_INTERVAL_SECONDS: "1" })).toHaveLength(
      3,
    );
  });
});
