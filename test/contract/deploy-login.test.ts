/** Terminals, factors and the step-up window of the deploy gate over HTTP, in the shapes of its older clients. */
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
    expect(await to("/auth/web/logout")).toBe("/app/security");
    must(await deployGet(admin, "/info"), 200);
    const leaving = await signedInAs(server.at, admin, { roles: ["viewer"] });
    must(await deployWithout(leaving, "POST", "/auth/web/logout", {}), 204);
    expect((await deployGet(leaving, "/info")).statusCode).toBe(401);
  });
});

describe("one's own factors in the deploy gate's words", () => {
  /** Enrols an authenticator; the function makes its next code. */
  async function authenticator(browser: TestBrowser): Promise<() => string> {
    const begun = must(await deployCall(browser, "POST", "/auth/mfa/enroll/totp/start"), 200);
    const secret = textAt(begun, "secret");
    const code = (): string => totpCode(secret, server.at.app.clock());
    const confirm = { method_id: begun["method_id"], code: code(), label: "Phone", trust_device: false };
    const confirmed = must(await deployWithout(browser, "POST", "/auth/mfa/enroll/totp/confirm", confirm), 200);
    expect(confirmed).toMatchObject({ status: "confirmed" });
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
    must(await deployCall(ana, "PUT", `/auth/mfa/methods/${id}`, { label: "New phone" }), 200);
    must(await deployCall(ana, "DELETE", `/auth/mfa/methods/${id}`), 204);
    const [last] = itemsOf(must(await deployGet(ana, "/auth/mfa/status"), 200)["methods"]);
    const removing = await deployCall(ana, "DELETE", `/auth/mfa/methods/${pathPart(last?.["id"])}`);
    expect(removing.statusCode).toBe(409);
  });

  it("deploy R-MFA-3: new backup codes replace the old ones when they were made, not when enrolling began", async () => {
    const ben = await signedInAs(server.at, admin, { roles: ["deployer"] });
    const [old = ""] = textsAt(must(await deployCall(ben, "POST", "/auth/mfa/backup-codes/regenerate"), 200));
    must(await deployCall(ben, "POST", "/auth/mfa/enroll/totp/start"), 200);
    must(await verify(ben, old), 200);
    const status = must(await deployGet(ben, "/auth/mfa/status"), 200);
    expect(status["backup_codes"]).toMatchObject({ total: 10, unused: 9 });
    const fresh = textsAt(must(await deployCall(ben, "POST", "/auth/mfa/backup-codes/regenerate"), 200));
    expect(fresh).toHaveLength(10);
    expect(fresh).not.toContain(old);
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
