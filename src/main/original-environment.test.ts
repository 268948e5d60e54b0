import { describe, expect, it } from "vitest";
import { ConfigFault, loadConfig, type Environment } from "./config.ts";
import { readServerKey } from "./server-key.ts";
import { openDoors } from "./start-rules.ts";

function own(environment: Environment): ReturnType<typeof loadConfig>["config"]["countersign"] {
  return loadConfig(environment).config.countersign;
}

describe("variables of rack-gateway", () => {
  it("deploy R-SETTINGS-4: DOMAIN names the public address, our own name comes first", () => {
    expect(own({ DOMAIN: "gateway.example.com" }).public_url).toBe("https://gateway.example.com");
    expect(own({ DOMAIN: "localhost:8447" }).public_url).toBe("http://localhost:8447");
    const both = { DOMAIN: "old.example.com", COUNTERSIGN_PUBLIC_URL: "https://new.example.com" };
    expect(own(both).public_url).toBe("https://new.example.com");
    expect(own({}).public_url).toBe("");
  });

  it("deploy R-SETTINGS-4: GOOGLE_* set up one identity provider", () => {
    const google = { GOOGLE_CLIENT_ID: "id", GOOGLE_CLIENT_SECRET: "secret", GOOGLE_ALLOWED_DOMAIN: "example.com" };
    expect(own(google)).toMatchObject({
      ...{ oidc_issuer: "https://accounts.google.com", oidc_client_id: "id", oidc_client_secret: "secret" },
      oidc_domains: "example.com",
    });
    expect(own({ ...google, GOOGLE_OAUTH_BASE_URL: "https://idp.example.com" }).oidc_issuer).toBe(
      "https://idp.example.com",
    );
    expect(own({ GOOGLE_OAUTH_BASE_URL: "https://idp.example.com" }).oidc_issuer).toBe("");
  });

  it.each([
    [{ RGW_DATABASE_URL: "postgres://a/b", DATABASE_URL: "postgres://c/d" }, "database_url", "postgres://a/b"],
    [{ GATEWAY_DATABASE_URL: "postgres://a/b" }, "database_url", "postgres://a/b"],
    [{ LOG_LEVEL: "info" }, "log_level", "info"],
    [{ RGW_SETTING_API_TOKEN_MAX_DAYS: "30" }, "api_token_max_days", 30],
    [{ RGW_SETTING_CLI_SESSION_MAX_DAYS: "7" }, "cli_session_max_days", 7],
  ] as const)("deploy R-SETTINGS-4: %j is %s", (environment, key, value) => {
    expect(own(environment)[key]).toBe(value);
  });

  it.each(["E2E_TEST_MODE", "RESET_RACK_GATEWAY_DATABASE"])("deploy R-SETTINGS-4: %s stops the start", (name) => {
    expect(() => loadConfig({ [name]: "false" })).toThrow(ConfigFault);
    expect(() => loadConfig({ [name]: "true" })).toThrow(`${name} in the environment is not taken here: remove it.`);
    expect(() => loadConfig({ [name]: "" })).not.toThrow();
  });

  it.each([
    [{ PGHOST: "db.example.com" }, "postgres://postgres@db.example.com:5432/postgres"],
    [
      {
        PGHOST: "db",
        PGPORT: "6432",
        PGUSER: "app",
        PGPASSWORD: "p@ss word",
        PGDATABASE: "gate",
        PGSSLMODE: "require",
      },
      "postgres://app:p%40ss%20word@db:6432/gate?sslmode=require",
    ],
    [{ PGHOST: "/run/postgresql", PGUSER: "app" }, "postgres://app@/app?host=%2Frun%2Fpostgresql&port=5432"],
    [{ PGHOST: "db", DB_HOST: "own", DB_NAME: "x" }, "postgres://postgres@own:5432/x"],
    [{ PGHOST: "db", DATABASE_URL: "postgres://c/d" }, "postgres://c/d"],
    [{ PGUSER: "app", PGPASSWORD: "x" }, ""],
  ] as const)("deploy R-SETTINGS-4: PG* of %j name the database %s", (environment, url) => {
    expect(own(environment).database_url).toBe(url);
  });

  it("deploy R-SETTINGS-4: RATE_LIMIT_* bound the gate's API, whose usual bound is 50 a second and 200 at once", () => {
    expect(own({})).toMatchObject({ deploy_rate_per_second: 50, deploy_rate_burst: 200 });
    expect(own({ RATE_LIMIT_RPS: "5", RATE_LIMIT_BURST: "9" })).toMatchObject({
      ...{ deploy_rate_per_second: 5, deploy_rate_burst: 9 },
    });
    expect(() => loadConfig({ RATE_LIMIT_RPS: "many" })).toThrow("RATE_LIMIT_RPS");
  });

  const home = { COUNTERSIGN_PUBLIC_URL: "https://gate.example.com" };

  it.each([
    { ...home, WEBAUTHN_RP_ID: "old.example.com" },
    { ...home, WEBAUTHN_ORIGIN: "https://old.example.com" },
    { ...home, WEBAUTHN_ORIGIN: "http://gate.example.com" },
    { WEBAUTHN_RP_ID: "gate.example.com" },
    { COUNTERSIGN_PUBLIC_URL: "http://localhost:8000", COOKIE_SECURE: "true" },
  ])("deploy R-SETTINGS-4: what contradicts the public address stops the start: %j", (environment) => {
    expect(() => loadConfig(environment)).toThrow(ConfigFault);
    expect(() => loadConfig(environment)).toThrow(/^(?:WEBAUTHN_|COOKIE_SECURE)/);
  });

  it("deploy R-SETTINGS-4: what agrees with the public address is fine, and what has no use is told", () => {
    const said = (environment: Environment): string =>
      openDoors(loadConfig(environment).config, true, environment).join(" ");
    const agreeing = { WEBAUTHN_RP_ID: "gate.example.com", WEBAUTHN_ORIGIN: "https://gate.example.com" };
    expect(said({ ...home, ...agreeing, COOKIE_SECURE: "true" })).toBe("");
    expect(said({ ...home, COOKIE_SECURE: "false" })).toContain("COOKIE_SECURE=false");
    expect(said({ AUDIT_ANCHOR_BUCKET: "b", AUDIT_ANCHOR_REGION: "r" })).toContain(
      "AUDIT_ANCHOR_BUCKET, AUDIT_ANCHOR_REGION: no bucket",
    );
    expect(said({ WEBAUTHN_RP_DISPLAY_NAME: "Gate" })).toContain("WEBAUTHN_RP_DISPLAY_NAME");
    expect(said({})).toBe("");
  });

  it("deploy R-SETTINGS-4: APP_SECRET_KEY is the key that processes share, where no other is given", async () => {
    const key = async (environment: Environment): Promise<string> =>
      Buffer.from(await readServerKey(environment, "/nonexistent")).toString("base64");
    const secret = "0123456789abcdef0123456789abcdef";
    expect(await key({ APP_SECRET_KEY: secret })).toBe(await key({ APP_SECRET_KEY: secret }));
    expect(await key({ APP_SECRET_KEY: `${secret}!` })).not.toBe(await key({ APP_SECRET_KEY: secret }));
    const given = Buffer.alloc(32, 1).toString("base64");
    expect(await key({ APP_SECRET_KEY: secret, COUNTERSIGN_SERVER_KEY: given })).toBe(given);
    await expect(key({ APP_SECRET_KEY: "short" })).rejects.toMatchObject({ code: "server_key_invalid" });
  });
});
