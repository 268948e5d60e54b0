/** Terminals, factors and the step-up window of the deploy gate over HTTP, in the shapes of its older clients. */
import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import {
  deployCall,
  deployGet,
  deployWithout,
  itemsOf,
  openDeployServer,
  pathPart,
  told,
  type DeployServer,
} from "../support/deploy-server.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, signedInAs, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { totpCode } from "../support/software-authenticator.ts";

const STEP_MS = 30_000;
const WINDOW_MS = 11 * 60_000;

let server: DeployServer;
let admin: TestBrowser;
beforeAll(async () => {
  server = await openDeployServer();
  ({ admin } = server);
}, 120_000);
afterAll(() => server.close());

function anonymous(path: string, body: JsonObject, from = admin.address): Promise<BrowserAnswer> {
  return new TestBrowser(server.at, { address: from }).call("POST", `root:/api/v1${path}`, body);
}

/** A terminal of the older kind, signed in as the administrator. */
async function terminal(): Promise<{ readonly started: JsonObject; readonly done: JsonObject }> {
  const started = must(await anonymous("/auth/cli/start", {}), 200);
  const { state, code_verifier: verifier } = started;
  const complete = { state: state ?? null, code_verifier: verifier ?? null, device_name: "old laptop" };
  const waiting = await anonymous("/auth/cli/complete", complete);
  expect([waiting.statusCode, bodyOf(waiting)]).toEqual([202, { status: "pending" }]);
  must(await admin.post(`/auth/cli/waiting/${textAt(started, "state")}`, {}), 204);
  return { started, done: must(await anonymous("/auth/cli/complete", complete), 200) };
}

