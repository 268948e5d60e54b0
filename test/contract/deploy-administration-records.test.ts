/** Environments, the audit list, jobs, the rack and who made what, over HTTP. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import {
  deployCall,
  deployGet,
  deployWithout,
  itemsOf,
  openDeployServer,
  told,
  type DeployServer,
} from "../support/deploy-server.ts";
import { textAt } from "../support/json-answer.ts";
import { must, signedInAs, type TestBrowser } from "../support/signed-in.ts";

const MASK = "********************";

let server: DeployServer;
let admin: TestBrowser;
let deployer: TestBrowser;
beforeAll(async () => {
  server = await openDeployServer();
  ({ admin } = server);
  deployer = await signedInAs(server.at, admin, { login: "dee", roles: ["deployer"] });
}, 120_000);
afterAll(() => server.close());

function listAt(value: JsonObject, name: string): readonly JsonObject[] {
  return itemsOf(value[name]);
}

describe("environments of apps", () => {
  const ENV = "/apps/myapp/env";
  const put = (browser: TestBrowser, body: JsonObject): ReturnType<typeof deployCall> =>
    deployCall(browser, "PUT", ENV, body);

  it("deploy R-ENV-1: secrets are masked, and shown to whoever may read secrets and asks for them", async () => {
    expect(must(await deployGet(deployer, ENV), 200)).toEqual({
      env: { PORT: "3000", DB_PASSWORD: MASK, COLOR: "blue" },
    });
    expect(told(await deployGet(deployer, `${ENV}?secrets=true`))).toBe(
      "403 You don't have permission to view secrets.",
    );
    const all = must(await deployGet(admin, `${ENV}?secrets=true&key=DB_PASSWORD`), 200);
    expect(all).toEqual({ env: { DB_PASSWORD: "hunter2" } });
    const viewer = await signedInAs(server.at, admin, { roles: ["viewer"] });
    expect(told(await deployGet(viewer, ENV))).toBe("403 You don't have permission to view environment variables.");
    expect((await deployCall(viewer, "PUT", ENV, { set: { COLOR: "red" } })).statusCode).toBe(403);
  });

  it("deploy R-ENV-3: a change makes a release, keeps what is masked, and touches secrets and protected keys for nobody", async () => {
    const set = must(await put(deployer, { set: { COLOR: "red", NEW: "1" }, remove: ["PORT"] }), 200);
    expect(set).toMatchObject({ env: { COLOR: "red", NEW: "1", DB_PASSWORD: MASK } });
    expect(set["env"]).not.toHaveProperty("PORT");
    expect(textAt(set, "release_id")).toMatch(/^R/);
    const plain = must(await deployGet(admin, `${ENV}?secrets=true`), 200);
    expect(plain["env"]).toEqual({ COLOR: "red", NEW: "1", DB_PASSWORD: "hunter2" });
    // What is masked is what it was; nothing changed makes no release.
    expect(must(await put(deployer, { set: { DB_PASSWORD: MASK } }), 200)).not.toHaveProperty("release_id");
    expect(told(await put(deployer, { set: { DB_PASSWORD: "mine" } }))).toBe(
      "403 You don't have permission to modify secrets.",
    );
    expect(told(await put(deployer, { remove: ["DB_PASSWORD"] }))).toBe(
      "403 You don't have permission to modify secrets.",
    );
    expect(told(await put(deployer, { set: { OTHER_SECRET: MASK } }))).toBe(
      "400 Masked secret value submitted without an existing secret.",
    );
    must(await deployCall(admin, "PUT", "/apps/myapp/settings/protected-env-vars", ["COLOR"]), 200);
    expect(told(await put(admin, { set: { COLOR: "green" } }))).toBe(
      "403 This environment variable is protected and cannot be changed.",
    );
    must(await put(admin, { set: { DB_PASSWORD: "next" } }), 200);
  });

  it("deploy R-ENV-4: differences are written down, values of secrets never", async () => {
    const { rows } = await server.at.pool.query<{ text: string; openings: string }>(
      `select e.text, (select json_agg(o.value)::text from ledger_openings o where o.seq = e.seq) as openings
       from ledger_entries e where e.kind = 'deploy.env_changed' order by e.seq`,
    );
    expect(rows.length).toBe(2);
    const all = rows.map(({ text, openings }) => `${text}${openings}`).join("\n");
    expect(all).toContain('"name":"COLOR","old":"blue","new":"red"');
    expect(all).toContain('"action":"secret.set","name":"DB_PASSWORD"');
    expect(all).not.toMatch(/hunter2|"next"/);
  });

  it("deploy R-ENV-3: two writers at once lose nothing, and a silent rack is 502", async () => {
    const answers = await Promise.all(
      ["A", "B", "C", "D"].map((name) => deployWithout(deployer, "PUT", "/apps/myapp/env", { set: { [name]: "1" } })),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200]);
    const { env } = must(await deployGet(admin, ENV), 200);
    expect(env).toMatchObject({ A: "1", B: "1", C: "1", D: "1" });
    expect(told(await deployGet(admin, "/apps/unknown/env"))).toBe("502 failed to fetch env");
  });
});

describe("the audit list", () => {
  it("deploy R-AUDIT-3: tells who did what, in the original's names, and filters before it folds", async () => {
    must(await deployCall(admin, "PUT", "/settings/vcs-and-ci-defaults", { default_ci_provider: "gitlab" }), 200);
    const all = must(await deployGet(admin, "/audit-logs?limit=200"), 200);
    expect(all).toMatchObject({ page: 1, limit: 200 });
    const logs = listAt(all, "logs");
    const setting = logs.find(
      ({ action, resource }) => action === "setting.update" && resource === "default_ci_provider",
    );
    expect(setting).toMatchObject({ user_email: "root@example.com", status: "success", resource_type: "setting" });
    expect(textAt(setting ?? {}, "ip_address")).toBe(admin.address);
    expect(textAt(setting ?? {}, "first_hash")).toMatch(/^[A-Za-z0-9+/]{43}=$/);
    const environment = logs.find(({ action }) => action === "env.set");
    expect(environment).toMatchObject({ user_email: "dee@example.com", action_type: "convox" });
    const denied = must(await deployGet(admin, "/audit-logs?status=denied&user=dee"), 200);
    expect(listAt(denied, "logs").every(({ status }) => status === "denied")).toBe(true);
    const found = must(await deployGet(admin, "/audit-logs?search=default_ci_provider"), 200);
    expect(listAt(found, "logs").map(({ action }) => action)).toEqual(["setting.update"]);
    const none = must(await deployGet(admin, "/audit-logs?start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z"), 200);
    expect(none).toMatchObject({ logs: [], total: 0 });
    const wrong = "/audit-logs?start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z";
    expect(told(await deployGet(admin, wrong))).toBe("400 end must not be before start");
    expect((await deployGet(deployer, "/audit-logs")).statusCode).toBe(403);
  });

  it("deploy R-AUDIT-3: a cursor and pages lead through the whole list without gaps", async () => {
    const whole = listAt(must(await deployGet(admin, "/audit-logs?range=all&limit=200"), 200), "logs");
    expect(whole.length).toBeGreaterThan(12);
    const seen: JsonObject[] = [];
    let cursor = "";
    for (let page = 0; page < 60 && seen.length < whole.length; page += 1) {
      const query = `range=all&limit=5${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const part = must(await deployGet(admin, `/audit-logs?${query}`), 200);
      seen.push(...listAt(part, "logs"));
      const { next_cursor: next } = part;
      if (typeof next !== "string") break;
      cursor = next;
    }
    expect(seen.map(({ first_event_id: id }) => id)).toEqual(whole.map(({ first_event_id: id }) => id));
    const second = listAt(must(await deployGet(admin, "/audit-logs?range=all&limit=5&page=2"), 200), "logs");
    expect(second).toEqual(whole.slice(5, 10));
  });

  it("deploy R-AUDIT-3: the export is CSV that no spreadsheet computes", async () => {
    must(await deployCall(deployer, "PUT", "/users/dee@example.com/name", { name: "=SUM(A1)" }), 200);
    const answer = await deployGet(admin, "/audit-logs/export?range=all");
    expect(answer.headers["content-type"]).toBe("text/csv; charset=utf-8");
    const [header = "", ...lines] = answer.body.trimEnd().split("\n");
    expect(header.startsWith("first_seen,last_seen,user_email,")).toBe(true);
    expect(lines.length).toBeGreaterThan(12);
    expect(answer.body).toContain(",'=SUM(A1),");
    expect(answer.body).not.toMatch(/(?:^|,)[=+@]/m);
  });

  it("identity section 10: nobody exports more than six times a minute, nor tries the chat more often", async () => {
    const CHANNEL = { channel_id: "C0123456789" };
    server.at.advance(60_000);
    const range = "start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z";
    const outcomes: (readonly number[])[] = [];
    for (let number = 1; number <= 7; number += 1) {
      const exported = await deployGet(admin, `/audit-logs/export?${range}`);
      const tried = await deployCall(admin, "POST", "/integrations/slack/test", CHANNEL);
      outcomes.push([exported.statusCode, tried.statusCode]);
    }
    expect(outcomes.slice(0, 6).flat()).not.toContain(429);
    expect(outcomes.at(-1)).toEqual([429, 429]);
  });
});

describe("the rack, jobs, and who made what", () => {
  it("deploy 11.3: the rack speaks for itself, and makers of releases are named", async () => {
    expect(must(await deployGet(deployer, "/rack"), 200)).toMatchObject({ provider: "simulator" });
    const made = must(await deployWithout(deployer, "PUT", "/apps/myapp/env", { set: { MADE_BY: "dee" } }), 200);
    const id = textAt(made, "release_id");
    const makers = must(await deployGet(admin, `/created-by?type=release&ids=${id},RNOBODY`), 200);
    expect(makers).toMatchObject({ [id]: { email: "dee@example.com" } });
    expect(Object.keys(makers)).toEqual([id]);
    expect(told(await deployGet(admin, "/created-by"))).toBe("400 type required");
    expect(told(await deployGet(admin, "/created-by?type=unicorn"))).toBe("400 invalid type");
  });

  it("deploy R-RACK-3: nothing is pinned where pinning is off", async () => {
    const refresh = await deployCall(admin, "POST", "/settings/rack-tls-cert/refresh");
    expect(refresh.statusCode).toBe(501);
  });

  it("deploy 11.3: jobs are seen without their content, withdrawn, and tried again", async () => {
    const id = randomUUID();
    const values = [id, server.at.app.orgId, JSON.stringify({ url: "https://example.com/?token=secret" })];
    await server.at.pool.query(
      `insert into effects (id, org_id, kind, lane, position, payload, state, created_at, due_at, entry_seq)
       values ($1, $2, 'deploy.ci', 'x', 1, $3, 'pending', date_trunc('milliseconds', now()), date_trunc('milliseconds', now()) + interval '1 day', 1)`,
      values,
    );
    const list = must(await deployGet(admin, "/jobs?state=available"), 200);
    expect(listAt(list, "jobs")).toMatchObject([{ id, state: "available", kind: "deploy.ci", attempt: 0 }]);
    expect(JSON.stringify(list)).not.toContain("secret");
    expect((await deployGet(deployer, "/jobs")).statusCode).toBe(403);
    expect(listAt(list, "jobs")[0]).not.toHaveProperty("attempted_at");
    await server.at.pool.query(
      `insert into effect_attempts (effect_id, attempt, at, duration_ms, outcome, code, message)
       values ($1, 1, '2026-01-01T00:00:00Z', 5, 'retry', 'unreachable', 'no answer'),
         ($1, 2, '2026-01-01T00:00:09Z', 5, 'retry', 'refused', 'it said no')`,
      [id],
    );
    must(await deployCall(admin, "DELETE", `/jobs/${id}`), 204);
    expect(must(await deployGet(admin, `/jobs/${id}`), 200)).toMatchObject({
      ...{ state: "cancelled", attempted_at: "2026-01-01T00:00:09.000000Z" },
      errors: [
        { attempt: 1, code: "unreachable", error: "no answer", at: "2026-01-01T00:00:00.000000Z" },
        { attempt: 2, code: "refused", error: "it said no" },
      ],
    });
    expect((await deployCall(admin, "POST", `/jobs/${id}/retry`)).statusCode).toBe(409);
    expect(told(await deployCall(admin, "DELETE", `/jobs/${randomUUID()}`))).toBe("404 job not found");
  });

  it("deploy R-RACK-2: below a rack's name stands what happened there and nothing else, however long ago", async () => {
    const there = "root:/racks/staging/api/v1";
    const change = await deployer.call("PUT", `${there}/apps/myapp/env`, { set: { ELSEWHERE: "1" } });
    const id = textAt(must(change, 200), "release_id");
    const defaults = { default_ci_provider: "buildkite" };
    const proof = await admin.proofFor("PUT /racks/staging/api/v1/settings/vcs-and-ci-defaults");
    must(await admin.call("PUT", `${there}/settings/vcs-and-ci-defaults`, defaults, { headers: proof }), 200);
    const logs = listAt(must(await admin.get(`${there}/audit-logs?limit=200`), 200), "logs");
    expect(logs.map(({ action }) => action)).toEqual(expect.arrayContaining(["env.set", "setting.update"]));
    expect(new Set(logs.map(({ scope }) => scope))).toEqual(new Set(["staging"]));
    const all = listAt(must(await deployGet(admin, "/audit-logs?limit=200"), 200), "logs");
    expect(all.map(({ scope }) => scope)).toEqual(expect.arrayContaining(["production", "staging"]));
    const [, ...lines] = (await admin.get(`${there}/audit-logs/export`)).body.trimEnd().split("\n");
    expect(lines.filter((line) => !line.endsWith(",staging"))).toEqual([]);
    server.at.advance(31 * 86_400_000);
    must(await admin.signIn(), 201);
    const makers = await admin.get(`${there}/created-by?type=release&ids=${id}`);
    expect(must(makers, 200)).toMatchObject({ [id]: { email: "dee@example.com" } });
    expect(must(await deployGet(admin, `/created-by?type=release&ids=${id}`), 200)).toEqual({});
  });
});
