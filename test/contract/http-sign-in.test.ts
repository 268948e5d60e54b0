/** Signing in without an identity provider: passkeys, passwords with a second factor, trusted browsers, and attacks on them. */
import { TOTP } from "otpauth";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { summarizeRefusals } from "../../src/app/refused-sign-ins.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { bodyOf, objectIn, textAt } from "../support/json-answer.ts";
import { authenticatorFor, must, outcomeOf, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const PASSWORD = "a quiet harbour in the rain";
const STEP_MS = 30_000;
const DAY_MS = 86_400_000;

/** The data of every entry of this kind. */
async function entries(at: TestServer, kind: string): Promise<readonly JsonObject[]> {
  const { rows } = await at.pool.query<{ text: string }>(
    "select text from ledger_entries where kind = $1 order by seq",
    [kind],
  );
  return rows.map(({ text }) => {
    const data = objectIn(text)["data"];
    if (!isJsonObject(data)) throw new Error(`no data: ${text}`);
    return data;
  });
}

/** A person with a password, an authenticator and backup codes beside the passkey. */
interface Equipped {
  readonly browser: TestBrowser;
  readonly login: string;
  readonly backupCodes: readonly string[];
  code(): string;
}

async function equipped(at: TestServer, browser: TestBrowser, login: string): Promise<Equipped> {
  must(await browser.put("/me/password", { password: PASSWORD }, { fresh: true }), 204);
  const offered = must(await browser.post("/me/factors/totp/options", {}, { fresh: true }), 201);
  const totp = new TOTP({ secret: textAt(offered, "secret"), algorithm: "SHA1", digits: 6, period: 30 });
  const code = (): string => totp.generate({ timestamp: at.app.clock() });
  const { ceremony } = offered;
  must(await browser.post("/me/factors/totp", { ceremony, code: code(), name: "Phone" }), 201);
  const made = must(await browser.post("/me/backup-codes", {}, { fresh: true }), 201);
  must(await browser.post("/me/backup-codes/confirm", { ceremony: made["ceremony"] }), 204);
  const codes = made["codes"];
  at.advance(STEP_MS);
  return { browser, login, code, backupCodes: Array.isArray(codes) ? codes.map(String) : [] };
}

describeOnEveryPostgres("signing in", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  let root: Equipped;
  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
    root = await equipped(at, admin, "root");
  }, 60_000);
  afterAll(() => at.close());

  /** A browser that holds nothing yet, on a network of its own. */
  function fresh(): TestBrowser {
    return new TestBrowser(at, { key: admin.key });
  }

  async function password(browser: TestBrowser, more: object = {}): Promise<string> {
    return outcomeOf(await browser.post("/auth/password", { login: root.login, password: PASSWORD, ...more }));
  }

  it("identity R-LOCAL-1: a passkey signs in alone, is asked to verify its user, and opens the step-up window", async () => {
    const browser = fresh();
    const offered = must(await browser.post("/auth/passkey/options"), 201);
    expect(offered["options"]).toMatchObject({ userVerification: "required", rpId: "approvals.example.com" });
    expect(Object(offered["options"])).not.toHaveProperty("allowCredentials.0");
    expect(outcomeOf(await browser.signIn())).toBe("201");
    expect(bodyOf(await browser.get("/me"))).toMatchObject({
      ...{ person_id: admin.personId, session: { kind: "web", method: "passkey", aal: 2 } },
    });
    expect(textAt(browser.me, "session", "step_up_until")).toMatch(/Z$/);
  });

  it.each([
    ["that did not verify its user", { userVerified: false }],
    ["of another origin", { origin: "https://approvals.example.com.evil.example" }],
    ["of another site", { rpId: "evil.example" }],
    ["to another challenge", { challenge: Buffer.alloc(32, 9).toString("base64url") }],
    ["of another user", { userHandle: Buffer.alloc(32, 9).toString("base64url") }],
    ["with a broken signature", { badSignature: true }],
    ["from a frame of another site", { clientData: { crossOrigin: true } }],
  ])("identity R-LOCAL-1: a passkey's answer %s opens nothing", async (_name, spoiled) => {
    const browser = fresh();
    const { ceremony, options } = must(await browser.post("/auth/passkey/options"), 201);
    const response = admin.key.assert(options ?? null, spoiled);
    const answer = await browser.post("/auth/passkey", { ceremony, response });
    expect([outcomeOf(answer), answer.headers["set-cookie"]]).toEqual(["401 credentials_invalid", undefined]);
  });

  it("identity R-LOCAL-1: a passkey's answer serves once, within 120 s, and a key nobody enrolled never", async () => {
    const browser = fresh();
    const { ceremony, options } = must(await browser.post("/auth/passkey/options"), 201);
    const response = admin.key.assert(options ?? null);
    expect(outcomeOf(await browser.post("/auth/passkey", { ceremony, response }))).toBe("201");
    expect(outcomeOf(await fresh().post("/auth/passkey", { ceremony, response }))).toBe("401 credentials_invalid");
    const late = must(await browser.post("/auth/passkey/options"), 201);
    at.advance(121_000);
    const answered = { ceremony: late["ceremony"], response: admin.key.assert(late["options"] ?? null) };
    expect(outcomeOf(await fresh().post("/auth/passkey", answered))).toBe("401 credentials_invalid");
    const stranger = new TestBrowser(at);
    const creation = at.app.passkeys.registrationOptions({
      ...{ challenge: Buffer.alloc(32), handle: Buffer.alloc(32).toString("base64url"), name: "x", displayName: "x" },
      exclude: [],
    });
    stranger.key.register(creation);
    expect(outcomeOf(await stranger.signIn())).toBe("401 credentials_invalid");
  });

  it("identity R-LOCAL-1: a challenge for something else does not sign in", async () => {
    const challenge = must(await admin.post("/me/challenges", { act: "POST /session/step-up" }), 201);
    const response = admin.key.assert(challenge["options"] ?? null);
    const answer = await fresh().post("/auth/passkey", { ceremony: challenge["id"], response });
    expect(outcomeOf(answer)).toBe("401 credentials_invalid");
  });

  it("identity R-FACT-11: a copy of a passkey does not sign in, and no longer signs", async () => {
    const person = await signedInAs(at, admin, { login: "copied" });
    const copy = person.key.clone();
    const original = new TestBrowser(at, { key: person.key });
    expect(outcomeOf(await original.signIn())).toBe("201");
    expect(outcomeOf(await new TestBrowser(at, { key: copy }).signIn())).toBe("401 credentials_invalid");
    const { rows } = await at.pool.query(
      "select signing_disabled_at is not null as disabled from factors where person_id = $1",
      [person.personId],
    );
    expect(rows).toEqual([{ disabled: true }]);
    expect(await entries(at, "factor.counter_regressed")).toHaveLength(1);
  });

  it("identity R-LOCAL-1: a password signs in with a code of the authenticator, and in any case of the login", async () => {
    const browser = fresh();
    at.advance(STEP_MS);
    expect(await password(browser, { login: "ROOT", code: root.code() })).toBe("201");
    expect(browser.me).toMatchObject({ session: { kind: "web", method: "password", aal: 2 } });
  });

  it("identity R-FACT-4: a code signs in once", async () => {
    at.advance(2 * STEP_MS);
    const body = { login: "root", password: PASSWORD, code: root.code() };
    expect(outcomeOf(await fresh().post("/auth/password", body))).toBe("201");
    expect(outcomeOf(await fresh().post("/auth/password", body))).toBe("401 credentials_invalid");
    at.advance(16 * 60_000);
  });

  it("identity R-FACT-5: a backup code signs in once, however it is typed", async () => {
    const code = (root.backupCodes[0] ?? "").toLowerCase().replaceAll("-", " ");
    expect(await password(fresh(), { code })).toBe("201");
    expect(await password(fresh(), { code })).toBe("401 credentials_invalid");
  });

  it("identity R-LOCAL-1: a password alone opens nothing for whoever has factors", async () => {
    expect(await password(fresh())).toBe("401 credentials_invalid");
  });

  it("identity R-LOCAL-3: unknown login, wrong password and wrong code get one answer", async () => {
    const bodies = [
      { login: "nobody", password: PASSWORD, code: "123456" },
      { login: "root", password: "not the password at all", code: root.code() },
      { login: "root", password: PASSWORD, code: "000000" },
      { login: "root", password: PASSWORD },
    ];
    const answers: unknown[] = [];
    for (const body of bodies) {
      answers.push({ ...bodyOf(await fresh().post("/auth/password", body)), trace: "" });
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toMatchObject({ status: 401, code: "credentials_invalid" });
    at.advance(16 * 60_000);
  });

  it("identity R-LOCAL-3: an unknown login takes the work of a known one", async () => {
    const timed = async (login: string): Promise<number> => {
      const since = performance.now();
      await fresh().post("/auth/password", { login, password: "some wrong password", code: "123456" });
      return performance.now() - since;
    };
    await timed("root");
    const [known, unknown] = [await timed("root"), await timed("nobody-at-all")];
    // The hash alone takes hundreds of milliseconds; without it an answer comes within a tenth of that.
    expect(unknown).toBeGreaterThan(known / 3);
    await at.app.refusals.settled();
  });

  it("identity R-LOCAL-3: the ledger knows whose sign-in was refused and why, a stranger's only by number", async () => {
    await at.app.refusals.settled();
    const before = (await entries(at, "login.refused")).length;
    expect(await password(fresh(), { password: "wrong again, of course" })).toBe("401 credentials_invalid");
    expect(await password(fresh(), { login: "nobody" })).toBe("401 credentials_invalid");
    await at.app.refusals.settled();
    const refused = (await entries(at, "login.refused")).slice(before);
    expect(refused.map((data) => data["cause"])).toEqual(["wrong_password"]);
    at.advance(61_000);
    await summarizeRefusals(at.app);
    expect((await entries(at, "access.refused_summary")).length).toBeGreaterThanOrEqual(1);
  });

  it("identity R-SESS-2: signing in ends the session that the browser had, and never takes over one it was given", async () => {
    const browser = fresh();
    expect(outcomeOf(await browser.signIn())).toBe("201");
    const planted = browser.cookie;
    expect(outcomeOf(await browser.signIn())).toBe("201");
    expect(browser.cookie).not.toBe(planted);
    const thief = await at.server.inject({ url: "/v1/me", headers: { cookie: planted } });
    expect([thief.statusCode, bodyOf(thief)["code"]]).toEqual([401, "session_expired"]);
    const victim = fresh();
    victim.setCookie("__Host-cs_session", "A".repeat(43));
    expect(outcomeOf(await victim.signIn())).toBe("201");
    expect(victim.cookie).not.toContain("A".repeat(43));
  });

  it("identity R-STEP-4: a stolen cookie without a factor cannot act as its person", async () => {
    const thief = new TestBrowser(at);
    for (const pair of admin.cookie.split("; ")) {
      const [name = "", value = ""] = pair.split("=");
      thief.setCookie(name, value);
    }
    await thief.get("/me");
    expect(thief.personId).toBe(admin.personId);
    const asked = await thief.post("/people", { email: "evil@example.com", roles: ["admin"] });
    expect([outcomeOf(asked), asked.headers["x-mfa-required"]]).toEqual(["401 mfa_required", "always"]);
  });
});

