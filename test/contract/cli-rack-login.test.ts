/** Where `rack-gateway` is signed in: its file, its racks, login, logout, and the identity of a CI job. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { objectIn, textAt } from "../support/json-answer.ts";
import {
  openScriptedGateway,
  rackGateway,
  type RackGatewayRun,
  type ScriptedGateway,
} from "../support/rack-gateway-process.ts";

const PROCESS_MS = 60_000;

let gateway: ScriptedGateway;
let folder = "";
let config = "";

beforeAll(async () => {
  gateway = await openScriptedGateway();
  folder = mkdtempSync(join(tmpdir(), "rack-gateway-test-"));
});
afterAll(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  config = mkdtempSync(join(folder, "config-"));
  gateway.answers(() => ({ status: 404, body: { error: "not found" } }));
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RackGatewayRun> {
  return rackGateway(args, { cwd: folder, env: { GATEWAY_CLI_CONFIG_DIR: config, ...env } });
}

function file(): ReturnType<typeof objectIn> {
  return objectIn(readFileSync(join(config, "config.json"), "utf8"));
}

/** As the original leaves it. */
function original(): Record<string, unknown> {
  const entry = (token: string): Record<string, unknown> => ({
    ...{ url: gateway.url, token, email: "ana@example.com", expires_at: "2027-01-01T00:00:00Z", session_id: "7" },
    ...{ channel: "cli", device_id: "d", device_name: "laptop", mfa_verified: true, mfa_preference: "totp" },
    ...{ notification_sound: "ping", sound_volume: 3, later: { kept: true } },
  });
  return {
    ...{ current: "production", machine_id: "m-1", mfa_preference: "totp", notification_sound: "ping" },
    ...{ sound_volume: 5, all_racks_exclude: ["old"], something_new: [1, 2] },
    gateways: { production: entry("p"), staging: entry("s"), old: entry("o") },
  };
}

function writeOriginal(): void {
  writeFileSync(join(config, "config.json"), JSON.stringify(original()), { mode: 0o644 });
}

