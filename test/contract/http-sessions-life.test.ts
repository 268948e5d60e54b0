/** How long a session lives, what ends it, and what is remembered of it. */
import { afterAll, beforeAll, beforeEach, afterEach, expect, it } from "vitest";
import { createHousekeeping } from "../../src/adapters/postgres/housekeeping.ts";
import { endOverdueSessions } from "../../src/app/end-overdue-sessions.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { EventStream } from "../support/event-stream.ts";
import { bodyOf, objectIn, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, signedInAs, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function listIn(answer: BrowserAnswer): readonly JsonObject[] {
  const value = answer.json();
  if (!Array.isArray(value)) throw new Error(`no list: ${answer.body}`);
  return value.filter((item) => isJsonObject(item));
}

async function endedWith(at: TestServer, cause: string): Promise<number> {
  const { rows } = await at.pool.query<{ text: string }>(
    "select text from ledger_entries where kind = 'session.ended' order by seq",
  );
  return rows.filter(({ text }) => textAt(objectIn(text), "data", "cause") === cause).length;
}

describeOnEveryPostgres("a session of the browser", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  beforeEach(async () => {
    at = await openServer((await database.fresh()).url);
    admin = await signedIn(at);
  });
  afterEach(() => at.close());

  it("identity R-SESS-3: ends after 60 minutes without a call, and not while there are calls", async () => {
    for (let round = 0; round < 5; round += 1) {
      at.advance(59 * MINUTE_MS);
      expect(outcomeOf(await admin.get("/me"))).toBe("200");
    }
    at.advance(60 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me"))).toBe("401 session_expired");
  });

  it("identity section 3: an organization's own, shorter idle time holds for whoever signs in from then on", async () => {
    const setting = { key: "session_timeout_minutes", value: 15 };
    expect((await admin.put("/settings", setting, { fresh: true })).statusCode).toBeLessThan(300);
    must(await admin.signIn(), 201);
    at.advance(14 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me"))).toBe("200");
    at.advance(15 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me"))).toBe("401 session_expired");
  });

  it("identity section 3: where passkeys must be bound to a device, 5 sessions of 15 minutes idle and 12 hours", async () => {
    const setting = { key: "aal3", value: true };
    expect((await admin.put("/settings", setting, { fresh: true })).statusCode).toBeLessThan(300);
    const browsers = Array.from({ length: 6 }, () => new TestBrowser(at, { key: admin.key }));
    for (const browser of browsers) {
      must(await browser.signIn(), 201);
      at.advance(1_000);
    }
    const [oldest = admin, second = admin] = browsers;
    expect(outcomeOf(await oldest.get("/me"))).toBe("401 session_expired");
    const me = bodyOf(await second.get("/me"));
    expect(Date.parse(textAt(me, "session", "expires_at"))).toBeLessThanOrEqual(at.app.clock() + 12 * HOUR_MS);
    at.advance(15 * MINUTE_MS);
    expect(outcomeOf(await second.get("/me"))).toBe("401 session_expired");
  });

  it("identity R-SESS-4: what a page asks by itself does not keep a session alive", async () => {
    const headers = { "x-countersign-background": "1" };
    at.advance(59 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me", { headers }))).toBe("200");
    at.advance(2 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me", { headers }))).toBe("401 session_expired");
  });

  it("identity R-SESS-3: ends after 24 hours whatever is done", async () => {
    for (let round = 0; round < 24; round += 1) {
      at.advance(59 * MINUTE_MS);
      must(await admin.get("/me"), 200);
    }
    at.advance(22 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me"))).toBe("200");
    at.advance(3 * MINUTE_MS);
    expect(outcomeOf(await admin.get("/me"))).toBe("401 session_expired");
  });

  it("identity section 3: a person has 20 sessions at most; the oldest ends", async () => {
    const browsers: TestBrowser[] = [];
    for (let count = 0; count < 20; count += 1) {
      const browser = new TestBrowser(at, { key: admin.key });
      must(await browser.signIn(), 201);
      at.advance(1_000);
      browsers.push(browser);
    }
    expect(outcomeOf(await admin.get("/me"))).toBe("401 session_expired");
    expect(outcomeOf(await (browsers[0] ?? admin).get("/me"))).toBe("200");
    expect(await endedWith(at, "too_many")).toBe(1);
  });

  it("identity R-SESS-3: one's sessions are listed, the present one marked, and ended with a factor", async () => {
    const other = new TestBrowser(at, { key: admin.key });
    must(await other.signIn(), 201);
    const listed = listIn(await admin.get("/me/sessions"));
    expect(listed.map(({ current, kind, method }) => ({ current, kind, method }))).toEqual([
      { current: false, kind: "web", method: "passkey" },
      { current: true, kind: "web", method: "passkey" },
    ]);
    expect(listed[0]).toMatchObject({ address: other.address, client: "Other browser" });
    const path = `/me/sessions/${textAt(listed[0], "id")}`;
    expect(outcomeOf(await admin.delete(path))).toBe("401 mfa_required");
    expect(outcomeOf(await admin.delete(path, { fresh: true }))).toBe("204");
    expect(outcomeOf(await other.get("/me"))).toBe("401 session_expired");
    expect(outcomeOf(await admin.get("/me"))).toBe("200");
    expect(outcomeOf(await admin.delete(path, { fresh: true }))).toBe("404 not_found");
  });

  it("identity R-SESS-3: nobody ends somebody else's session", async () => {
    const other = await signedInAs(at, admin, { roles: ["deployer"] });
    const [theirs] = listIn(await admin.get("/me/sessions"));
    const path = `/me/sessions/${textAt(theirs, "id")}`;
    expect(outcomeOf(await other.delete(path, { fresh: true }))).toBe("404 not_found");
    expect(outcomeOf(await admin.get("/me"))).toBe("200");
  });

  it("identity R-SESS-3: all others end at once", async () => {
    const others = [new TestBrowser(at, { key: admin.key }), new TestBrowser(at, { key: admin.key })];
    for (const browser of others) must(await browser.signIn(), 201);
    expect(outcomeOf(await admin.post("/me/sessions/end-others", {}))).toBe("401 mfa_required");
    expect(outcomeOf(await admin.post("/me/sessions/end-others", {}, { fresh: true }))).toBe("204");
    for (const browser of others) expect(outcomeOf(await browser.get("/me"))).toBe("401 session_expired");
    expect(outcomeOf(await admin.get("/me"))).toBe("200");
  });

  it("identity R-SESS-3: sessions whose time is over end in the ledger too, many in one command, once each", async () => {
    for (let count = 0; count < 3; count += 1) {
      must(await new TestBrowser(at, { key: admin.key }).signIn(), 201);
    }
    const housekeeping = createHousekeeping(at.pool);
    await endOverdueSessions(at.app, housekeeping);
    expect(await endedWith(at, "idle")).toBe(0);
    at.advance(66 * MINUTE_MS);
    await endOverdueSessions(at.app, housekeeping);
    await endOverdueSessions(at.app, housekeeping);
    expect([await endedWith(at, "idle"), await endedWith(at, "expired")]).toEqual([4, 0]);
    must(await admin.signIn(), 201);
    at.advance(25 * HOUR_MS);
    await endOverdueSessions(at.app, housekeeping);
    expect(await endedWith(at, "expired")).toBe(1);
  });

  it("identity R-SESS-4: last use is written for all sessions at once, without an entry, and never backwards", async () => {
    const other = new TestBrowser(at, { key: admin.key });
    must(await other.signIn(), 201);
    at.advance(10 * MINUTE_MS);
    for (const browser of [admin, other]) must(await browser.get("/me"), 200);
    const [before, now] = [await at.app.reader.position(), at.app.clock()];
    const housekeeping = createHousekeeping(at.pool);
    const seen = at.app.lastSeen.drain(now);
    expect(seen.size).toBe(2);
    await housekeeping.writeLastSeen(seen);
    await housekeeping.writeLastSeen(new Map([...seen].map(([id, when]) => [id, when - HOUR_MS])));
    const { rows } = await at.pool.query<{ ago: number }>(
      `select extract(epoch from (to_timestamp($1 / 1000.0) - last_seen_at))::integer as ago
       from sessions where ended_at is null`,
      [now],
    );
    expect(rows.map(({ ago }) => ago < 60)).toEqual([true, true]);
    expect(await at.app.reader.position()).toBe(before);
  });

  it("identity R-SESS-4: everything else about a session needs an entry", async () => {
    await expect(at.pool.query("update sessions set expires_at = now() + interval '9 years'")).rejects.toThrow(
      /without a ledger entry/,
    );
  });

  it("identity R-SESS-3: an event stream ends within 5 s of its session, and does not keep it from idling", async () => {
    const base = await at.server.listen({ host: "127.0.0.1", port: 0 });
    const cookie = admin.cookie;
    const stream = await EventStream.open(`${base}/v1/events`, { cookie });
    expect(stream.status).toBe(200);
    at.advance(61 * MINUTE_MS);
    const since = performance.now();
    await stream.until(({ ended }) => ended);
    expect(performance.now() - since).toBeLessThan(5_000);
  });
});

describeOnEveryPostgres("who one is", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  it("identity section 3: Me says what the person may, where, and until when", async () => {
    const me = bodyOf(await admin.get("/me"));
    expect(me).toMatchObject({
      ...{ assignee: "root", name: "Rosa Root", email: "root@example.com", status: "active" },
      ...{ roles: ["admin", "platform_superuser"], organization: { name: "Example" }, mode: "development" },
      ...{ enrolled: true, enrolment_required: false, password_set: false, quarantined: false },
      organizations: [{ name: "Example" }],
    });
    expect(me["permissions"]).toContain("platform:*:*");
    expect(Date.parse(textAt(me, "session", "expires_at"))).toBeGreaterThan(at.app.clock() + 23 * HOUR_MS);
    expect(Date.parse(textAt(me, "session", "idle_expires_at"))).toBeLessThanOrEqual(at.app.clock() + HOUR_MS);
    expect(JSON.stringify(me)).not.toContain(admin.cookieNamed("__Host-cs_session"));
  });
});
