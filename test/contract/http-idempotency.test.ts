/** The same call twice acts once, over HTTP and on a real database. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, openServer, unsignedToken, type TestServer } from "../support/test-server.ts";

interface Answered {
  readonly status: number;
  readonly replayed: boolean;
  readonly text: string;
  readonly body: JsonObject;
}

describeOnEveryPostgres("a call with an Idempotency-Key", (database) => {
  let at: TestServer;
  beforeAll(async () => {
    at = await openServer(database.url);
    const rules = [{ rule_type: "user", rule_value: { user_id: "hugo" } }];
    const stages = [{ name: "Stage", stage_order: 1, rules }];
    await post("/v1/policies", asAdmin, { policy_key: "p", name: "P", artifact_type: "thing", stages });
    await post("/v1/policies/p/versions/1/activate", asAdmin);
  });
  afterAll(() => at.close());

  async function post(url: string, headers: object, payload?: object, key?: string): Promise<Answered> {
    const answer = await at.server.inject({
      method: "POST",
      url,
      headers: { ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) },
      ...(payload === undefined ? {} : { payload }),
    });
    const replayed = answer.headers["idempotency-replayed"] === "true";
    return { status: answer.statusCode, replayed, text: answer.body, body: bodyOf(answer) };
  }

  const asked = (artifact: string): object => ({ policy_key: "p", artifact_type: "thing", artifact_id: artifact });

  it("engine R-IDEMP-2: is answered again with the very same bytes, and makes nothing new", async () => {
    const first = await post("/v1/requests", as("rita"), asked("same"), "k1");
    const again = await post("/v1/requests", as("rita"), asked("same"), "k1");
    expect([first.status, first.replayed, again.status, again.replayed]).toEqual([201, false, 201, true]);
    expect(again.body).toEqual(first.body);
    const page = await at.server.inject({ url: "/v1/requests?artifact_id=same", headers: asAdmin });
    expect(page.json()).toHaveLength(1);
  });

  it("engine R-IDEMP-1: is the same call in both mounts", async () => {
    const first = await post("/v1/requests", as("rita"), asked("mounts"), "k2");
    const again = await post("/v1/awe/requests", as("rita"), asked("mounts"), "k2");
    expect([again.replayed, again.body]).toEqual([true, first.body]);
  });

  it("engine R-IDEMP-1: the order of members and unknown ones do not make another call", async () => {
    const first = await post("/v1/requests", as("rita"), asked("order"), "k3");
    const reordered = { artifact_id: "order", extra: 1, context: {}, artifact_type: "thing", policy_key: "p" };
    const again = await post("/v1/requests", as("rita"), reordered, "k3");
    expect([again.replayed, again.body]).toEqual([true, first.body]);
  });

  it("engine R-IDEMP-2: with another payload is refused", async () => {
    await post("/v1/requests", as("rita"), asked("one"), "k4");
    const other = await post("/v1/awe/requests", as("rita"), asked("two"), "k4");
    expect(other).toMatchObject({
      status: 409,
      body: { code: "idempotency_conflict", message: "Idempotency-Key was already used with a different payload" },
    });
  });

  it("engine R-IDEMP-1: another requester is another payload, another caller another call", async () => {
    const portal = (name: string): object => {
      const claims = { sub: `sub-${name}`, preferred_username: name, azp: "portal" };
      return { authorization: `Bearer ${unsignedToken(claims)}` };
    };
    await post("/v1/requests", portal("rita"), asked("whose"), "k5");
    const viaSameClient = await post("/v1/requests", portal("ben"), asked("whose"), "k5");
    const elsewhere = await post("/v1/requests", as("ben"), asked("whose"), "k5");
    expect([viaSameClient.status, viaSameClient.body["code"]]).toEqual([409, "idempotency_conflict"]);
    expect([elsewhere.status, elsewhere.replayed]).toEqual([201, false]);
  });

  it("engine R-IDEMP-1: a refused call is not kept, so it can be repeated when it has become possible", async () => {
    const refused = await post("/v1/requests", as("rita"), { ...asked("later"), policy_key: "q" }, "k6");
    expect(refused.status).toBe(404);
    const accepted = await post("/v1/requests", as("rita"), asked("later"), "k6");
    expect([accepted.status, accepted.replayed]).toEqual([201, false]);
  });

  it("engine R-IDEMP-3: five at once act once", async () => {
    const calls = Array.from({ length: 5 }, () => post("/v1/requests", as("rita"), asked("at-once"), "k7"));
    const answers = await Promise.all(calls);
    expect(new Set(answers.map(({ body }) => body["request_id"])).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
  });

  it("engine R-DECIDE-4: a decision is replayed to whoever made it, and to nobody else", async () => {
    const { body } = await post("/v1/requests", as("rita"), asked("decide"));
    const url = `/v1/awe/tasks/${textAt(body, "tasks", 0, "id")}/decision`;
    const first = await post(url, as("hugo"), { action: "approve" }, "k8");
    const again = await post(url, as("hugo"), { action: "approve" }, "k8");
    expect([again.status, again.replayed, again.body]).toEqual([201, true, first.body]);
    expect(await post(url, asAdmin, { action: "approve" }, "k8")).toMatchObject({ status: 409, replayed: false });
    expect(await post(url, as("hugo"), { action: "approve" })).toMatchObject({
      status: 409,
      body: { code: "wrong_state" },
    });
  });

  it("engine R-IDEMP-4: nothing is replayed to an administrator of old, who may not read the request any more", async () => {
    const boss = as("boss", ["AWE_ADMIN"]);
    const made = await post("/v1/requests", as("rita"), asked("former"));
    const task = `/v1/tasks/${textAt(made.body, "tasks", 0, "id")}`;
    const cancel = `/v1/requests/${textAt(made.body, "request_id")}/cancel`;
    const acts: readonly (readonly [string, object, string])[] = [
      [`${task}/claim`, {}, "task_not_found"],
      [`${task}/reassign`, { new_assignee: "iris" }, "task_not_found"],
      [cancel, {}, "request_not_found"],
    ];
    for (const [url, said] of acts) expect(await post(url, boss, said, "k9")).toMatchObject({ status: 200 });
    for (const [url, said, code] of acts) {
      expect(await post(url, boss, said, "k9")).toMatchObject({ status: 200, replayed: true });
      expect(await post(url, as("boss"), said, "k9")).toMatchObject({ status: 404, replayed: false, body: { code } });
    }
  });

  it("engine R-IDEMP-1: the same key on another task is another call", async () => {
    const tasks = await Promise.all(
      ["a", "b"].map(async (artifact) => {
        const { body } = await post("/v1/requests", as("rita"), asked(artifact));
        return textAt(body, "tasks", 0, "id");
      }),
    );
    const answers = [];
    for (const id of tasks)
      answers.push(await post(`/v1/awe/tasks/${id}/decision`, as("hugo"), { action: "approve" }, "k9"));
    expect(answers.map(({ status, replayed, body }) => [status, replayed, body["task_id"]])).toEqual(
      tasks.map((id) => [201, false, id]),
    );
  });

  it("engine R-IDEMP-1: an empty key is no key", async () => {
    const answers = [
      await post("/v1/requests", as("rita"), asked("x"), ""),
      await post("/v1/requests", as("rita"), asked("x"), ""),
    ];
    expect(answers.map(({ replayed }) => replayed)).toEqual([false, false]);
  });
});