describe("terminals of the older kind", () => {
  it("deploy R-LOGIN-2: one waits until its person authorizes it, gets a session, and its state serves once", async () => {
    const { started, done } = await terminal();
    expect(textAt(started, "user_code")).toMatch(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
    expect(done).toMatchObject({ email: "root@example.com", channel: "cli", device_name: "old laptop" });
    expect(done).toMatchObject({ mfa_verified: false, mfa_required: true, enrollment_required: false });
    expect(Number.isSafeInteger(done["session_id"])).toBe(true);
    const headers = { authorization: `Bearer ${textAt(done, "token")}` };
    const info = await server.at.server.inject({ url: "/api/v1/info", headers });
    expect(JSON.parse(info.body)).toMatchObject({ user: { email: "root@example.com", mfa_enrolled: true } });
    const { state, code_verifier: verifier } = started;
    const again = await anonymous("/auth/cli/complete", { state: state ?? null, code_verifier: verifier ?? null });
    expect(told(again)).toBe("400 invalid or expired state");
  });

  it("deploy R-LOGIN-2: a wrong verifier and an authorization from another address yield nothing", async () => {
    const started = must(await anonymous("/auth/cli/start", {}, "192.0.2.77"), 200);
    const state = textAt(started, "state");
    const wrong = { state, code_verifier: "A".repeat(43) };
    expect(told(await anonymous("/auth/cli/complete", wrong))).toBe("400 invalid or expired state");
    expect((await admin.post(`/auth/cli/waiting/${state}`, {})).statusCode).toBe(403);
  });

  it("deploy 11.2: opening an address of the browser's sign-in changes nothing, and leads to our own pages alone", async () => {
    const to = async (url: string): Promise<string> =>
      String((await server.at.server.inject({ url: `/api/v1${url}` })).headers.location);
    expect(await to("/auth/web/login?returnTo=/app/requests")).toBe("/app/sign-in?next=%2Frequests");
    expect(await to("/auth/web/login?returnTo=https://evil.example/")).toBe("/app/sign-in?next=%2F");
    expect(await to("/auth/cli/mfa?state=1")).toBe("/app/cli?state=1");
    const head = { method: "HEAD", url: "/api/v1/auth/web/login?returnTo=/app/requests" } as const;
    const asked = await server.at.server.inject(head);
    expect([asked.statusCode, asked.headers.location, asked.body]).toEqual([302, "/app/sign-in?next=%2Frequests", ""]);
    must(await deployGet(admin, "/info"), 200);
    const leaving = await signedInAs(server.at, admin, { roles: ["viewer"] });
    must(await deployWithout(leaving, "POST", "/auth/web/logout", {}), 204);
    expect((await deployGet(leaving, "/info")).statusCode).toBe(401);
  });

  it("deploy R-LOGIN-1: opening the address of signing out asks, signs nobody out, and runs its own script alone", async () => {
    const page = await admin.get("root:/api/v1/auth/web/logout");
    expect([page.statusCode, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
    expect(page.body).toContain("<button>Sign out</button>");
    const [, script = ""] = /<script>([^]*)<\/script>/.exec(page.body) ?? [];
    const digest = createHash("sha256").update(script).digest("base64");
    expect(page.headers["content-security-policy"]).toContain(`script-src 'sha256-${digest}'`);
    must(await deployGet(admin, "/info"), 200);
    const forged = await admin.call("POST", "root:/api/v1/auth/web/logout", {}, { headers: { "x-csrf-token": "x" } });
    expect(told(forged)).toBe("403 invalid CSRF token");
    must(await deployGet(admin, "/info"), 200);
  });

  it("deploy 11.2: a factor and the state let a terminal in; what is missing has a word each", async () => {
    const fay = await signedInAs(server.at, admin, { roles: ["deployer"] });
    const started = must(await anonymous("/auth/cli/start", {}, fay.address), 200);
    const { state, code_verifier: verifier } = started;
    const prove = (body: JsonObject): Promise<BrowserAnswer> => deployWithout(fay, "POST", "/auth/cli/mfa", body);
    expect(told(await prove({}))).toBe("400 state_required");
    expect(told(await prove({ state: randomUUID(), method: "totp", code: "1" }))).toBe("400 session_expired");
    expect(told(await prove({ state: state ?? null, method: "sms" }))).toBe("400 invalid_method");
    expect(told(await prove({ state: state ?? null, method: "totp" }))).toBe("400 code_required");
    expect(told(await prove({ state: state ?? null, method: "totp", code: "000000" }))).toBe("400 invalid_code");
    const begun = must(await deployWithout(fay, "POST", "/auth/mfa/webauthn/assertion/start", {}), 200);
    const { options, session_data: handle } = begun;
    const answer = fay.key.assert(isJsonObject(options) ? (options["publicKey"] ?? null) : null);
    const proof = {
      state: state ?? null,
      method: "webauthn",
      session_data: handle ?? null,
      assertion_response: answer,
    };
    expect(must(await prove(proof), 200)).toEqual({ redirect: "/app/security" });
    expect(told(await prove(proof))).toMatch(/^400 (?:invalid_code|session_expired)$/);
    const complete = { state: state ?? null, code_verifier: verifier ?? null };
    must(await anonymous("/auth/cli/complete", complete, fay.address), 200);
  });
});

it("deploy R-SETTINGS-3: what the stored settings say of sessions holds for the next sign-in", async () => {
  const path = "/settings/session-configuration";
  const ivy = await signedInAs(server.at, admin, { roles: ["viewer"] });
  must(await deployCall(admin, "PUT", path, { session_timeout_minutes: 5 }), 200);
  try {
    const jay = new TestBrowser(server.at, { key: ivy.key });
    must(await jay.signIn(), 201);
    server.at.advance(6 * 60_000);
    expect((await deployGet(jay, "/info")).statusCode).toBe(401);
    expect((await deployGet(ivy, "/info")).statusCode).toBe(200);
  } finally {
    must(await deployCall(admin, "DELETE", `${path}?key=session_timeout_minutes`), 200);
  }
});

describe("one's own factors in the deploy gate's words", () => {
  /** Enrols an authenticator; the function makes its next code. */
  async function authenticator(browser: TestBrowser): Promise<() => string> {
    const begun = must(await deployCall(browser, "POST", "/auth/mfa/enroll/totp/start"), 200);
    const secret = textAt(begun, "secret");
    const code = (): string => totpCode(secret, server.at.app.clock());
    const confirm = { method_id: begun["method_id"], code: code(), label: "Phone", trust_device: false };
    const confirmed = must(await deployWithout(browser, "POST", "/auth/mfa/enroll/totp/confirm", confirm), 200);
    expect(confirmed).toMatchObject({ enrolled: true, methods: [{ type: "totp" }, { type: "webauthn" }] });
    server.at.advance(STEP_MS);
    return code;
  }

  it("deploy R-MFA-1: a further factor needs one that is there, and shows up with a number", async () => {
    const ana = await signedInAs(server.at, admin, { roles: ["deployer"] });
    const refused = await deployWithout(ana, "POST", "/auth/mfa/enroll/totp/start", undefined);
    expect([told(refused), refused.headers["x-mfa-required"]]).toEqual(["401 mfa_required", "always"]);
    await authenticator(ana);
    const status = must(await deployGet(ana, "/auth/mfa/status"), 200);
    const { methods } = status;
    expect(status).toMatchObject({ enrolled: true, required: true, webauthn_available: true });
    expect(methods).toMatchObject([{ type: "totp", label: "Phone", cli_capable: true }, { type: "webauthn" }]);
    // Codes were shown with the enrolment and count once it was confirmed.
    expect(status["backup_codes"]).toMatchObject({ total: 10, unused: 10 });
    const id = pathPart(itemsOf(methods)[0]?.["id"]);
    must(await deployCall(ana, "PUT", `/auth/mfa/methods/${id}`, { label: "New phone", cli_capable: true }), 200);
    // What would be passed over in silence is refused instead.
    const refusals: readonly (readonly [string, BrowserAnswer])[] = [
      ["cli_capable", await deployCall(ana, "PUT", `/auth/mfa/methods/${id}`, { label: "X", cli_capable: false })],
      ["trust_device", await deployWithout(ana, "POST", "/auth/mfa/verify", { code: "123456", trust_device: true })],
      ["resource", await deployWithout(ana, "POST", "/auth/mfa/webauthn/assertion/start", { resource: "x" })],
    ];
    for (const [member, answer] of refusals) expect(told(answer)).toMatch(new RegExp(`^400 ${member} `));
    must(await deployCall(ana, "DELETE", `/auth/mfa/methods/${id}`), 204);
    const [last] = itemsOf(must(await deployGet(ana, "/auth/mfa/status"), 200)["methods"]);
    const removing = await deployCall(ana, "DELETE", `/auth/mfa/methods/${pathPart(last?.["id"])}`);
    expect(removing.statusCode).toBe(409);
  });

  it("deploy 11.2: remembers which factor to ask for first, and trusts a browser at sign-in alone", async () => {
    const gus = await signedInAs(server.at, admin, { login: "gus", roles: ["deployer"] });
    const put = (body: JsonObject): Promise<BrowserAnswer> =>
      deployCall(gus, "PUT", "/auth/mfa/preferred-method", body);
    expect(told(await deployWithout(gus, "PUT", "/auth/mfa/preferred-method", { preferred_method: "totp" }))).toBe(
      "401 mfa_required",
    );
    expect((await put({ preferred_method: "sms" })).statusCode).toBe(400);
    expect(must(await put({ preferred_method: "totp" }), 200)).toMatchObject({ preferred_method: "totp" });
    expect(must(await put({ preferred_method: "webauthn" }), 200)).toMatchObject({ preferred_method: "webauthn" });
    const known = must(await deployGet(admin, "/users/gus@example.com"), 200);
    expect(known).toMatchObject({ preferred_mfa_method: "webauthn" });
    const info = must(await deployGet(gus, "/info"), 200);
    expect(info).toMatchObject({ user: { preferred_mfa_method: "webauthn" }, deploy_approvals_enabled: true });
    expect(info).toMatchObject({ integrations: { slack: false, github: false, circleci: false } });
    expect(info["csrf_token"]).toBe(gus.csrf);
    expect((await deployWithout(gus, "POST", "/auth/mfa/trusted-devices/trust", {})).statusCode).toBe(401);
    const trusted = must(await deployCall(gus, "POST", "/auth/mfa/trusted-devices/trust", {}), 200);
    expect(itemsOf(trusted["trusted_devices"])).toHaveLength(1);
    expect(gus.cookieNamed("__Host-cs_device")).toMatch(/^[A-Za-z0-9_-]{43}$/);
    // The browser's cookie opens no window, and proves no act (D39).
    server.at.advance(WINDOW_MS);
    const save = await gus.call("PUT", "root:/api/v1/users/gus@example.com/name", { name: "Gus" });
    expect(told(save)).toBe("401 mfa_step_up_required");
  });

  it("deploy R-MFA-6: who has no factor yet enrols, reads the own account and leaves, and nothing else", async () => {
    const email = "hal@example.com";
    const invited = must(
      await admin.post("/people", { email, name: "Hal", roles: ["deployer"] }, { fresh: true }),
      201,
    );
    const [, token = ""] = textAt(invited, "link").split("#");
    const hal = new TestBrowser(server.at);
    must(await hal.post("/auth/invitations/accept", { token }), 201);
    must(await deployGet(hal, "/info"), 200);
    expect(must(await deployGet(hal, "/auth/mfa/status"), 200)).toMatchObject({ enrolled: false, required: true });
    for (const path of ["/deploy-approval-requests", "/users", "/api-tokens", "/roles", "/settings"]) {
      const refused = await deployGet(hal, path);
      expect([told(refused), refused.headers["x-mfa-required"]]).toEqual([
        ...["403 mfa_enrollment_required", "enrollment"],
      ]);
    }
    must(await deployWithout(hal, "POST", "/auth/mfa/enroll/totp/start"), 200);
    must(await deployWithout(hal, "POST", "/auth/web/logout", {}), 204);
  });

  it("identity R-FACT-5, deploy R-MFA-3: new backup codes end the old ones with the first use of one of them", async () => {
    const ben = await signedInAs(server.at, admin, { roles: ["deployer"] });
    const made = async (): Promise<readonly string[]> =>
      textsAt(must(await deployCall(ben, "POST", "/auth/mfa/backup-codes/regenerate"), 200));
    const count = async (): Promise<unknown> => must(await deployGet(ben, "/auth/mfa/status"), 200)["backup_codes"];
    const [old = "", second = "", third = ""] = await made();
    must(await deployCall(ben, "POST", "/auth/mfa/enroll/totp/start"), 200);
    must(await verify(ben, old), 200);
    expect(await count()).toMatchObject({ total: 10, unused: 9 });
    // An answer that is lost on its way takes nothing away.
    const lost = await made();
    expect(lost).toHaveLength(10);
    const [fresh = "", next = ""] = await made();
    must(await verify(ben, second), 200);
    expect(await count()).toMatchObject({ total: 10, unused: 8 });
    // Written down, and needed only afterwards, in another session.
    server.at.advance(40 * 60_000);
    must(await ben.signIn(), 201);
    must(await verify(ben, fresh), 200);
    expect(await count()).toMatchObject({ total: 10, unused: 9 });
    for (const over of [third, lost[0] ?? "", fresh]) {
      expect(told(await verify(ben, over))).toBe("401 mfa_verification_failed");
    }
    must(await verify(ben, next), 200);
  });

  function verify(browser: TestBrowser, code: string): Promise<BrowserAnswer> {
    return deployWithout(browser, "POST", "/auth/mfa/verify", { code });
  }

  it("deploy R-MFA-2: a code opens the window once; in a header it proves the very call, and each serves once", async () => {
    const cleo = await signedInAs(server.at, admin, { roles: ["admin"] });
    const code = await authenticator(cleo);
    server.at.advance(WINDOW_MS);
    const save = (headers: Readonly<Record<string, string>> = {}): Promise<BrowserAnswer> =>
      cleo.call("PUT", "root:/api/v1/apps/myapp/settings/secret-env-vars", ["COLOR"], { headers });
    expect(told(await save())).toBe("401 mfa_step_up_required");
    const first = code();
    const opened = must(await verify(cleo, first), 200);
    expect(Date.parse(textAt(opened, "recent_step_up_expires_at"))).toBeGreaterThan(server.at.app.clock());
    expect((await save()).statusCode).toBe(200);
    expect(told(await verify(cleo, first))).toBe("401 mfa_verification_failed");
    server.at.advance(STEP_MS);
    const next = code();
    const users = (): Promise<BrowserAnswer> =>
      cleo.call("POST", "root:/api/v1/users", { email: "x@example.com" }, { headers: { "x-mfa-totp": next } });
    expect((await users()).statusCode).toBe(201);
    expect(told(await users())).toBe("401 mfa_verification_failed");
  });

  it("deploy R-MFA-3: an assertion serves the first act that presents it, once, or the one it was asked for", async () => {
    const dora = await signedInAs(server.at, admin, { roles: ["admin"] });
    const carrier = async (purpose: string | null): Promise<Readonly<Record<string, string>>> => {
      const asked = purpose === null ? {} : { purpose };
      const path = "/auth/mfa/webauthn/assertion/start";
      const begun = must(await deployWithout(dora, "POST", path, asked), 200);
      const { options, session_data: handle } = begun;
      const asking = isJsonObject(options) ? (options["publicKey"] ?? null) : null;
      const answer = { session_data: handle, assertion_response: JSON.stringify(dora.key.assert(asking)) };
      return { "x-mfa-webauthn": Buffer.from(JSON.stringify(answer)).toString("base64") };
    };
    const invite = (email: string, headers: Readonly<Record<string, string>>): Promise<BrowserAnswer> =>
      dora.call("POST", "root:/api/v1/users", { email }, { headers });
    const unbound = await carrier(null);
    expect((await invite("one@example.com", unbound)).statusCode).toBe(201);
    expect(told(await invite("two@example.com", unbound))).toBe("401 mfa_verification_failed");
    expect((await invite("two@example.com", await carrier("POST /users"))).statusCode).toBe(201);
    expect(told(await invite("three@example.com", await carrier("POST /api-tokens")))).toBe(
      "401 mfa_verification_failed",
    );
  });

  it("deploy 11.2: a terminal's window is opened without taking its credential away", async () => {
    const { done } = await terminal();
    const authorization = `Bearer ${textAt(done, "token")}`;
    const code = await authenticator(admin);
    const send = (method: "POST" | "PUT", path: string, payload: object): Promise<{ readonly statusCode: number }> =>
      server.at.server.inject({ method, url: `/api/v1${path}`, headers: { authorization }, payload });
    const save = async (): Promise<number> =>
      (await send("PUT", "/settings/vcs-and-ci-defaults", { default_ci_provider: "gitlab" })).statusCode;
    expect(await save()).toBe(401);
    expect((await send("POST", "/auth/mfa/verify", { code: code() })).statusCode).toBe(200);
    expect(await save()).toBe(200);
  });
});

function textsAt(value: JsonObject): readonly string[] {
  const { backup_codes: codes } = value;
  return Array.isArray(codes) ? codes.map(String) : [];
}
