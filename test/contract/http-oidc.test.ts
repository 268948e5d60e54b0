/** Signing in with an identity provider that may lie, and with a browser that may be somebody else's (docs/spec/identity.md 2.1). */
import { createHmac, randomUUID } from "node:crypto";
import { exportSPKI, importJWK, SignJWT, type JWTPayload } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { newKey, openEvilIssuer, without, type Lies } from "../support/evil-issuer.ts";
import {
  addProvider,
  comeBack,
  expectPerson,
  personOf,
  setProvider,
  signInWith,
  startAt,
  whoIs,
  type Scene,
} from "../support/evil-issuer-scene.ts";
import { textAt } from "../support/json-answer.ts";
import { must, outcomeOf, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { openServer } from "../support/test-server.ts";

describeOnEveryPostgres("signing in with an identity provider", (database) => {
  let scene: Scene;
  let ana: string;
  beforeAll(async () => {
    const at = await openServer(database.url);
    const issuer = await openEvilIssuer("RS256");
    const provider = await addProvider(at, issuer);
    ana = await expectPerson(at, { email: "ana@example.com" });
    scene = { at, issuer, provider };
  });
  afterAll(async () => {
    await scene.issuer.close();
    await scene.at.close();
  });

  it("identity R-ID-6: an invited person comes in once by their verified address, and by their identity from then on", async () => {
    const { at, issuer } = scene;
    const browser = new TestBrowser(at);
    expect(await signInWith(scene, browser)).toBe("to /app/");
    expect(await whoIs(browser)).toMatchObject({
      person_id: ana,
      status: "active",
      session: { method: "oidc", aal: 1, kind: "web" },
    });
    expect((await personOf(scene, ana)).firstSignedInAt).not.toBeNull();
    issuer.account = { ...issuer.account, email: "renamed@example.com" };
    const again = new TestBrowser(at);
    expect(await signInWith(scene, again)).toBe("to /app/");
    expect(await whoIs(again)).toMatchObject({ person_id: ana });
    // The address is spent: another subject that shows it is nobody.
    issuer.account = { sub: "sub-eve", email: "ana@example.com", email_verified: true };
    expect(await signInWith(scene)).toBe("not_invited");
  });
});

describeOnEveryPostgres("a session of a provider that proves one factor", (database) => {
  let scene: Scene;
  beforeAll(async () => {
    const at = await openServer(database.url);
    const issuer = await openEvilIssuer("RS256");
    scene = { at, issuer, provider: await addProvider(at, issuer) };
    await expectPerson(at, { email: "ana@example.com" });
  });
  afterAll(async () => {
    await scene.issuer.close();
    await scene.at.close();
  });

  /** The key that the first test enrols. */
  let enrolledKey: TestBrowser["key"];

  async function aalOf(browser: TestBrowser): Promise<unknown> {
    const { session } = await whoIs(browser);
    return Reflect.get(Object(session), "aal");
  }

  it("identity R-IDP-9, R-SESS-2: serves whoever has no factor yet as before, and counts for two once one is enrolled in it", async () => {
    const browser = new TestBrowser(scene.at);
    expect(await signInWith(scene, browser)).toBe("to /app/");
    expect([await aalOf(browser), outcomeOf(await browser.get("/requests"))]).toEqual([1, "200"]);
    const before = browser.cookie;
    await browser.enrolPasskey();
    enrolledKey = browser.key;
    expect(browser.cookie).not.toBe(before);
    expect([await aalOf(browser), outcomeOf(await browser.get("/requests"))]).toEqual([2, "200"]);
  });

  it("identity R-IDP-9: asks whoever has one for it, before anything but proving and looking at oneself; nothing else opens it", async () => {
    const { at } = scene;
    const browser = new TestBrowser(at, { key: enrolledKey });
    await signInWith(scene, browser);
    expect(await aalOf(browser)).toBe(1);
    const refused = await browser.get("/requests");
    expect([outcomeOf(refused), refused.headers["x-mfa-required"]]).toEqual(["401 mfa_step_up_required", "step-up"]);
    for (const path of ["/inbox", "/tasks", "/me/sessions", "/events"]) {
      expect([path, outcomeOf(await browser.get(path))]).toEqual([path, "401 mfa_step_up_required"]);
    }
    const decision = `/tasks/${randomUUID()}/decision`;
    expect(outcomeOf(await browser.post(decision, { action: "approve" }))).toBe("401 mfa_step_up_required");
    const terminal = { code_challenge: "c".repeat(43), state: "s".repeat(43), port: null, client: "x", host: "y" };
    expect(outcomeOf(await browser.post("/auth/cli/authorize", terminal))).toBe("401 mfa_step_up_required");
    expect(outcomeOf(await browser.get("/me/factors"))).toBe("200");
    // A factor that is proven for one act is proven for that act: it is not the second factor of the sign-in.
    must(await browser.post("/me/sessions/end-others", {}, { fresh: true }), 204);
    expect(outcomeOf(await browser.get("/requests"))).toBe("401 mfa_step_up_required");
    const before = browser.cookie;
    must(await browser.post("/session/step-up", {}, { fresh: true }), 204);
    expect(browser.cookie).not.toBe(before);
    expect([await aalOf(browser), outcomeOf(await browser.get("/requests"))]).toEqual([2, "200"]);
  });

  it("identity R-IDP-9: of a provider that is marked asks for none, and decides nothing that asks for one", async () => {
    await setProvider(scene, { aal2: { acr: [], amr: ["otp"] } });
    scene.issuer.lies = { claims: (honest) => ({ ...honest, amr: ["pwd", "otp"] }) };
    const browser = new TestBrowser(scene.at);
    await signInWith(scene, browser);
    expect([await aalOf(browser), outcomeOf(await browser.get("/requests"))]).toEqual([2, "200"]);
    expect(outcomeOf(await browser.post("/me/sessions/end-others"))).toBe("401 mfa_required");
    scene.issuer.lies = {};
    await setProvider(scene, {});
  });
});

describe("an identity provider's answers", () => {
  let database: TestDatabase;
  let scene: Scene;
  beforeAll(async () => {
    database = await createTestDatabase();
    const at = await openServer(database.url);
    const issuer = await openEvilIssuer("RS256");
    const provider = await addProvider(at, issuer);
    await expectPerson(at, { email: "ana@example.com" });
    scene = { at, issuer, provider };
    expect(await signInWith(scene)).toBe("to /app/");
  });
  afterEach(() => {
    scene.issuer.lies = {};
  });
  afterAll(async () => {
    await scene.issuer.close();
    await scene.at.close();
    await database.drop();
  });

  function unsigned(claims: JWTPayload): string {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    return `${part({ alg: "none" })}.${part(claims)}.`;
  }

  /** The public key, which everybody has, used as if it were a shared secret. */
  async function signedWithPublicKey(claims: JWTPayload): Promise<string> {
    const key = await importJWK({ ...scene.issuer.key.publicJwk, alg: "RS256" }, "RS256", { extractable: true });
    if (key instanceof Uint8Array) throw new Error("no public key");
    const pem = await exportSPKI(key);
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = `${part({ alg: "HS256", kid: scene.issuer.key.kid })}.${part(claims)}`;
    return `${input}.${createHmac("sha256", pem).update(input).digest("base64url")}`;
  }

  async function signedByStranger(claims: JWTPayload, header: object = {}): Promise<string> {
    const { privateKey, kid } = await newKey("RS256");
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(privateKey);
  }

  const now = (): number => Math.floor(Date.now() / 1_000);

  const refused: readonly (readonly [string, Lies])[] = [
    ["another nonce", { claims: (honest) => ({ ...honest, nonce: "another" }) }],
    ["no nonce", { claims: (honest) => without(honest, "nonce") }],
    ["another audience", { claims: (honest) => ({ ...honest, aud: "somebody else" }) }],
    ["a second audience without azp", { claims: (honest) => ({ ...honest, aud: ["countersign", "other"] }) }],
    ["azp of another client", { claims: (honest) => ({ ...honest, azp: "other" }) }],
    ["another issuer", { claims: (honest) => ({ ...honest, iss: "https://accounts.google.com" }) }],
    ["the issuer with a slash more", { claims: (honest) => ({ ...honest, iss: `${honest.iss ?? ""}/` }) }],
    ["an end in the past", { claims: (honest) => ({ ...honest, exp: now() - 61 }) }],
    ["no end", { claims: (honest) => without(honest, "exp") }],
    ["no time of issue", { claims: (honest) => without(honest, "iat") }],
    ["a time of issue in the future", { claims: (honest) => ({ ...honest, iat: now() + 120 }) }],
    ["a beginning in the future", { claims: (honest) => ({ ...honest, nbf: now() + 120 }) }],
    ["no subject", { claims: (honest) => without(honest, "sub") }],
    ["alg none", { sign: unsigned }],
    ["HS256 signed with the public key", { sign: signedWithPublicKey }],
    ["a key nobody published", { sign: (claims) => signedByStranger(claims) }],
    ["a stranger's key under our kid", { sign: (claims) => signedByStranger(claims, { kid: scene.issuer.key.kid }) }],
    ["a kid that is a path", { sign: (claims) => signedByStranger(claims, { kid: "../../../../dev/null" }) }],
    ["a kid that is an address", { sign: (claims) => signedByStranger(claims, { kid: "http://169.254.169.254/" }) }],
    [
      "a key set of its own in the header",
      { sign: (claims) => signedByStranger(claims, { jku: "http://127.0.0.1:1/jwks" }) },
    ],
    [
      "a key of its own in the header",
      {
        sign: async (claims) => {
          const { privateKey, publicJwk } = await newKey("RS256");
          return new SignJWT(claims).setProtectedHeader({ alg: "RS256", jwk: publicJwk }).sign(privateKey);
        },
      },
    ],
    ["no JWT", { sign: () => "not a token" }],
    ["no claims", { sign: () => "e30.e30." }],
  ];

  it.each(refused)("identity R-IDP-4: an ID token with %s is refused", async (_name, lies) => {
    scene.issuer.lies = lies;
    expect(await signInWith(scene)).toBe("id_token_invalid");
  });

  it("identity R-IDP-4: clocks may differ by 60 s", async () => {
    scene.issuer.lies = { claims: (honest) => ({ ...honest, exp: now() - 50, nbf: now() + 50, iat: now() + 50 }) };
    expect(await signInWith(scene)).toBe("to /app/");
  });

  it("identity R-IDP-4: several audiences are fine when this client is the one authorized", async () => {
    scene.issuer.lies = { claims: (honest) => ({ ...honest, aud: ["countersign", "other"], azp: "countersign" }) };
    expect(await signInWith(scene)).toBe("to /app/");
  });

  it.each([
    ["state", { state: "another" }],
    ["no state", { state: null }],
    ["the issuer of another", { iss: "https://accounts.google.com" }],
    ["no issuer although it is advertised", { iss: null }],
    ["an error", { error: "access_denied" }],
    ["no code", { code: null }],
  ])("identity R-IDP-2, R-IDP-3: an answer with %s is refused", async (_name, parameters) => {
    const browser = new TestBrowser(scene.at);
    const callback = scene.issuer.authorize(await startAt(browser, scene.provider), parameters);
    expect(await comeBack(browser, callback)).toBe("login_state_invalid");
    expect(browser.cookieNamed("__Host-cs_session")).toBeUndefined();
  });

  it("identity R-IDP-2: a parameter that comes twice is refused", async () => {
    const browser = new TestBrowser(scene.at);
    const callback = scene.issuer.authorize(await startAt(browser, scene.provider));
    expect(await comeBack(browser, `${callback}&code=another`)).toBe("login_state_invalid");
  });

  it("identity R-IDP-2: another browser that follows the callback is not signed in (login CSRF)", async () => {
    const attacker = new TestBrowser(scene.at);
    const callback = scene.issuer.authorize(await startAt(attacker, scene.provider));
    const victim = new TestBrowser(scene.at);
    expect(await comeBack(victim, callback)).toBe("login_state_invalid");
    const busy = new TestBrowser(scene.at);
    await startAt(busy, scene.provider);
    expect(await comeBack(busy, callback)).toBe("login_state_invalid");
    expect([victim, busy].map((each) => each.cookieNamed("__Host-cs_session"))).toEqual([undefined, undefined]);
  });

  it("identity R-IDP-2: a callback works once, and for ten minutes", async () => {
    const browser = new TestBrowser(scene.at);
    const callback = scene.issuer.authorize(await startAt(browser, scene.provider));
    const login = browser.cookieNamed("__Host-cs_login") ?? "";
    expect(await comeBack(browser, callback)).toBe("to /app/");
    browser.setCookie("__Host-cs_login", login);
    expect(await comeBack(browser, callback)).toBe("login_state_invalid");
    const slow = new TestBrowser(scene.at);
    const late = scene.issuer.authorize(await startAt(slow, scene.provider));
    scene.at.advance(600_001);
    try {
      expect(await comeBack(slow, late)).toBe("login_state_invalid");
    } finally {
      scene.at.advance(-600_001);
    }
  });

  it("identity R-IDP-2: a code of another browser's sign-in is refused, and is spent with the try", async () => {
    const first = new TestBrowser(scene.at);
    const code = new URL(scene.issuer.authorize(await startAt(first, scene.provider))).searchParams.get("code");
    const thief = new TestBrowser(scene.at);
    const own = scene.issuer.authorize(await startAt(thief, scene.provider), { code });
    // The code was made for the first browser's challenge: the thief's verifier does not fit it.
    expect(await comeBack(thief, own)).toBe("id_token_invalid");
    expect(thief.cookieNamed("__Host-cs_session")).toBeUndefined();
  });

  it("identity R-IDP-2: keeps neither verifier nor state in the clear, and the cookie from scripts", async () => {
    const browser = new TestBrowser(scene.at);
    const answer = await browser.post(`/auth/oidc/${scene.provider.id}/start`, {});
    expect(String(answer.headers["set-cookie"])).toMatch(
      /^__Host-cs_login=[A-Za-z0-9_-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    const { searchParams } = new URL(textAt(must(answer, 201), "url"));
    expect(searchParams.get("state")).toHaveLength(43);
    expect(searchParams.get("nonce")).toHaveLength(43);
    expect([searchParams.get("code_challenge_method"), searchParams.get("response_type")]).toEqual(["S256", "code"]);
    const { rows } = await scene.at.pool.query<{ text: string }>("select l::text as text from login_states l");
    for (const { text } of rows) {
      expect(text).not.toContain(searchParams.get("state"));
      expect(text).not.toContain(browser.cookieNamed("__Host-cs_login"));
      expect(text).toContain("s1.");
    }
  });

  it("identity R-IDP-9: stores how the provider recognised the person; only an issuer that is marked gives AAL2", async () => {
    const { at, issuer } = scene;
    issuer.lies = { claims: (honest) => ({ ...honest, acr: "strong", amr: ["pwd", "otp"], auth_time: 1_700_000_000 }) };
    const browser = new TestBrowser(at);
    expect(await signInWith(scene, browser)).toBe("to /app/");
    const { session } = await whoIs(browser);
    expect(session).toMatchObject({ aal: 1, step_up_until: null });
    const { rows } = await at.pool.query("select claims from sessions order by created_at desc limit 1");
    expect(rows[0]).toMatchObject({ claims: { acr: "strong", amr: ["pwd", "otp"], auth_time: 1_700_000_000 } });
    await setProvider(scene, { aal2: { acr: [], amr: ["otp"] } });
    const strong = new TestBrowser(at);
    expect(await signInWith(scene, strong)).toBe("to /app/");
    // Never a window of ours: the provider's second factor proves nothing to us about an act (R-FACT table).
    expect((await whoIs(strong))["session"]).toMatchObject({ aal: 2, step_up_until: null });
    await setProvider(scene, {});
  });

  const hostile = [
    "https://evil.example/",
    "//evil.example/",
    "/app//evil.example",
    "/\\evil.example",
    "/app/\\evil.example",
    "\\\\evil.example",
    "/app",
    "/application/",
    "app/",
    "",
    "javascript:alert(1)",
    "/app/javascript:alert(1)",
    "data:text/html,x",
    "/app/../../evil",
    "/app/%2e%2e/evil",
    "/app/..",
    "/app/\u0001",
    "/app/\r\nSet-Cookie: x=y",
    "/app/\u0085",
    " /app/",
    "/app/http://evil.example",
    "https:/app/",
    "/v1/people",
  ];

  it.each(hostile)("identity R-IDP-10: %j is no place to return to", async (path) => {
    const browser = new TestBrowser(scene.at);
    expect(await comeBack(browser, scene.issuer.authorize(await startAt(browser, scene.provider, path)))).toBe(
      "to /app/",
    );
  });

  it("identity R-IDP-10: a page with more than 2,000 characters is no place to return to", async () => {
    for (const [length, place] of [
      [1_995, "a".repeat(1_995)],
      [1_996, ""],
    ] as const) {
      const browser = new TestBrowser(scene.at);
      const url = await startAt(browser, scene.provider, `/app/${"a".repeat(length)}`);
      expect(await comeBack(browser, scene.issuer.authorize(url))).toBe(`to /app/${place}`);
    }
  });

  it("identity R-IDP-10: a page of the console is, with its query", async () => {
    const browser = new TestBrowser(scene.at);
    const path = `/app/requests/1?tab=history&q=a:b#top`;
    const url = await startAt(browser, scene.provider, path);
    expect(await comeBack(browser, scene.issuer.authorize(url))).toBe(`to ${path}`);
  });

  it("identity R-IDP-1: an unknown, deleted or switched-off provider starts nothing", async () => {
    const browser = new TestBrowser(scene.at);
    for (const id of ["nothing", scene.at.app.newId(), "%00"]) {
      expect((await browser.post(`/auth/oidc/${id}/start`, {})).statusCode).toBeGreaterThanOrEqual(400);
    }
    expect((await browser.post(`/auth/oidc/${scene.at.app.newId()}/start`, {})).statusCode).toBe(404);
  });

  it("identity section 10: one network starts ten sign-ins a minute", async () => {
    const browser = new TestBrowser(scene.at);
    const statuses: number[] = [];
    for (let count = 0; count < 12; count += 1) {
      statuses.push((await browser.post(`/auth/oidc/${scene.provider.id}/start`, {})).statusCode);
    }
    expect(statuses.filter((status) => status === 201)).toHaveLength(10);
    expect(statuses.slice(-2)).toEqual([429, 429]);
  });
});
