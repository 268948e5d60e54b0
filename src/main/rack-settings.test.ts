import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import type { RackSettings } from "../adapters/convox/rack-settings.ts";
import { ConfigFault, loadConfig, type Environment } from "./config.ts";
import { rackSettings } from "./rack-settings.ts";

const directory = mkdtempSync(join(tmpdir(), "countersign-racks-"));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const SECRET = "s3cret-of-the-rack";
const TOKENS = { STAGING_TOKEN: SECRET, RACK_TOKEN: SECRET };

function racksOf(environment: Environment): readonly RackSettings[] {
  return rackSettings(loadConfig(environment).config, environment);
}

function several(racks: readonly Readonly<Record<string, unknown>>[], environment: Environment = {}): Environment {
  return { STAGING_TOKEN: SECRET, COUNTERSIGN_RACKS: JSON.stringify(racks), ...environment };
}

function problemsOf(environment: Environment): readonly string[] {
  try {
    racksOf(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigFault) return error.problems;
    throw error;
  }
}

const STAGING = { name: "staging", host: "https://rack.example.com", token_env: "STAGING_TOKEN" };

describe("deploy R-RACK-1: where racks come from", () => {
  it("deploy R-RACK-1: none is configured, none is there", () => {
    expect(racksOf({})).toEqual([]);
  });

  it("deploy R-RACK-1: one from the environment, by the variables that the original has", () => {
    expect(racksOf({ RACK_HOST: "rack.example.com", RACK_TOKEN: SECRET })).toEqual([
      {
        info: {
          ...{ name: "default", alias: "default", displayName: "default", host: "https://rack.example.com" },
          ...{ tls: "system", enabled: true },
        },
        ...{ username: "convox", token: SECRET, authoritiesPem: null },
      },
    ]);
    const environment = {
      ...{ RACK_HOST: "https://rack.example.com:5443/", RACK_TOKEN: SECRET, RACK_USERNAME: "me", RACK: "production" },
      ...{ RACK_ALIAS: "prod", RACK_DISPLAY_NAME: "Production (EU)", ENABLE_RACK_TLS_PINNING: "true" },
    };
    expect(racksOf(environment)).toMatchObject([
      {
        info: {
          ...{ name: "production", alias: "prod", displayName: "Production (EU)", tls: "pin" },
          host: "https://rack.example.com:5443",
        },
        username: "me",
      },
    ]);
  });

  it("deploy R-RACK-1: several from the configuration, after the one of the environment, in their order", () => {
    const authorities = file("ca.pem", rootCertificates[0] ?? "");
    const token_file = file("token", `${SECRET}\n`);
    const racks = racksOf(
      several(
        [
          { ...STAGING, display_name: "Staging", tls_ca_file: authorities, enabled: false },
          { name: "eu", host: "rack.eu.example.com", username: "eu", token_file, tls: "pin" },
        ],
        { RACK_HOST: "rack.example.com", RACK_TOKEN: "first" },
      ),
    );
    expect(racks.map(({ info, token }) => [info.name, info.tls, info.enabled, token])).toEqual([
      ["default", "system", true, "first"],
      ["staging", "system", false, SECRET],
      ["eu", "pin", true, SECRET],
    ]);
    expect(racks[1]?.authoritiesPem).toBe(rootCertificates[0]);
  });

  it("deploy R-RACK-1: a token is shown by no setting and named in no sentence", () => {
    const token_file = file("bad-token", `${SECRET} with a blank`);
    const environment = several([{ ...STAGING, token_env: "", token_file }], TOKENS);
    expect(JSON.stringify(loadConfig({ ...environment, RACK_HOST: "a.example.com" }).settings)).not.toContain(SECRET);
    const problems = problemsOf({ ...environment, RACK_HOST: "http://a.example.com", RACK: "A" });
    expect(problems).toHaveLength(3);
    expect(problems.join("\n")).not.toContain(SECRET);
  });
});

