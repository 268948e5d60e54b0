/**
 * Two server processes on one database: what is ended in one is refused in the other within a second, and within five when
 * the database's notifications are lost (docs/spec/identity.md R-ID-8, R-TOK-6, R-TOK-9).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectIn, textAt } from "../support/json-answer.ts";
import { countersign, type CountersignProcess } from "../support/countersign-process.ts";
import { giveRoles, personIdOf, setStatus } from "../support/member-changes.ts";
import { openApplication, type TestApplication } from "../support/test-application.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const START_MS = 120_000;
const SECOND = 1_000;

describe("two servers on one database", () => {
  let database: TestDatabase;
  let data = "";
  let store: TestApplication;
  const servers: CountersignProcess[] = [];
  let [here, there] = ["", ""];
  /** What a browser of the administrator sends to the first server. */
  let browser: Record<string, string> = {};
  let owner = "";

  beforeAll(async () => {
    database = await createTestDatabase("external");
    data = await mkdtemp(join(tmpdir(), "countersign-two-"));
    here = await start();
    there = await start();
    store = openApplication(database.url, { orgId: await organizationId() });
    await signIn();
  }, START_MS);

  afterAll(async () => {
    for (const server of servers) server.kill("SIGKILL");
    await Promise.all(servers.map((server) => server.exited));
    await store.close();
    await database.drop();
    await rm(data, { recursive: true, force: true });
  }, START_MS);

  async function start(): Promise<string> {
    const options = ["--no-demo", "--port", "0", "--data", data, "--database", database.url];
    const server = countersign(["dev", ...options]);
    servers.push(server);
    return server.url;
  }

  async function organizationId(): Promise<string> {
    const client = new Client(database.url);
    await client.connect();
    const { rows } = await client.query<{ id: string }>("select id from organizations");
    await client.end();
    return rows[0]?.id ?? "";
  }

  async function signIn(): Promise<void> {
    const signedIn = await call(`${here}/v1/dev/session`, { method: "POST", body: { assignee: "ana" } });
    const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const me = objectIn(await (await call(`${here}/v1/me`, { headers: { cookie } })).text());
    owner = textAt(me, "person_id");
    browser = { cookie, origin: here, "x-csrf-token": textAt(me, "csrf_token") };
    await giveRoles(store.app, personIdOf(owner), ["admin"]);
  }

  function call(
    url: string,
    { method = "GET", body, headers = {} }: { method?: string; body?: object; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(url, { method, headers: { ...headers, ...type }, ...sent });
  }

  async function write(method: string, path: string, body?: object): Promise<string> {
    const answer = await call(`${here}/v1${path}`, {
      method,
      headers: browser,
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${String(answer.status)} ${text}`);
    return text;
  }

  interface Made {
    readonly id: string;
    readonly machine: string;
    readonly secret: string;
  }

  let machines = 0;

  /** A token that the other server knows and keeps in memory. */
  async function known(): Promise<Made> {
    machines += 1;
    const named = { kind: "ci", name: `machine ${String(machines)}`, owners: [owner] };
    const machine = textAt(objectIn(await write("POST", "/machines", named)), "id");
    const body = { machine_id: machine, name: "x", scopes: ["approval:request:read"] };
    const made = objectIn(await write("POST", "/tokens", body));
    const token = { id: textAt(made, "token", "id"), machine, secret: textAt(made, "secret") };
    expect(await presented(token)).toBe("200");
    return token;
  }

  async function presented({ secret }: Made): Promise<string> {
    const answer = await call(`${there}/v1/me`, { headers: { authorization: `Bearer ${secret}` } });
    const text = await answer.text();
    return answer.ok ? String(answer.status) : `${String(answer.status)} ${textAt(objectIn(text), "code")}`;
  }

  /** Milliseconds from the answer to the change until the other server refuses; it is asked all the time. */
  async function refusedAfter(token: Made, change: () => Promise<unknown>): Promise<readonly [string, number]> {
    await change();
    const changed = performance.now();
    let outcome = "200";
    while (outcome === "200" && performance.now() - changed < 10 * SECOND) outcome = await presented(token);
    return [outcome, performance.now() - changed];
  }

  it("identity R-TOK-6: a token revoked in one is refused in the other within a second", async () => {
    const token = await known();
    const [outcome, after] = await refusedAfter(token, () => write("DELETE", `/tokens/${token.id}`));
    expect(outcome).toBe("401 token_revoked");
    expect(after).toBeLessThan(SECOND);
  });

  it("identity R-TOK-6: a secret that was rotated away is refused in the other within a second", async () => {
    const token = await known();
    const rotate = (): Promise<string> => write("POST", `/tokens/${token.id}/rotate`, { overlap_hours: 0 });
    const [outcome, after] = await refusedAfter(token, rotate);
    expect(outcome).toBe("401 token_revoked");
    expect(after).toBeLessThan(SECOND);
  });

  it("identity R-ID-8: the tokens of a retired machine are refused in the other within a second", async () => {
    const token = await known();
    const [outcome, after] = await refusedAfter(token, () => write("DELETE", `/machines/${token.machine}`));
    expect(outcome).toBe("401 token_revoked");
    expect(after).toBeLessThan(SECOND);
  });

  it.each(["locked", "suspended"] as const)(
    "identity R-ID-8: the tokens of machines whose last owner is %s are refused within a second",
    async (status) => {
      const token = await known();
      const person = personIdOf(owner);
      const [outcome, after] = await refusedAfter(token, () => setStatus(store.app, person, status));
      await setStatus(store.app, person, "active");
      expect(outcome).toBe("401 owner_inactive");
      expect(after).toBeLessThan(SECOND);
      await expect.poll(() => presented(token)).toBe("200");
    },
  );

  it("identity R-TOK-9: a role that ends narrows the tokens in the other within a second", async () => {
    const token = await known();
    const person = personIdOf(owner);
    const reads = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token.secret}` };
      return (await call(`${there}/v1/requests`, { headers })).status;
    };
    expect(await reads()).toBe(200);
    await giveRoles(store.app, person, []);
    await expect.poll(reads, { timeout: SECOND, interval: 5 }).toBe(403);
    await giveRoles(store.app, person, ["admin"]);
  });

  it("identity R-TOK-9: without notifications it takes five seconds at most", async () => {
    const token = await known();
    await store.pool.query("alter table api_tokens disable trigger api_tokens_tell");
    const [outcome, after] = await refusedAfter(token, () => write("DELETE", `/tokens/${token.id}`));
    await store.pool.query("alter table api_tokens enable trigger api_tokens_tell");
    expect(outcome).toBe("401 token_revoked");
    expect(after).toBeLessThan(5.5 * SECOND);
  });

  it("identity R-TOK-6: a server whose listening connection is cut hears of the next change nevertheless", async () => {
    const token = await known();
    await store.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign-access'",
    );
    const listens = async (): Promise<number> => {
      const { rows } = await store.pool.query<{ count: number }>(
        "select count(*)::integer as count from pg_stat_activity where application_name = 'countersign-access'",
      );
      return rows[0]?.count ?? 0;
    };
    await expect.poll(listens, { timeout: 10 * SECOND }).toBe(2);
    const [outcome, after] = await refusedAfter(token, () => write("DELETE", `/tokens/${token.id}`));
    expect(outcome).toBe("401 token_revoked");
    expect(after).toBeLessThan(SECOND);
  });
});
