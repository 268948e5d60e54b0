/** Events that go to callers' addresses: signed, in order, again until they arrive (docs/spec/engine.md section 13). */
import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createGuardedFetch } from "../../src/adapters/outbound/guarded-fetch.ts";
import { outboundUrlFault } from "../../src/adapters/outbound/outbound-url.ts";
import { webhookSigningKey } from "../../src/adapters/webhook/sign-webhook.ts";
import { createWebhookSender } from "../../src/adapters/webhook/webhook-sender.ts";
import { sendWebhook } from "../../src/app/effects/send-webhook.ts";
import { keepDefaultSecret } from "../../src/app/effects/webhook-secret.ts";
import { keepEffects } from "../../src/main/keep-effects.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { racePolicy } from "../support/race-world.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { as, asAdmin, openServer, type TestServer } from "../support/test-server.ts";
import { openWebhookReceiver, type ReceivedCall, type WebhookReceiver } from "../support/webhook-receiver.ts";

const OUTBOUND = { allow: [], allowHttp: false, development: true };
const SECRET = "a secret of sixteen or more";
const WAIT = { timeout: 10_000 };

describe("webhooks", () => {
  let database: TestDatabase;
  let at: TestServer;
  let receiver: WebhookReceiver;
  let other: WebhookReceiver;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    database = await createTestDatabase();
    [receiver, other] = await Promise.all([openWebhookReceiver(), openWebhookReceiver()]);
    const sender = createWebhookSender({
      fetch: createGuardedFetch({ ...OUTBOUND, timeoutMs: 5_000, bytesMax: 65_536, cutAnswers: true }),
      ...{ userAgent: "countersign/0.0.0-test", standardKey: webhookSigningKey(randomBytes(32)) },
    });
    at = await openServer(database.url, {
      application: { settings: { webhooks: { urlFault: (url) => outboundUrlFault(url, OUTBOUND) } } },
      server: { webhooks: sender },
    });
    await keepDefaultSecret(at.app);
    stop = keepEffects({
      ...{ app: at.app, pool: at.pool, guard: { quarantined: false }, database: { connectionString: database.url } },
      work: {
        webhook: {
          handle: sendWebhook({ app: at.app, sender, includeData: true }),
          schedule: { waitsMs: [20], attemptsMax: 3, timeoutMs: 5_000 },
        },
      },
      ...{ fallbackMs: 200, webhooksAtOnce: 8, webhooksPerHost: 2, webhookHoldMs: 0, onError: () => undefined },
    });
    const policy = racePolicy("one", [{ people: ["ben"] }]);
    must(await call("POST", "/policies", policy), 201);
    must(await call("POST", "/policies/one/versions/1/activate", {}), 200);
    must(await call("POST", "/admin/secrets", { id: "mine", caller_service: "shop", secret: SECRET }), 201);
  });
  afterAll(async () => {
    await stop();
    await at.close();
    await Promise.all([receiver.close(), other.close()]);
    await database.drop();
  });

  let seen = 0;
  beforeEach(() => {
    receiver.answer({ status: 204 });
    seen = receiver.calls.length;
  });

  const calls = (): readonly ReceivedCall[] => receiver.calls.slice(seen);
  const events = (): readonly JsonObject[] => calls().map(({ body }) => objectOf(JSON.parse(body)));
  const types = (): readonly unknown[] => events().map(({ event_type: type }) => type);

  async function call(method: "GET" | "POST", url: string, payload?: object, headers: object = asAdmin) {
    const sent = payload === undefined ? {} : { payload };
    return await at.server.inject({ method, url: `/v1/awe${url}`, headers: { ...headers }, ...sent });
  }

  async function created(more: object = {}): Promise<string> {
    const callback = { callback_url: receiver.url, callback_secret_id: "mine", ...more };
    const body = { policy_key: "one", artifact_type: "payout", artifact_id: "p-1", ...callback };
    return textOf(must(await call("POST", "/requests", body, as("ana")), 201), "request_id");
  }

  async function deliveries(requestId: string): Promise<readonly JsonObject[]> {
    const list: unknown = (await call("GET", `/admin/deliveries?request_id=${requestId}`)).json();
    const found = Array.isArray(list) ? list.map(objectOf) : [];
    return found.toSorted((left, right) => Number(left["sequence"]) - Number(right["sequence"]));
  }

  const statuses = async (id: string): Promise<unknown[]> => (await deliveries(id)).map(({ status }) => status);

  function hmac(secret: string, { headers, body }: ReceivedCall): string {
    const message = `${String(headers["x-approval-timestamp"])}.${body}`;
    return `sha256=${createHmac("sha256", secret).update(message).digest("hex")}`;
  }

  it("engine R-HOOK-1, R-HOOK-2: each event goes out once, in order, signed, without credentials of any kind", async () => {
    const id = await created();
    must(await call("POST", `/requests/${id}/cancel`, { reason: "no" }, as("ana")), 200);
    await expect.poll(types, WAIT).toEqual(["request_created", "stage_started", "request_cancelled"]);
    expect(events().map((event) => objectOf(event["data"])["sequence"])).toEqual([1, 2, 3]);
    for (const received of calls()) {
      const { headers, body } = received;
      expect(headers["x-approval-signature"]).toBe(hmac(SECRET, received));
      expect(headers["x-approval-event-id"]).toBe(objectOf(JSON.parse(body))["event_id"]);
      expect([headers["content-type"], headers["user-agent"]]).toEqual(["application/json", "countersign/0.0.0-test"]);
      expect([headers.authorization, headers.cookie, headers["x-approval-signature-previous"]]).toEqual(
        Array.from({ length: 3 }, () => undefined),
      );
      expect(headers["webhook-signature"]).toMatch(/^v1,\S+ v1a,\S+$/);
    }
    await expect.poll(() => statuses(id), WAIT).toEqual(["delivered", "delivered", "delivered"]);
    const request = must(await call("GET", `/requests/${id}`), 200);
    expect(request["callback_url"]).toBe(receiver.url);
  });

  it("engine R-EVENT, R-HOOK-1: opt-in events go to whoever asks, and an event that there is not is refused", async () => {
    const id = await created({ callback_events: ["task_claimed"] });
    const { rows } = await at.pool.query<{ id: string }>("select id from tasks where request_id = $1", [id]);
    must(await call("POST", `/tasks/${rows[0]?.id ?? ""}/claim`, {}, as("ben")), 200);
    await expect.poll(types, WAIT).toEqual(["request_created", "stage_started", "task_claimed"]);
    const body = { policy_key: "one", artifact_type: "payout", artifact_id: "p", callback_url: receiver.url };
    const refused = await call("POST", "/requests", { ...body, callback_events: ["nothing_such"] }, as("ana"));
    expect([refused.statusCode, refused.body.includes("callback_events")]).toEqual([422, true]);
  });

  it("engine R-HOOK-9, R-HOOK-8: while the first event fails the later ones wait; given up, they go on; a retry sends it again", async () => {
    receiver.answer({ status: 500, body: "broken\u0000here" });
    const id = await created();
    await expect.poll(() => statuses(id), WAIT).toEqual(["exhausted", "exhausted"]);
    expect(types()).toEqual([...Array<string>(3).fill("request_created"), ...Array<string>(3).fill("stage_started")]);
    const [first] = await deliveries(id);
    expect(first).toMatchObject({ attempt: 3, last_status_code: 500, last_error: "The answer was 500" });
    const path = `/admin/deliveries/${textOf(first, "id")}`;
    const attempts: unknown = (await call("GET", `${path}/attempts`)).json();
    const about = { status_code: 500, url: receiver.url, signed_with: "mine", response_snippet: "broken here" };
    expect(attempts).toMatchObject([1, 2, 3].map((attempt) => ({ attempt, ...about })));
    receiver.answer({ status: 200 });
    seen = receiver.calls.length;
    expect(must(await call("POST", `${path}/retry`, {}), 200)).toMatchObject({ status: "pending", attempt: 0 });
    await expect.poll(() => statuses(id), WAIT).toEqual(["delivered", "exhausted"]);
    expect(events()[0]?.["event_id"]).toBe(first?.["event_id"]);
    const again = await call("POST", `${path}/retry`, {});
    expect([again.statusCode, again.body]).toEqual([409, expect.stringContaining("Delivery already succeeded")]);
    const { rows } = await at.pool.query("select action from audit_records where action = 'delivery.retry'");
    expect(rows).toHaveLength(1);
  });

  it("engine R-HOOK-8: 410 is the end at once; Retry-After lengthens the wait", async () => {
    receiver.answer({ status: 410 });
    const gone = await created();
    await expect.poll(() => statuses(gone), WAIT).toEqual(["exhausted", "exhausted"]);
    expect(calls()).toHaveLength(2);
    receiver.answer({ status: 503, headers: { "retry-after": "600" } });
    const later = await created();
    await expect.poll(async () => (await deliveries(later))[0]?.["last_status_code"], WAIT).toBe(503);
    const [first, second] = await deliveries(later);
    const wait = Date.parse(textOf(first, "next_attempt_at")) - Date.parse(textOf(first, "last_attempt_at"));
    expect(wait).toBeGreaterThanOrEqual(600_000);
    expect(second).toMatchObject({ status: "pending", attempt: 0, blocked_by: first?.["id"] });
  });

  it("engine R-HOOK-7: a redirect is a failure and is not followed", async () => {
    receiver.answer({ status: 302, headers: { location: other.url } });
    const id = await created();
    await expect.poll(() => statuses(id), WAIT).toEqual(["exhausted", "exhausted"]);
    expect(other.calls).toHaveLength(0);
    expect((await deliveries(id))[0]).toMatchObject({ last_status_code: 302 });
  });

  it("engine R-HOOK-11: a receiver that hangs has so many calls at once, and delays nobody else", async () => {
    const hanging = await openWebhookReceiver();
    hanging.answer("hang");
    for (let index = 0; index < 6; index++) await created({ callback_url: hanging.url });
    await expect.poll(() => hanging.calls.length, WAIT).toBe(2);
    const begun = performance.now();
    const id = await created({ callback_url: other.url });
    await expect.poll(() => statuses(id), WAIT).toEqual(["delivered", "delivered"]);
    expect(performance.now() - begun).toBeLessThan(3_000);
    expect(hanging.calls).toHaveLength(2);
    await hanging.close();
  });

  it("engine R-HOOK-16: both secrets sign for the overlap, afterwards the new one; a revoked one sends nothing", async () => {
    const made = must(await call("POST", "/admin/secrets", { id: "turn", caller_service: "turn" }), 201);
    const old = textOf(made, "secret");
    expect(old).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const rotated = must(await call("POST", "/admin/secrets/turn/rotate", { overlap_seconds: 60 }), 200);
    await created({ callback_secret_id: "turn" });
    await expect.poll(() => calls().length, WAIT).toBe(2);
    const [first] = calls();
    if (first === undefined) throw new Error("nothing was received");
    expect(first.headers["x-approval-signature"]).toBe(hmac(textOf(rotated, "secret"), first));
    expect(first.headers["x-approval-signature-previous"]).toBe(hmac(old, first));
    at.advance(61_000);
    seen = receiver.calls.length;
    await created({ callback_secret_id: "turn" });
    await expect.poll(() => calls().length, WAIT).toBe(2);
    expect(calls()[0]?.headers["x-approval-signature-previous"]).toBeUndefined();
    must(await call("POST", "/admin/secrets/turn/revoke", {}), 200);
    seen = receiver.calls.length;
    const id = await created({ callback_secret_id: "turn" });
    await expect.poll(() => statuses(id), WAIT).toEqual(["exhausted", "exhausted"]);
    expect((await deliveries(id))[0]).toMatchObject({ last_error: "signing secret revoked" });
    expect(calls()).toEqual([]);
  });

  it("engine R-HOOK-15: secrets are shown once, sealed in the database, one line per caller, never in the ledger", async () => {
    const twice = await call("POST", "/admin/secrets", { caller_service: "shop" });
    expect(twice.statusCode).toBe(409);
    const list = (await call("GET", "/admin/secrets")).body;
    expect(list).toContain('"mine"');
    expect(list).not.toContain(SECRET);
    const { rows } = await at.pool.query<{ secret: string }>("select secret from webhook_secrets where name = 'mine'");
    expect(rows[0]?.secret).toMatch(/^s1\./);
    const found = await at.pool.query("select 1 from ledger_entries where text like $1", [`%${SECRET}%`]);
    const openings = await at.pool.query("select 1 from ledger_openings where value::text like $1", [`%${SECRET}%`]);
    expect([found.rows, openings.rows]).toEqual([[], []]);
  });

  it("engine R-HOOK-18, R-HOOK-20, R-API-20: addresses and secrets that the caller may not use are refused at once", async () => {
    const only = { caller_service: "bank", allowed_callers: ["sub-cia"], allowed_urls: ["https://bank.example"] };
    must(await call("POST", "/admin/secrets", { id: "bank", ...only }), 201);
    const asked = async (callback: object, who: string): Promise<string> => {
      const body = { policy_key: "one", artifact_type: "payout", artifact_id: "p", ...callback };
      const answer = await call("POST", "/requests", body, as(who));
      return `${String(answer.statusCode)} ${answer.statusCode === 422 ? answer.body : ""}`;
    };
    const bank = { callback_url: "https://bank.example/hook", callback_secret_id: "bank" };
    expect(await asked(bank, "cia")).toBe("201 ");
    const barred = "callback_secret_id is not available to you";
    expect(await asked(bank, "ana")).toContain(barred);
    for (const url of ["https://bank.example.net/hook", "https://bank.example:8443/"]) {
      expect(await asked({ ...bank, callback_url: url }, "cia")).toContain(barred);
    }
    expect(await asked({ ...bank, callback_secret_id: "nobody" }, "cia")).toContain("callback_secret_id is unknown");
    for (const url of [
      "http://10.0.0.1/",
      "https://user:pw@x.example/",
      "https://[::ffff:10.0.0.1]/",
      "https://x.example/#a",
    ]) {
      expect(await asked({ callback_url: url }, "ana")).toContain("callback_url is not allowed: ");
    }
    expect(await asked({ callback_url: "" }, "ana")).toBe("201 ");
    await at.pool.query("update effects set due_at = due_at + interval '1 day' where state = 'pending'");
  });

  it("engine R-HOOK-6: without a secret of its own a caller's events are signed with the default one", async () => {
    await created({ callback_secret_id: null });
    await expect.poll(() => calls().length, WAIT).toBe(2);
    const list: unknown = (await call("GET", "/admin/secrets")).json();
    const used = Array.isArray(list) ? list.map(objectOf).find(({ id }) => id === "default") : undefined;
    expect(textOf(used, "last_used_at")).toMatch(/Z$/);
  });

  it("engine R-HOOK-14: a time's events are sent again with the same ids", async () => {
    const id = await created();
    await expect.poll(() => statuses(id), WAIT).toEqual(["delivered", "delivered"]);
    const range = { since: "2020-01-01T00:00:00Z", until: "2100-01-01T00:00:00Z", request_id: id };
    expect(must(await call("POST", "/admin/deliveries/redeliver", range), 200)).toEqual({ queued: 2 });
    await expect.poll(() => calls().length, WAIT).toBe(4);
    const ids = events().map(({ event_id: event }) => event);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  it("engine R-HOOK-17: a test event is sent now, and its result is the answer", async () => {
    const tested = must(await call("POST", "/admin/secrets/mine/test", { url: receiver.url }), 200);
    expect(tested).toMatchObject({ delivered: true, status_code: 204 });
    expect(events()).toMatchObject([{ event_type: "test", event_id: tested["event_id"] }]);
    const inside = await call("POST", "/admin/secrets/mine/test", { url: "https://169.254.169.254/" });
    expect(inside.statusCode).toBe(422);
  });

  it("identity section 10: nobody sends more than six test events a minute", async () => {
    const by = as("impatient", ["AWE_ADMIN"]);
    const outcomes: number[] = [];
    for (let number = 1; number <= 7; number += 1) {
      const payload = { url: "https://169.254.169.254/" };
      const url = "/v1/admin/secrets/mine/test";
      outcomes.push((await at.server.inject({ method: "POST", url, headers: by, payload })).statusCode);
    }
    expect(outcomes).toEqual([422, 422, 422, 422, 422, 422, 429]);
  });

  it("engine R-HOOK-5: anybody reads the key that verifies the signatures", async () => {
    const answer = await at.server.inject("/v1/webhook-keys");
    expect(answer.body).toMatch(
      /^\{"keys":\[\{"id":"[0-9a-f]{16}","algorithm":"ed25519","public_key":"whpk_[^"]+"\}\]\}$/,
    );
  });

  it("engine R-HOOK-3: a receiver in another language verifies what is sent, and refuses another secret's", async () => {
    const script = join(import.meta.dirname, "..", "interop", "webhook_receiver.py");
    const python = spawn("python3", [script, SECRET], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const port = await new Promise<string>((resolve, reject) => {
        python.on("error", reject);
        python.stdout.once("data", (line: Buffer) => {
          resolve(line.toString().trim());
        });
      });
      const id = await created({ callback_url: `http://127.0.0.1:${port}/`, requester: "Jörg 🦆" });
      await expect.poll(() => statuses(id), WAIT).toEqual(["delivered", "delivered"]);
      const url = `http://127.0.0.1:${port}/`;
      expect(must(await call("POST", "/admin/secrets/default/test", { url }), 200)).toMatchObject({ status_code: 401 });
    } finally {
      python.kill("SIGKILL");
    }
  });
});

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function textOf(object: JsonObject | undefined, member: string): string {
  const value = object?.[member];
  if (typeof value !== "string") throw new Error(`there is no ${member}`);
  return value;
}

function must(answer: { readonly statusCode: number; readonly body: string }, status: number): JsonObject {
  if (answer.statusCode !== status) throw new Error(`${String(answer.statusCode)}: ${answer.body}`);
  return objectOf(JSON.parse(answer.body));
}
