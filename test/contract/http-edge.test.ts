/** What every call meets before any route: names, proxies, headers, paths; and that looking changes nothing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addressesOf, authorizationTable } from "../../src/http/authorization.ts";
import { callOver } from "../support/http-call.ts";
import { bodyOf } from "../support/json-answer.ts";
import { signedIn, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

let database: TestDatabase;
let at: TestServer;
let admin: TestBrowser;
let host = "";
let base = "";

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url, {
    server: { development: false, trustedProxies: ["10.9.0.0/16"] },
    application: { identity: { development: false } },
  });
  ({ host } = new URL(at.options.browser.origin));
  admin = await signedIn(at);
  base = await at.server.listen({ host: "127.0.0.1", port: 0 });
}, 60_000);

afterAll(async () => {
  await at.close();
  await database.drop();
});

describe("the name under which a call comes", () => {
  it.each(["approvals.example.com", "localhost:8000", "127.0.0.1", "[::1]:9"])(
    "identity R-SESS-8: %s is answered",
    async (name) => {
      const answer = await at.server.inject({ url: "/v1/health", headers: { host: name } });
      expect(answer.statusCode).toBe(200);
    },
  );

  it.each([
    "evil.example.com",
    "approvals.example.com.evil.example",
    "approvals.example.com:444",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
  ])("identity R-SESS-8: '%s' is refused, whatever is asked", async (name) => {
    for (const url of ["/v1/health", "/app", "/v1/me", "/healthz"]) {
      const answer = await at.server.inject({ url, headers: { host: name } });
      expect([url, answer.statusCode, bodyOf(answer)["code"]]).toEqual([url, 400, "host_not_allowed"]);
    }
  });
});

describe("the address of a caller", () => {
  async function addressSeen(remoteAddress: string, forwarded: string | undefined): Promise<unknown> {
    const browser = new TestBrowser(at, { address: remoteAddress, key: admin.key });
    const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
    const { ceremony, options } = bodyOf(await browser.post("/auth/passkey/options", {}, { headers }));
    const response = admin.key.assert(options ?? null);
    await browser.post("/auth/passkey", { ceremony, response }, { headers });
    const sessions: unknown = JSON.parse((await browser.get("/me/sessions")).body);
    const listed: readonly unknown[] = Array.isArray(sessions) ? sessions : [];
    const own = listed.find((session) => Reflect.get(Object(session), "current") === true);
    return Reflect.get(Object(own), "address");
  }

  it.each([
    ["192.0.2.7", undefined, "192.0.2.7"],
    ["192.0.2.8", "198.51.100.1", "192.0.2.8"],
    ["10.9.0.1", "198.51.100.2", "198.51.100.2"],
    ["10.9.0.2", "203.0.113.66, 198.51.100.3", "198.51.100.3"],
    ["10.9.0.3", "203.0.113.66, 198.51.100.4, 10.9.3.3", "198.51.100.4"],
  ])("identity R-SESS-7: connected from %s and forwarded for %s it is %s", async (remote, forwarded, seen) => {
    expect(await addressSeen(remote, forwarded)).toBe(seen);
  });
});

describe("every answer of a page", () => {
  it("identity R-SESS-8: carries the headers that keep it ours", async () => {
    const { headers } = await at.server.inject({ url: "/v1/docs", headers: { host } });
    const policy = String(headers["content-security-policy"]);
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval|\*/);
    expect(headers).toMatchObject({
      "strict-transport-security": "max-age=63072000; includeSubDomains",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "permissions-policy": "publickey-credentials-get=(self), publickey-credentials-create=(self)",
      "x-frame-options": "DENY",
    });
  });
});

describe("a path with more than one reading", () => {
  it.each([
    "/v1/tasks/../me",
    "/v1/%2e%2e/v1/me",
    "/v1//me",
    "/v1/tasks/%c0%ae",
    "/v1/tasks/%00",
    String.raw`/v1/tasks%5c..%5cme`,
  ])("identity R-AUTHZ-7: %s is refused for everybody", async (path) => {
    const answer = await callOver(base, { method: "GET", path, headers: { host, cookie: admin.cookie } });
    expect([answer.status, Reflect.get(Object(JSON.parse(answer.text)), "code")]).toEqual([400, "path_invalid"]);
  });
});

describe("looking", () => {
  it("identity R-SESS-6: at every GET of the table, as the administrator, changes no row", async () => {
    const before = await fingerprint();
    const { rows: counted } = await at.pool.query<{ entries: number }>("select size as entries from ledger_head");
    const entries = counted[0]?.entries ?? 0;
    for (const row of authorizationTable.filter(({ method }) => method === "GET")) {
      for (const address of addressesOf(row)) {
        const path = address.replaceAll(/:[a-z_]+/g, admin.personId).replace("*", "inbox");
        const url = path.endsWith("/v1/events") ? `${path}?after=nothing` : path;
        await at.server.inject({ url, headers: { host, cookie: admin.cookie } });
        await at.server.inject({ method: "HEAD", url, headers: { host, cookie: admin.cookie } });
      }
    }
    expect(await fingerprint()).toEqual(before);
    const { rows } = await at.pool.query<{ kind: string }>("select kind from ledger_entries where seq >= $1", [
      entries,
    ]);
    expect(new Set(rows.map(({ kind }) => kind))).toEqual(new Set(["access.refused"]));
  });

  /**
   * Every table's rows, as one digest each; in the ledger stands who reached for what is not theirs, looking included, and exports
   * are counted against their limit.
   */
  async function fingerprint(): Promise<unknown> {
    const { rows: tables } = await at.pool.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' and tablename not in ('ledger_entries', 'ledger_head', 'ledger_openings', 'rate_windows') order by tablename",
    );
    const digests: unknown[] = [];
    for (const { name } of tables) {
      const { rows } = await at.pool.query<{ digest: string }>(
        `select count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), '') as digest from "${name}" t`,
      );
      digests.push([name, rows[0]?.digest]);
    }
    return digests;
  }
});