describeOnEveryPostgres("a browser that its person trusts", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  let root: Equipped;
  let trusted: TestBrowser;
  const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
  const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36";

  function signIn(browser: TestBrowser, more: object = {}, userAgent = FIREFOX): ReturnType<TestBrowser["post"]> {
    const body = { login: "root", password: PASSWORD, ...more };
    return browser.post("/auth/password", body, { headers: { "user-agent": userAgent } });
  }

  /** Signed out, but still holding the device's secret. */
  function again(): TestBrowser {
    const browser = new TestBrowser(at);
    browser.setCookie("__Host-cs_device", trusted.cookieNamed("__Host-cs_device") ?? "");
    return browser;
  }

  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
    root = await equipped(at, admin, "root");
    trusted = new TestBrowser(at);
    at.advance(STEP_MS);
    const answer = await signIn(trusted, { code: root.code(), remember_device: true });
    expect(outcomeOf(answer)).toBe("201");
    expect([answer.headers["set-cookie"]].flat()[1]).toMatch(
      /^__Host-cs_device=[A-Za-z0-9_-]{43}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
  }, 60_000);
  afterAll(() => at.close());

  it("identity R-FACT-6: stands in for the second factor, and opens no step-up window", async () => {
    const browser = again();
    expect(outcomeOf(await signIn(browser))).toBe("201");
    expect(browser.me).toMatchObject({ session: { kind: "web", method: "password", aal: 2, step_up_until: null } });
    const asked = await browser.post("/people", { email: "x@example.com", roles: [] });
    expect(outcomeOf(asked)).toBe("401 mfa_required");
  });

  it("identity R-FACT-6: does not stand in for the password", async () => {
    expect(outcomeOf(await signIn(again(), { password: "not the password at all" }))).toBe("401 credentials_invalid");
  });

  it("identity R-FACT-6: its secret in another kind of browser serves nothing", async () => {
    expect(outcomeOf(await signIn(again(), {}, CHROME))).toBe("401 credentials_invalid");
  });

  it("identity R-FACT-6: is nobody else's", async () => {
    const other = await signedInAs(at, admin, { login: "other" });
    must(await other.put("/me/password", { password: PASSWORD }, { fresh: true }), 204);
    const answer = await signIn(again(), { login: "other" });
    expect(outcomeOf(answer)).toBe("401 credentials_invalid");
  });

  it("identity R-FACT-6: is listed with its browser, and revoked with a factor", async () => {
    must(await admin.signIn(), 201);
    const listed: unknown = (await admin.get("/me/devices")).json();
    expect(listed).toMatchObject([{ browser: "Firefox" }]);
    const id = Array.isArray(listed) ? String(Reflect.get(Object(listed[0]), "id")) : "";
    expect(outcomeOf(await admin.delete(`/me/devices/${id}`))).toBe("401 mfa_required");
    const stranger = await signedInAs(at, admin, { login: "stranger" });
    expect(outcomeOf(await stranger.delete(`/me/devices/${id}`, { fresh: true }))).toBe("404 not_found");
    expect(outcomeOf(await admin.delete(`/me/devices/${id}`, { fresh: true }))).toBe("204");
    expect(outcomeOf(await signIn(again()))).toBe("401 credentials_invalid");
    const { rows } = await at.pool.query("select token_hash from trusted_devices");
    expect(JSON.stringify(rows)).not.toContain(trusted.cookieNamed("__Host-cs_device"));
  });

  it("identity R-FACT-6: is trusted for 30 days", async () => {
    at.advance(16 * 60_000);
    trusted = new TestBrowser(at);
    expect(outcomeOf(await signIn(trusted, { code: root.code(), remember_device: true }))).toBe("201");
    at.advance(30 * DAY_MS - 60_000);
    expect(outcomeOf(await signIn(again()))).toBe("201");
    at.advance(120_000);
    expect(outcomeOf(await signIn(again()))).toBe("401 credentials_invalid");
  });
});

