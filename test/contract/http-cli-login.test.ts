/** Terminals sign in through the browser of their person, and nobody else's terminal does. */
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildServer } from "../../src/http/build-server.ts";
import { userCodeFrom, userCodeText } from "../../src/contract/user-code.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const MINUTE_MS = 60_000;

interface Terminal {
  readonly verifier: string;
  readonly challenge: string;
  readonly state: string;
}

function terminal(): Terminal {
  const verifier = randomBytes(32).toString("base64url");
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  return { verifier, challenge, state: randomBytes(32).toString("base64url") };
}

describeOnEveryPostgres("a terminal", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  function asked({ challenge, state }: Terminal, port: number | null = null): JsonObject {
    return { code_challenge: challenge, state, port, client: "countersign/1.0.0", host: "laptop" };
  }

  async function codeFor(one: Terminal): Promise<string> {
    return textAt(must(await admin.post("/auth/cli/authorize", asked(one)), 201), "code");
  }

  /** Each from a network of its own. */
  function redeem(code: string, verifier: string): Promise<BrowserAnswer> {
    return new TestBrowser(at).post("/auth/cli/token", { code, code_verifier: verifier });
  }

  async function me(token: string, headers: object = {}): Promise<string> {
    const authorization = `Bearer ${token}`;
    return outcomeOf(await at.server.inject({ url: "/v1/me", headers: { authorization, ...headers } }));
  }

  it("identity R-TERM-1: is authorized in the browser, comes back to this machine alone, and redeems its code", async () => {
    const one = terminal();
    const authorized = must(await admin.post("/auth/cli/authorize", asked(one, 50_123)), 201);
    const address = new URL(textAt(authorized, "redirect"));
    expect([address.origin, address.pathname]).toEqual(["http://127.0.0.1:50123", "/callback"]);
    expect(address.searchParams.get("state")).toBe(one.state);
    const answer = must(await redeem(address.searchParams.get("code") ?? "", one.verifier), 201);
    expect(answer["me"]).toMatchObject({
      ...{ person_id: admin.personId, csrf_token: null },
      session: { kind: "cli", method: "cli", step_up_until: null, idle_expires_at: null },
    });
    expect(await me(textAt(answer, "token"))).toBe("200");
    const listed: unknown = (await admin.get("/me/sessions")).json();
    expect(listed).toContainEqual(expect.objectContaining({ kind: "cli", client: "countersign/1.0.0 on laptop" }));
  });

  it("identity R-TERM-1: opening the address changes nothing, and leads to the page that asks", async () => {
    const before = await at.app.reader.position();
    const answer = await admin.get("root:/auth/cli?code_challenge=a&state=b&port=1");
    expect([answer.statusCode, answer.headers["location"]]).toEqual([302, "/app/cli?code_challenge=a&state=b&port=1"]);
    const { rows } = await at.pool.query("select from cli_logins where created_at > now() + interval '1 second'");
    expect([await at.app.reader.position(), rows]).toEqual([before, []]);
  });

  it("identity R-TERM-2: page and terminal derive the same eight letters, which the address does not hold", () => {
    const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const code = userCodeFrom(createHash("sha256").update(userCodeText(challenge)).digest());
    expect(code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    const bits = BigInt(
      `0x${createHash("sha256").update(`countersign/usercode/v1\n${challenge}`).digest("hex").slice(0, 10)}`,
    );
    const letters = Array.from({ length: 8 }, (_, index) =>
      "BCDFGHJKLMNPQRSTVWXZ".charAt(Number((bits >> BigInt(35 - 5 * index)) & 31n) % 20),
    );
    expect(code.replace("-", "")).toBe(letters.join(""));
  });

  it("identity R-TERM-2: the code of a forwarded address is not that of the victim's own terminal", async () => {
    const [attacker, victim] = [terminal(), terminal()];
    const shown = (one: Terminal): string =>
      userCodeFrom(createHash("sha256").update(userCodeText(one.challenge)).digest());
    expect(shown(attacker)).not.toBe(shown(victim));
    // Who authorizes nevertheless gives the code to their own machine, and nobody there knows the verifier.
    const authorized = must(await admin.post("/auth/cli/authorize", asked(attacker, 50_124)), 201);
    const code = new URL(textAt(authorized, "redirect")).searchParams.get("code") ?? "";
    expect(outcomeOf(await redeem(code, victim.verifier))).toBe("400 login_state_invalid");
    expect(outcomeOf(await redeem(code, attacker.verifier))).toBe("400 login_state_invalid");
  });

  it("identity R-TERM-3: a code with another verifier opens nothing, and is used up", async () => {
    const one = terminal();
    const code = await codeFor(one);
    expect(outcomeOf(await redeem(code, terminal().verifier))).toBe("400 login_state_invalid");
    expect(outcomeOf(await redeem(code, one.verifier))).toBe("400 login_state_invalid");
  });

  it("identity R-TERM-3: a code redeemed twice ends the session that it made", async () => {
    const one = terminal();
    const code = await codeFor(one);
    const token = textAt(must(await redeem(code, one.verifier), 201), "token");
    expect(await me(token)).toBe("200");
    expect(outcomeOf(await redeem(code, one.verifier))).toBe("400 login_state_invalid");
    expect(await me(token)).toBe("401 session_expired");
  });

  it("identity R-TERM-3: of many redemptions at once none keeps a session", async () => {
    const one = terminal();
    const code = await codeFor(one);
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeem(code, one.verifier)));
    const tokens = answers.flatMap((answer) => (answer.statusCode === 201 ? [textAt(bodyOf(answer), "token")] : []));
    expect(tokens.length).toBeLessThanOrEqual(1);
    for (const token of tokens) expect(await me(token)).toBe("401 session_expired");
  });

  it("identity R-TERM-3: a code serves for 60 seconds, and a guess never", async () => {
    const one = terminal();
    const code = await codeFor(one);
    at.advance(61_000);
    expect(outcomeOf(await redeem(code, one.verifier))).toBe("400 login_state_invalid");
    expect(outcomeOf(await redeem("A".repeat(43), one.verifier))).toBe("400 login_state_invalid");
  });

  it("identity R-TERM-3: only a browser that is signed in authorizes", async () => {
    const nobody = new TestBrowser(at);
    expect(outcomeOf(await nobody.post("/auth/cli/authorize", asked(terminal())))).toBe("401 unauthenticated");
    const one = terminal();
    const token = textAt(must(await redeem(await codeFor(one), one.verifier), 201), "token");
    const answer = await at.server.inject({
      ...{ method: "POST", url: "/v1/auth/cli/authorize", payload: asked(terminal()) },
      headers: { authorization: `Bearer ${token}` },
    });
    expect(outcomeOf(answer)).toBe("403 credential_kind_not_allowed");
  });

  it.each([
    ["a port that is none", { port: 70_000 }],
    ["a challenge that is none", { code_challenge: "plain" }],
    ["a state that could end the address", { state: "aaaaaaaaaaaaaaaa&code=evil" }],
    ["a member that nobody knows", { redirect_uri: "https://evil.example" }],
  ])("identity R-TERM-1: %s is not read", async (_name, more) => {
    const answer = await admin.post("/auth/cli/authorize", { ...asked(terminal(), 1), ...more });
    expect(outcomeOf(answer)).toBe("422 invalid_input");
  });

  it("identity R-SESS-1: a terminal's session is no browser's, and the other way round", async () => {
    const one = terminal();
    const token = textAt(must(await redeem(await codeFor(one), one.verifier), 201), "token");
    const asCookie = await at.server.inject({ url: "/v1/me", headers: { cookie: `__Host-cs_session=${token}` } });
    expect(asCookie.statusCode).toBe(401);
    expect(await me(admin.cookieNamed("__Host-cs_session") ?? "")).toMatch(/^401 /);
  });

  it("identity R-TERM-6: signing out ends the session on the server", async () => {
    const one = terminal();
    const token = textAt(must(await redeem(await codeFor(one), one.verifier), 201), "token");
    const headers = { authorization: `Bearer ${token}` };
    expect((await at.server.inject({ method: "DELETE", url: "/v1/session", headers })).statusCode).toBe(204);
    expect(await me(token)).toBe("401 session_expired");
  });
});

