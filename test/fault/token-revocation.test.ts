/**
 * Two server processes on one database: what is ended in one is refused in the other within a second, and within five when
 * the database's notifications are lost (docs/spec/identity.md R-ID-8, R-TOK-6, R-TOK-9). At last both are killed, and what was
 * decided before is done by whoever comes after (docs/spec/deploy.md R-STATE-3).
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCircleciSimulator, type CircleciSimulator } from "../support/circleci-simulator/circleci-simulator.ts";
import { openRackSimulator, type RackSimulator } from "../support/rack-simulator/rack-simulator.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { countersign, type CountersignProcess } from "../support/countersign-process.ts";
import { giveRoles, personIdOf, setStatus } from "../support/member-changes.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { openApplication, type TestApplication } from "../support/test-application.ts";
import { SoftwareAuthenticator } from "../support/software-authenticator.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";

const START_MS = 120_000;
const SECOND = 1_000;
const REPO = "MyOrg/myapp";
const COMMIT = "c".repeat(40);

describe("two servers on one database", () => {
  let database: TestDatabase;
  let data = "";
  let store: TestApplication;
  let rack: RackSimulator;
  let circleci: CircleciSimulator;
  const servers: CountersignProcess[] = [];
  let [here, there] = ["", ""];
  /** What a browser of the administrator sends to the first server. */
  let browser: Record<string, string> = {};
  let owner = "";

  beforeAll(async () => {
    database = await createTestDatabase("external");
    data = await mkdtemp(join(tmpdir(), "countersign-two-"));
    [rack, circleci] = [await openRackSimulator({ name: "production" }), await openCircleciSimulator()];
    rack.addApp({ name: "myapp", manifest: "services:\n  web:\n    build: .\n", env: {} });
    here = await start();
    there = await start();
    store = openApplication(database.url, { orgId: await organizationId() });
    await signIn();
  }, START_MS);

  afterAll(async () => {
    for (const server of servers) server.kill("SIGKILL");
    await Promise.all(servers.map((server) => server.exited));
    await Promise.all([rack.close(), circleci.close()]);
    await store.close();
    await database.drop();
    await rm(data, { recursive: true, force: true });
  }, START_MS);

  async function start(): Promise<string> {
    const options = ["--no-demo", "--port", "0", "--data", data, "--database", database.url];
    const server = countersign(["dev", ...options], environment());
    servers.push(server);
    return server.url;
  }

  /** A rack and a CI for the deploy gate. */
  function environment(): Readonly<Record<string, string>> {
    return {
      ...{ RACK: "production", RACK_HOST: rack.url, RACK_USERNAME: rack.username, RACK_TOKEN: rack.password },
      ...{ CIRCLECI_API_URL: circleci.url, CIRCLECI_TOKEN: circleci.token, RGW_APP_MYAPP_SETTING_VCS_REPO: REPO },
      RGW_APP_MYAPP_SETTING_CIRCLECI_APPROVAL_JOB_NAME: "approve_deploy",
      RGW_APP_MYAPP_SETTING_CIRCLECI_AUTO_APPROVE_ON_APPROVAL: "true",
    };
  }

  async function organizationId(): Promise<string> {
    const client = new Client(database.url);
    await client.connect();
    const { rows } = await client.query<{ id: string }>("select id from organizations");
    await client.end();
    return rows[0]?.id ?? "";
  }

  async function signIn(): Promise<void> {
    browser = await signedInAs("ana");
    owner = textAt(objectIn(await (await call(`${here}/v1/me`, { headers: browser })).text()), "person_id");
  }

  /** What the browser of this administrator sends to the first server. */
  async function signedInAs(assignee: string): Promise<Record<string, string>> {
    const signedIn = await call(`${here}/v1/dev/session`, { method: "POST", body: { assignee } });
    const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
    const me = objectIn(await (await call(`${here}/v1/me`, { headers: { cookie } })).text());
    await giveRoles(store.app, personIdOf(textAt(me, "person_id")), ["admin"]);
    return { cookie, origin: here, "x-csrf-token": textAt(me, "csrf_token") };
  }

  function call(
    url: string,
    { method = "GET", body, headers = {} }: { method?: string; body?: object; headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return fetch(url, { method, headers: { ...headers, ...type }, ...sent });
  }

  async function write(method: string, path: string, body?: object, mount = "/v1"): Promise<string> {
    const answer = await call(`${here}${mount}${path}`, {
      method,
      headers: browser,
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${String(answer.status)} ${text}`);
    return text;
  }

  /** The header that proves a passkey, enrolled for it, in the very call. */
  async function proven(headers: Record<string, string>, act: string): Promise<string> {
    const key = new SoftwareAuthenticator({ origin: here });
    const post = async (path: string, body: object): Promise<JsonObject> =>
      objectIn(await (await call(`${here}/v1${path}`, { method: "POST", headers, body })).text());
    const enrolment = await post("/me/factors/passkey/options", {});
    const registered = key.register(enrolment["options"] ?? null);
    await post("/me/factors/passkey", { ceremony: enrolment["ceremony"], response: registered, name: "Key" });
    const challenge = await post("/me/challenges", { act });
    const asserted = { challenge: challenge["id"], response: key.assert(challenge["options"] ?? null) };
    return Buffer.from(JSON.stringify(asserted)).toString("base64");
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

  it("deploy R-CI-1, R-STATE-3, deploy acceptance 20, 73: killed right after the approval was answered, it is approved after the restart, and CircleCI is told once", async () => {
    const made = objectIn(await write("POST", "/api-tokens", { name: "ci", role: "cicd" }, "/api/v1"));
    const ben = await signedInAs("ben");
    const workflow = circleci.addWorkflow({
      ...{ repo: REPO, revision: COMMIT },
      jobs: [{ name: "approve_deploy", type: "approval", status: "on_hold" }],
    });
    const requests = "/api/v1/deploy-approval-requests";
    const asked = await call(`${here}${requests}`, {
      ...{ method: "POST", headers: { authorization: `Bearer ${textAt(made, "token")}` } },
      body: { app: "myapp", git_commit_hash: COMMIT, message: "Deploy", ci_metadata: { workflow_id: workflow.id } },
    });
    const id = textAt(objectIn(await asked.text()), "public_id");
    const proof = await proven(ben, `POST /deploy-approval-requests/${id}/approve`);
    const headers = { ...ben, "x-mfa-webauthn": proof };
    const approved = await call(`${here}${requests}/${id}/approve`, { method: "POST", headers, body: {} });
    for (const server of servers) server.kill("SIGKILL");
    expect(approved.status).toBe(200);
    await Promise.all(servers.map((server) => server.exited));
    // Whoever died held what it had begun; the time for which it did passes.
    await store.pool.query(
      "update effects set lease_until = now() where lease_until is not null and state = 'pending'",
    );
    const again = await start();
    const shown = async (): Promise<string> => {
      const answer = await call(`${again}${requests}/${id}`, {
        headers: { authorization: `Bearer ${textAt(made, "token")}` },
      });
      return answer.text();
    };
    expect(objectIn(await shown())).toMatchObject({ status: "approved" });
    await expect.poll(async () => objectIn(await shown())["ci"], { timeout: 20_000 }).toMatchObject({ status: "done" });
    const told = circleci.log.filter((line) => line.startsWith(`POST /workflow/${workflow.id}/approve/`));
    expect([told.length, workflow.jobs[0]?.status]).toEqual([1, "success"]);
  }, 60_000);
});