describe("guessing", () => {
  let database: TestDatabase;
  let at: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    at = await openServer(database.url);
    await signedIn(at);
  });
  afterAll(async () => {
    await at.close();
    await database.drop();
  });

  it("identity section 10: 10,000 attempts of one network are refused before anything is looked at, without an entry each", async () => {
    const before = await at.app.reader.position();
    const browser = new TestBrowser(at, { address: "192.0.2.77" });
    const outcomes = new Map<string, number>();
    for (let round = 0; round < 100; round += 1) {
      const attempts = Array.from({ length: 100 }, (_, index) =>
        browser.post("/auth/password", { login: `guess-${String(index)}`, password: "wrong" }),
      );
      for (const answer of await Promise.all(attempts)) {
        const outcome = outcomeOf(answer);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
    }
    await at.app.refusals.settled();
    expect(Object.fromEntries(outcomes)).toEqual({ "401 credentials_invalid": 10, "429 rate_limited": 9_990 });
    expect((await at.app.reader.position()) - before).toBe(0);
    at.advance(61_000);
    await summarizeRefusals(at.app);
    await summarizeRefusals(at.app);
    const summaries = await entries(at, "access.refused_summary");
    expect(summaries).toEqual([{ code: "credentials_invalid", count: 10, window: 60 }]);
  }, 110_000);

  it("identity section 10: 10 a minute and 100 an hour per /24, and another network is not affected", async () => {
    at.advance(3_600_000);
    const tried = async (address: string): Promise<string> => {
      const key = authenticatorFor(at);
      const browser = new TestBrowser(at, { address, key });
      return outcomeOf(await browser.post("/auth/recover", { token: "A".repeat(43) }));
    };
    const minute: string[] = [];
    for (let count = 0; count < 12; count += 1) minute.push(await tried(`198.51.100.${String(count)}`));
    expect(minute.filter((outcome) => outcome === "404 setup_link_invalid")).toHaveLength(10);
    expect(await tried("198.51.101.1")).toBe("404 setup_link_invalid");
    let allowed = 10;
    for (let round = 0; round < 12; round += 1) {
      at.advance(61_000);
      for (let count = 0; count < 10; count += 1) {
        if ((await tried("198.51.100.9")) === "404 setup_link_invalid") allowed += 1;
      }
    }
    expect(allowed).toBeLessThanOrEqual(100);
    expect(allowed).toBeGreaterThanOrEqual(90);
  }, 60_000);

  it("identity section 10: after 5 wrong passwords a login waits, from this network alone, known or not", async () => {
    at.advance(3_600_000);
    for (const login of ["root", "nobody"]) {
      const attempt = async (address: string): Promise<string> => {
        const browser = new TestBrowser(at, { address });
        return outcomeOf(await browser.post("/auth/password", { login, password: "wrong password here" }));
      };
      const outcomes: string[] = [];
      for (let count = 0; count < 6; count += 1) outcomes.push(await attempt("203.0.113.5"));
      expect(outcomes).toEqual([...Array.from({ length: 5 }, () => "401 credentials_invalid"), "429 factor_throttled"]);
      expect(await attempt("198.18.0.1")).toBe("401 credentials_invalid");
      at.advance(61_000);
    }
  }, 60_000);
});
