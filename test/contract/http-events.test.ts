/** The live stream and waiting: what happens is told at once, to whoever may know it, without a gap. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { buildServer } from "../../src/http/build-server.ts";
import { liveEventSchema } from "../../src/contract/live-events.ts";
import { EventStream } from "../support/event-stream.ts";
import { callOver, jsonOf } from "../support/http-call.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { as, asAdmin, openServer, unsignedToken, type TestServer } from "../support/test-server.ts";

let database: TestDatabase;
let at: TestServer;
let base = "";

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
  base = await at.server.listen({ host: "127.0.0.1", port: 0 });
  const rules = [{ rule_type: "user", rule_value: { user_id: "hugo" } }];
  const stages = [{ name: "Stage", stage_order: 1, rules }];
  await post("/v1/policies", asAdmin, { policy_key: "p", name: "P", artifact_type: "thing", stages });
  await post("/v1/policies/p/versions/1/activate", asAdmin, {});
});
afterAll(async () => {
  await at.close();
  await database.drop();
});

async function post(path: string, headers: object, body: object): Promise<JsonObject> {
  const json = { ...headers, "Content-Type": "application/json" };
  const answer = await callOver(base, { method: "POST", path, headers: json, body: JSON.stringify(body) });
  return objectIn(answer.text);
}

async function ask(artifact: string): Promise<{ requestId: string; taskId: string }> {
  const made = await post("/v1/requests", as("rita"), {
    policy_key: "p",
    artifact_type: "thing",
    artifact_id: artifact,
  });
  return { requestId: textAt(made, "request_id"), taskId: textAt(made, "tasks", 0, "id") };
}

function listen(headers: Readonly<Record<string, string>>, query = ""): Promise<EventStream> {
  return EventStream.open(`${base}/v1/events${query}`, headers);
}

describe("the live stream", () => {
  it("api R-LIVE-1: tells what happens while one listens, once each and in order", async () => {
    const stream = await listen(as("hugo"));
    const { requestId, taskId } = await ask("live");
    await post(`/v1/awe/tasks/${taskId}/decision`, as("hugo"), { action: "approve" });
    await stream.until(({ events }) => events.some(({ event }) => event === "request_approved"));
    stream.close();
    const told = stream.events.filter(({ data }) => data["request_id"] === requestId);
    expect(told.map(({ event }) => event)).toEqual([
      "request_created",
      "stage_started",
      "task_decided",
      "stage_completed",
      "request_approved",
    ]);
    expect(told.map(({ data }) => data["sequence"])).toEqual([1, 2, 3, 4, 5]);
    for (const { data } of told) expect(liveEventSchema.strict().parse(data)).toEqual(data);
    const ids = stream.events.map(({ id }) => Number(id));
    expect(ids).toEqual([...new Set(ids)].sort((left, right) => left - right));
    expect(stream.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
    });
    expect(stream.headers).toHaveProperty("x-request-id");
    expect(stream.headers).toHaveProperty("content-security-policy");
  });

  it("api R-LIVE-2: goes on where it was cut, without a gap and without repetition", async () => {
    const whole = await listen(asAdmin);
    await ask("before");
    await whole.until(({ events }) => events.length >= 2);
    const last = whole.events.at(-1)?.id ?? "";
    const { requestId } = await ask("between");
    const resumed = await listen({ ...asAdmin, "Last-Event-ID": last });
    await resumed.until(({ events }) => events.filter(({ data }) => data["request_id"] === requestId).length === 2);
    await whole.until(({ events }) => events.filter(({ data }) => data["request_id"] === requestId).length === 2);
    expect(resumed.events).toEqual(whole.events.filter(({ id }) => Number(id) > Number(last)));
    whole.close();
    resumed.close();
  });

  it("engine R-AUTH-30: says nothing about requests that the listener may not read", async () => {
    const [stranger, viewer] = await Promise.all([listen(as("uma")), listen(as("vera", ["AWE_VIEWER"]))]);
    await ask("secret");
    await viewer.until(({ events }) => events.length >= 2);
    const own = await post("/v1/requests", as("uma"), { policy_key: "p", artifact_type: "thing", artifact_id: "own" });
    await stranger.until(({ events }) => events.length >= 2);
    expect(new Set(stranger.events.map(({ data }) => data["request_id"]))).toEqual(new Set([own["request_id"]]));
    stranger.close();
    viewer.close();
  });

  it("api R-LIVE-3: one person has at most five, and gets a place back by closing one", async () => {
    const streams = await Promise.all(Array.from({ length: 5 }, () => listen(as("many"))));
    const sixth = await callOver(base, { method: "GET", path: "/v1/events", headers: as("many") });
    expect([sixth.status, sixth.headers["retry-after"]]).toEqual([429, "15"]);
    expect(jsonOf(sixth)).toMatchObject({ code: "rate_limited" });
    streams[0]?.close();
    await expect
      .poll(async () => {
        const next = await listen(as("many"));
        next.close();
        return next.status;
      })
      .toBe(200);
    for (const stream of streams) stream.close();
  });

  it("api R-LIVE-4: ends with the credential", async () => {
    const exp = Math.floor(Date.now() / 1000) + 1;
    const stream = await listen({ authorization: `Bearer ${unsignedToken({ sub: "short", exp })}` });
    expect(stream.status).toBe(200);
    await stream.until(({ ended }) => ended);
    expect(stream.ended).toBe(true);
  });

  it("api R-LIVE-4: ends with the browser's session, and tells nothing after signing out", async () => {
    const signIn = { method: "POST", path: "/v1/dev/session", body: JSON.stringify({ assignee: "hugo" }) };
    const signedIn = await callOver(base, { ...signIn, headers: { "Content-Type": "application/json" } });
    const cookie = String(signedIn.headers["set-cookie"]).split(";")[0] ?? "";
    const stream = await listen({ cookie });
    const own = {
      cookie,
      origin: at.options.browser.origin,
      "x-csrf-token": textAt(objectIn(signedIn.text), "csrf_token"),
    };
    expect((await callOver(base, { method: "DELETE", path: "/v1/session", headers: own })).status).toBe(204);
    await ask("after signing out");
    await stream.until(({ ended }) => ended);
    expect(stream.events).toEqual([]);
  });

  it("api R-LIVE-4: ends when the browser's session is over", async () => {
    const identity = { ...at.app.identity, webSeconds: 1 };
    const brief = await buildServer({ ...at.options, app: { ...at.app, identity } });
    const url = await brief.listen({ host: "127.0.0.1", port: 0 });
    const signedIn = await brief.inject({ method: "POST", url: "/v1/dev/session", payload: { assignee: "brief" } });
    const cookie = String(signedIn.headers["set-cookie"]).split(";")[0] ?? "";
    const stream = await EventStream.open(`${url}/v1/events`, { cookie });
    await stream.until(({ ended }) => ended);
    expect(stream.status).toBe(200);
    await brief.close();
  });

  it("api R-LIVE-1: does not look again at what the listener may not read", async () => {
    const asked: number[] = [];
    const reader: typeof at.app.reader = {
      ...at.app.reader,
      eventsAfter: (position, limit, viewer) => {
        asked.push(position);
        return at.app.reader.eventsAfter(position, limit, viewer);
      },
    };
    const watched = await buildServer({ ...at.options, app: { ...at.app, reader } });
    const url = await watched.listen({ host: "127.0.0.1", port: 0 });
    const stream = await EventStream.open(`${url}/v1/events?after=-1`, as("onlooker"));
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    await ask("unseen");
    const end = await at.app.reader.position();
    await ask("unseen too");
    await expect.poll(() => asked.at(-1)).toBeGreaterThanOrEqual(end - 1);
    stream.close();
    await watched.close();
  });

  it("api R-LIVE-4: does not keep the server from stopping", async () => {
    const other = await createTestDatabase();
    const stopping = await openServer(other.url);
    const url = await stopping.server.listen({ host: "127.0.0.1", port: 0 });
    const stream = await EventStream.open(`${url}/v1/events`, asAdmin);
    await stopping.close();
    await stream.until(({ ended }) => ended);
    expect(stream.ended).toBe(true);
    await other.drop();
  });
});

describe("waiting for a request", () => {
  it("api R-LIVE-5: is answered as soon as it has ended", async () => {
    const { requestId, taskId } = await ask("wait");
    const waiting = callOver(base, {
      method: "GET",
      path: `/v1/requests/${requestId}/wait?timeout=30`,
      headers: as("rita"),
    });
    await post(`/v1/awe/tasks/${taskId}/decision`, as("hugo"), { action: "reject", comment: "no" });
    const answer = await waiting;
    expect([answer.status, jsonOf(answer)]).toMatchObject([200, { id: requestId, status: "rejected" }]);
  });

  it("api R-LIVE-5: is answered with the live status when the time is over", async () => {
    const { requestId } = await ask("slow");
    const answer = await callOver(base, {
      method: "GET",
      path: `/v1/requests/${requestId}/wait?timeout=1`,
      headers: as("rita"),
    });
    expect([answer.status, jsonOf(answer)]).toMatchObject([200, { status: "in_review" }]);
  });

  it("api R-LIVE-5: no caller holds more than a hundred waits at once", async () => {
    const { requestId } = await ask("many");
    const wait = (): Promise<number> =>
      callOver(base, {
        method: "GET",
        path: `/v1/requests/${requestId}/wait?timeout=2`,
        headers: as("rita"),
      }).then(({ status }) => status);
    const answers = await Promise.all(Array.from({ length: 103 }, wait));
    expect(answers.filter((status) => status === 429).length).toBe(3);
    expect(answers.filter((status) => status === 200).length).toBe(100);
  });
});