describe("deploy R-RACK-1: what stops the start", () => {
  it.each<[string, Environment, string]>([
    ["a token without a host", { RACK_TOKEN: SECRET }, "RACK_TOKEN is set, and RACK_HOST is not"],
    ["a host without a token", { RACK_HOST: "a.example.com" }, "RACK_TOKEN holds no token"],
    ["an upper-case name", { ...TOKENS, RACK_HOST: "a.example.com", RACK: "Prod" }, "its name has to be"],
    ["a name that is too long", several([{ ...STAGING, name: "a".repeat(64) }]), "number 1 of countersign.racks"],
    ["a name with a slash", several([{ ...STAGING, name: "a/b" }]), "its name has to be"],
    ["an alias that is none", several([{ ...STAGING, alias: "-a" }]), "its alias has to be"],
    ["a display name of two lines", several([{ ...STAGING, display_name: "a\nb" }]), "its display name has to be"],
    ["a user name with a colon", several([{ ...STAGING, username: "a:b" }]), "without a colon"],
    ["no token at all", several([{ ...STAGING, token_env: "" }]), "neither token_env nor token_file"],
    ["two tokens", several([{ ...STAGING, token_file: "/a" }]), "both token_env and token_file"],
    ["an empty variable", several([STAGING], { STAGING_TOKEN: "" }), "STAGING_TOKEN holds no token"],
    [
      "a token with a line break",
      several([STAGING], { STAGING_TOKEN: "a\nb" }),
      "what STAGING_TOKEN holds is no token",
    ],
    ["no such token file", several([{ ...STAGING, token_env: "", token_file: "/no/file" }]), "/no/file holds no token"],
    ["no such authorities", several([{ ...STAGING, tls_ca_file: "/no/file" }]), "/no/file cannot be read"],
    [
      "authorities that are none",
      several([{ ...STAGING, tls_ca_file: file("x", "x") }]),
      "holds no certificate in PEM",
    ],
    ["two of a name", several([STAGING, STAGING]), "Two racks are called staging"],
    [
      "a name that is an alias",
      several([STAGING, { ...STAGING, name: "b", alias: "staging" }]),
      "Two racks are called",
    ],
    ["a host with a path", several([{ ...STAGING, host: "https://a.example.com/x" }]), "its host has to be"],
    ["a host with a credential", several([{ ...STAGING, host: "https://a:b@a.example.com" }]), "its host has to be"],
    ["another scheme", several([{ ...STAGING, host: "ftp://a.example.com" }]), "its host has to be"],
    ["no host", several([{ ...STAGING, host: "" }]), "its host has to be"],
    ["http elsewhere", several([{ ...STAGING, host: "http://a.example.com" }]), "COUNTERSIGN_ALLOW_INSECURE_RACK=true"],
    ["a pin without TLS", several([{ ...STAGING, host: "http://localhost", tls: "pin" }]), "no certificate to pin"],
    ["an unverified rack", several([{ ...STAGING, tls: "insecure" }]), "COUNTERSIGN_ALLOW_INSECURE_RACK=true"],
    ["an unknown member", several([{ ...STAGING, token: "x" }]), "countersign.racks"],
    ["an unknown mode", several([{ ...STAGING, tls: "off" }]), "countersign.racks"],
  ])("deploy R-RACK-1: %s", (_what, environment, sentence) => {
    expect(problemsOf(environment).join("\n")).toContain(sentence);
  });
});

describe("deploy R-RACK-3: racks without verification", () => {
  it.each(["http://localhost:5443", "http://127.0.0.1:5443", "http://127.8.9.1", "http://[::1]:80"])(
    "deploy R-RACK-3: %s needs no switch",
    (host) => {
      expect(problemsOf(several([{ ...STAGING, host }]))).toEqual([]);
    },
  );

  it.each(["http://localhost.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1"])(
    "deploy R-RACK-3: %s needs the switch",
    (host) => {
      expect(problemsOf(several([{ ...STAGING, host }]))).toHaveLength(1);
      expect(problemsOf(several([{ ...STAGING, host }], { COUNTERSIGN_ALLOW_INSECURE_RACK: "true" }))).toEqual([]);
    },
  );

  it("deploy R-RACK-3: an unverified rack is there once the switch allows it, and says so", () => {
    const environment = several([{ ...STAGING, tls: "insecure" }], { COUNTERSIGN_ALLOW_INSECURE_RACK: "true" });
    expect(racksOf(environment)[0]?.info.tls).toBe("insecure");
  });
});
