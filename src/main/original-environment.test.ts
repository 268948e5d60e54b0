import { describe, expect, it } from "vitest";
import { ConfigFault, loadConfig, type Environment } from "./config.ts";

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
});