describeOnEveryPostgres("the older terminals that wait", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  beforeAll(async () => {
    at = await openServer(database.url);
    admin = await signedIn(at);
  });
  afterAll(() => at.close());

  /** A terminal on the same machine as the administrator's browser, unless said otherwise. */
  async function start(address = admin.address): Promise<{ readonly from: TestBrowser; readonly started: JsonObject }> {
    at.advance(MINUTE_MS);
    const from = new TestBrowser(at, { address });
    return { from, started: must(await from.post("/auth/cli/start", {}), 200) };
  }

  function complete(from: TestBrowser, started: JsonObject, more: object = {}): Promise<BrowserAnswer> {
    const { state, code_verifier } = started;
    return from.post("/auth/cli/complete", { state, code_verifier, device_name: "old laptop", ...more });
  }

  it("identity R-TERM-5: waits until its person has clicked, on the same machine, and gets no step-up window", async () => {
    const { from, started } = await start();
    expect([textAt(started, "user_code"), started["expires_in"]]).toEqual([
      expect.stringMatching(/^\w{4}-\w{4}$/),
      600,
    ]);
    const waiting = await complete(from, started);
    expect([waiting.statusCode, waiting.json()]).toEqual([202, { status: "pending" }]);
    const path = `/auth/cli/waiting/${textAt(started, "state")}`;
    expect(bodyOf(await admin.get(path))).toMatchObject({
      ...{ user_code: started["user_code"], address: admin.address, same_address: true },
    });
    expect((await complete(from, started)).statusCode).toBe(202);
    expect(outcomeOf(await admin.post(path, {}))).toBe("204");
    const done = must(await complete(from, started), 200);
    expect(done).toMatchObject({ channel: "cli", device_name: "old laptop", mfa_verified: false, mfa_required: true });
    const headers = { authorization: `Bearer ${textAt(done, "token")}` };
    const me = await at.server.inject({ url: "/v1/me", headers });
    expect(me.json()).toMatchObject({ person_id: admin.personId, session: { kind: "cli", step_up_until: null } });
    expect(outcomeOf(await complete(from, started))).toBe("400 login_state_invalid");
    expect(outcomeOf(await admin.post(path, {}))).toBe("400 login_state_invalid");
  });

  it("identity R-TERM-5: an address forwarded to somebody elsewhere yields nothing", async () => {
    const { from, started } = await start("192.0.2.99");
    const path = `/auth/cli/waiting/${textAt(started, "state")}`;
    expect(bodyOf(await admin.get(path))).toMatchObject({ same_address: false, address: "192.0.2.99" });
    expect(outcomeOf(await admin.post(path, {}))).toBe("403 permission_denied");
    expect((await complete(from, started)).statusCode).toBe(202);
  });

  it("identity R-TERM-5: the verifier is compared, and ten wrong ones end the state", async () => {
    const { from, started } = await start();
    const path = `/auth/cli/waiting/${textAt(started, "state")}`;
    must(await admin.post(path, {}), 204);
    for (let count = 0; count < 10; count += 1) {
      const outcome = outcomeOf(await complete(from, started, { code_verifier: "A".repeat(43) }));
      expect(outcome).toBe("400 login_state_invalid");
    }
    expect(outcomeOf(await complete(from, started))).toBe("400 login_state_invalid");
  });

  it("identity R-TERM-5: a state lives for ten minutes", async () => {
    const { from, started } = await start();
    at.advance(10 * MINUTE_MS + 1_000);
    expect(outcomeOf(await complete(from, started))).toBe("400 login_state_invalid");
    must(await admin.signIn(), 201);
    expect(outcomeOf(await admin.post(`/auth/cli/waiting/${textAt(started, "state")}`, {}))).toBe(
      "400 login_state_invalid",
    );
  });

  it("identity R-TERM-5: a state that is none is no state", async () => {
    for (const state of ["", "x", "00000000-0000-4000-8000-000000000000"]) {
      const answer = await new TestBrowser(at).post("/auth/cli/complete", { state, code_verifier: "x" });
      expect([400, 422]).toContain(answer.statusCode);
    }
  });

  it("identity R-TERM-5: switched off, neither call is offered", async () => {
    const off = await buildServer({ ...at.options, cliPolling: "off" });
    for (const url of ["/v1/auth/cli/start", "/v1/auth/cli/complete"]) {
      const payload = { state: "x", code_verifier: "x" };
      const answer = await off.inject({ method: "POST", url, payload, remoteAddress: "10.251.0.1" });
      const body: unknown = answer.json();
      expect([answer.statusCode, isJsonObjectLike(body) ? body["code"] : null]).toEqual([410, "cli_polling_disabled"]);
    }
    await off.close();
  });
});

function isJsonObjectLike(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && isJsonObject(JSON.parse(JSON.stringify(value)));
}