describe("the file of the original", () => {
  it(
    "deploy R-CLI-3: is read, and switching keeps every member, in a file of its owner's alone",
    async () => {
      writeOriginal();
      expect((await run(["racks"])).out).toMatch(
        /^ +RACK +GATEWAY +LOGGED IN AS\n\* +production +http.* ana@example.com\n +staging /,
      );
      expect(await run(["switch", "staging"])).toEqual({ status: 0, out: "Switched to rack: staging\n", err: "" });
      expect(file()).toEqual({ ...original(), current: "staging" });
      expect((statSync(join(config, "config.json")).mode & 0o777).toString(8)).toBe("600");
      expect((statSync(config).mode & 0o777).toString(8)).toBe("700");
      expect((await run(["rack"])).out).toBe(`Current rack: staging\nGateway URL: ${gateway.url}\n`);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-3: --rack all leaves out what the file excludes",
    async () => {
      writeOriginal();
      gateway.answers(() => ({ body: { deploy_approval_requests: [] } }));
      await run(["deploy-approval", "list", "-r", "all"]);
      expect(gateway.calls.map(({ headers }) => headers.authorization)).toEqual(["Bearer p", "Bearer s"]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-3: a file that cannot be read is left as it is",
    async () => {
      writeFileSync(join(config, "config.json"), "{");
      const ran = await run(["switch", "staging"]);
      expect([ran.status, ran.err]).toEqual([20, expect.stringMatching(/^Error: .*config.json is no JSON object/)]);
      expect(readFileSync(join(config, "config.json"), "utf8")).toBe("{");
    },
    PROCESS_MS,
  );
});

describe("which rack", () => {
  it.each([
    ["--rack", ["--rack", "staging"], { RACK_GATEWAY_RACK: "old", RACK_GATEWAY_URL: "http://127.0.0.1:1" }, "staging"],
    ["RACK_GATEWAY_RACK", [], { RACK_GATEWAY_RACK: "old" }, "old"],
    ["RACK_GATEWAY_URL", [], { RACK_GATEWAY_URL: "gw.example.com/" }, "(from environment)"],
    ["the current one", [], {}, "production"],
  ] as const)(
    "deploy R-CLI-2: %s comes next",
    async (_name, args, env, rack) => {
      writeOriginal();
      const ran = await run(["rack", ...args], env);
      const url = rack === "(from environment)" ? "https://gw.example.com" : gateway.url;
      expect(ran.out).toBe(`Current rack: ${rack}\nGateway URL: ${url}\n`);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-2: none selected, and one that is not known",
    async () => {
      const none = "Error: no rack selected. Run: rack-gateway login <rack> <gateway-url> or use --rack flag\n";
      expect(await run(["rack"])).toEqual({ status: 20, out: "", err: none });
      const unknown = { status: 20, out: "", err: 'Error: No rack found with name "x"\n' };
      expect(await run(["--rack", "x", "rack"])).toEqual(unknown);
      expect(await run(["switch", "x"])).toEqual(unknown);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-1: --api-token holds for every command, before the environment and the file",
    async () => {
      writeOriginal();
      gateway.answers(() => ({ body: [] }));
      await run(["--api-token", "rgw_flag", "apps"], { RACK_GATEWAY_API_TOKEN: "rgw_env" });
      await run(["apps"], { RACK_GATEWAY_API_TOKEN: "rgw_env" });
      await run(["apps"]);
      const used = gateway.calls.map(({ headers }) => headers.authorization);
      expect(used).toEqual(["Bearer rgw_flag", "Bearer rgw_env", "Bearer p"]);
    },
    PROCESS_MS,
  );
});

describe("login and logout", () => {
  it(
    "deploy R-CLI-10: signs in by the polling pair, and keeps what the rack's entry says besides",
    async () => {
      writeOriginal();
      let asked = 0;
      gateway.answers(({ path }) => {
        if (path === "/auth/cli/start") {
          const started = { auth_url: `${gateway.url}/auth/cli?waiting=st`, state: "st", code_verifier: "ve" };
          return { body: { ...started, user_code: "ABCD-EFGH", expires_in: 600 } };
        }
        asked += 1;
        if (asked === 1) return { status: 202, body: { status: "pending" } };
        const session = { token: "fresh", email: "ana@example.com", name: "Ana", expires_at: "2027-02-01T00:00:00Z" };
        return { body: { ...session, session_id: "8", channel: "cli", mfa_verified: false } };
      });
      const authFile = join(config, "auth");
      const ran = await run(["login", "staging", "--no-open", "--auth-file", authFile]);
      expect(ran).toEqual({
        status: 0,
        out: "✓ Successfully logged in to staging as ana@example.com\n",
        err: [
          `Starting login for rack: staging via gateway: ${gateway.url}`,
          `Auth URL: ${gateway.url}/auth/cli?waiting=st`,
          "Code: ABCD-EFGH\n",
        ].join("\n"),
      });
      expect(readFileSync(authFile, "utf8")).toBe(
        `AUTH_URL=${gateway.url}/auth/cli?waiting=st\nSTATE=st\nCODE_VERIFIER=ve\n`,
      );
      const complete = objectIn(gateway.calls.at(-1)?.body ?? "");
      expect(complete).toMatchObject({ state: "st", code_verifier: "ve", device_id: "m-1" });
      expect(textAt(file(), "gateways", "staging", "token")).toBe("fresh");
      expect(file()).toMatchObject({
        ...{ current: "staging", something_new: [1, 2] },
        gateways: { staging: { sound_volume: 3, later: { kept: true }, session_id: "8" }, production: { token: "p" } },
      });
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-10: nobody who signs in ends it with 14, and an address without a scheme is https",
    async () => {
      const ran = await run(["login", "production", gateway.url, "--no-open", "--timeout", "300ms"]);
      expect(ran.status).toBe(14);
      expect(ran.err).toMatch(/\nCode: [A-Z]{4}-[A-Z]{4}\nError: timed out waiting for the login\n$/);
      const other = await run(["login", "production", "gw.example.com", "--no-open", "--timeout", "300ms"]);
      expect(other.err).toContain("via gateway: https://gw.example.com\nAuth URL: https://gw.example.com/auth/cli?");
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-10, R-LOGIN-3: logout ends the session on the server first, then here",
    async () => {
      writeOriginal();
      gateway.answers(() => ({ status: 503, body: "" }));
      expect((await run(["logout"])).status).toBe(20);
      expect(file()).toEqual(original());
      gateway.answers(() => ({ status: 204 }));
      expect(await run(["logout"])).toEqual({ status: 0, out: "✓ Logged out from production\n", err: "" });
      expect(gateway.calls).toMatchObject([
        { method: "DELETE", path: "/v1/session", headers: { authorization: "Bearer p" } },
      ]);
      expect(file()["gateways"]).not.toHaveProperty("production");
      expect(readFileSync(join(config, "config.json"), "utf8")).not.toContain('"p"');
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-10: version, test-auth and completion",
    async () => {
      writeOriginal();
      expect((await run(["version"])).out).toMatch(/^rack-gateway \d+\.\d+\.\d+\n$/);
      gateway.answers(() => ({ body: { user: { email: "ana@example.com" } } }));
      expect((await run(["test-auth"])).out).toBe("✓ Authenticated to production as ana@example.com\n");
      const script = await run(["completion", "bash"]);
      expect(script.out).toContain('"deploy-approval") words="request list show wait approve reject extend cancel');
      expect((await run(["completion", "tcsh"])).status).toBe(20);
    },
    PROCESS_MS,
  );
});

describe("tokens", () => {
  it(
    "deploy R-CLI-10: are made, listed and deleted in the original's words; --rack and --app are the token's",
    async () => {
      writeOriginal();
      const made = { token: "rgw_new", id: 3, name: "ci", api_token: { public_id: "u-1", name: "ci" } };
      gateway.answers(({ method }) => (method === "DELETE" ? { status: 204 } : { body: made }));
      const args = ["api-token", "create", "--name", "ci", "--role", "cicd", "--rack", "staging", "--app", "web"];
      expect((await run(args)).out).toBe('Created token "ci" (id u-1)\nToken: rgw_new\n');
      expect(gateway.calls[0]?.headers.authorization).toBe("Bearer p");
      expect(objectIn(gateway.calls[0]?.body ?? "")).toEqual({
        ...{ name: "ci", role: "cicd", racks: ["staging"], apps: ["web"] },
      });
      expect((await run([...args, "--output", "token"])).out).toBe("rgw_new\n");
      expect((await run(["api-token", "delete", "u-1"])).out).toBe("Deleted token u-1\n");
      const none = await run(["api-token", "create", "--name", "ci"]);
      expect(none.err).toBe("Error: permissions required - specify --role or --permission\n");
    },
    PROCESS_MS,
  );
});

describe("the identity of a CI job", () => {
  it.each([
    [
      "GitHub",
      (url: string) => ({
        ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/github?x=1`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "secret",
      }),
    ],
    ["GitLab", () => ({ COUNTERSIGN_ID_TOKEN: "jwt" })],
    ["CircleCI", () => ({ CIRCLE_OIDC_TOKEN_V2: "jwt" })],
  ] as const)(
    "deploy R-CLI-12, R-OIDC-2: of %s is exchanged, and kept nowhere",
    async (_name, env) => {
      gateway.answers(({ path }) => {
        if (path.startsWith("/github")) return { body: { value: "jwt" } };
        if (path === "/auth/oidc/token") return { body: { access_token: "rgw_short", expires_in: 900 } };
        return { body: { deploy_approval_requests: [] } };
      });
      const given = { RACK_GATEWAY_URL: gateway.url, COUNTERSIGN_OIDC: "1", ...env(gateway.url) };
      const ran = await run(["deploy-approval", "list"], given);
      expect([ran.status, ran.out]).toEqual([0, "No deploy approval requests found.\n"]);
      const exchange = gateway.calls.find(({ path }) => path === "/auth/oidc/token");
      expect(Object.fromEntries(new URLSearchParams(exchange?.body))).toEqual({
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: "jwt",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      });
      expect(gateway.calls.at(-1)?.headers.authorization).toBe("Bearer rgw_short");
      expect(() => statSync(join(config, "config.json"))).toThrow("ENOENT");
    },
    PROCESS_MS,
  );

  it(
    "deploy R-OIDC-2: a credential that is about to end is renewed in the middle of a wait",
    async () => {
      let made = 0;
      gateway.answers(({ path, method, headers }) => {
        if (path === "/auth/oidc/token") {
          made += 1;
          return { body: { access_token: `rgw_${String(made)}`, expires_in: 61 } };
        }
        const request = { public_id: "6f1c3a52-9c1e-4f0b-8a51-0d5e7d6f2a11", status: "pending" };
        if (method === "POST") return { status: 201, body: request };
        return { body: { ...request, status: headers.authorization === "Bearer rgw_1" ? "pending" : "approved" } };
      });
      const env = { RACK_GATEWAY_URL: gateway.url, COUNTERSIGN_OIDC: "1", COUNTERSIGN_ID_TOKEN: "jwt" };
      const asking = ["request", "-a", "web", "--git-commit", "a".repeat(40), "--message", "m", "--wait"];
      const ran = await run(["deploy-approval", ...asking, "--poll-interval", "300ms"], env);
      expect([ran.status, made]).toEqual([0, 2]);
    },
    PROCESS_MS,
  );

  it(
    "deploy R-CLI-12: without one here, it says how to get one",
    async () => {
      const ran = await run(["apps", "--oidc"], { RACK_GATEWAY_URL: gateway.url });
      expect([ran.status, ran.err]).toEqual([20, expect.stringMatching(/^Error: no identity of a CI job is here/)]);
    },
    PROCESS_MS,
  );
});
