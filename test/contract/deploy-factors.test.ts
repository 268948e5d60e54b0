/** A factor serves one act of one person, once, on whichever server (docs/spec/deploy.md R-MFA-3, R-MFA-5). */
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Application } from "../../src/app/application.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { buildServer } from "../../src/http/build-server.ts";
import { DeployRequestsScene, REQUESTS } from "../support/deploy-requests-scene.ts";
import { deployCall, deployWithout, told } from "../support/deploy-server.ts";
import { textAt } from "../support/json-answer.ts";
import { must, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { totpCode, type Spoiled } from "../support/software-authenticator.ts";
import { openApplication } from "../support/test-application.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { serverOptions, type TestServer } from "../support/test-server.ts";

const STEP_MS = 30_000;
const FAILED = "401 mfa_verification_failed";

let database: TestDatabase;
let scene: DeployRequestsScene;
let ann: TestBrowser;
let code: () => string;
beforeAll(async () => {
  database = await createTestDatabase();
  scene = await DeployRequestsScene.open(database.url);
  ann = await scene.person({ roles: ["admin"] });
  const begun = must(await deployCall(ann, "POST", "/auth/mfa/enroll/totp/start"), 200);
  const secret = textAt(begun, "secret");
  code = () => totpCode(secret, scene.at.app.clock());
  const confirm = { method_id: begun["method_id"], code: code(), label: "Phone" };
  must(await deployWithout(ann, "POST", "/auth/mfa/enroll/totp/confirm", confirm), 200);
  await scene.cool([scene.admin, ann]);
}, 120_000);
/** Failures of the test before are out of the window, and no code comes again. */
beforeEach(() => {
  scene.at.advance(6 * 60_000);
});
afterAll(async () => {
  await scene.close();
  await database.drop();
});

/** Another process of the same installation: its own memory, the same database and keys. */
async function sibling(): Promise<TestServer> {
  const { at } = scene;
  const { seals, clock, deploy, orgId } = at.app;
  const opened = openApplication(database.url, { orgId, deploy });
  opened.advance(clock() - Date.now());
  const like = (app: Application): Application => ({
    ...{ ...app, seals, clock, forOrganization: (id: string) => like(app.forOrganization(id)) },
  });
  const options = serverOptions(like(opened.app));
  const server = await buildServer(options);
  const close = async (): Promise<void> => {
    await server.close();
    await opened.close();
  };
  return { ...opened, app: options.app, options, server, close };
}

async function asked(): Promise<string> {
  return textAt(await scene.asked(await scene.token()), "public_id");
}

function approve(by: TestBrowser, id: string, headers: Readonly<Record<string, string>>): Promise<BrowserAnswer> {
  return by.call("POST", `root:/api/v1${REQUESTS}/${id}/approve`, {}, { headers });
}

/** The header of older clients, with an assertion that was asked for with this purpose, or with none. */
async function assertion(purpose: string | null, spoiled: Spoiled = {}): Promise<Readonly<Record<string, string>>> {
  const start = await deployWithout(
    ann,
    "POST",
    "/auth/mfa/webauthn/assertion/start",
    purpose === null ? {} : { purpose },
  );
  const { options, session_data: handle } = must(start, 200);
  const response = ann.key.assert(isJsonObject(options) ? (options["publicKey"] ?? null) : null, spoiled);
  const sent: JsonObject = { session_data: handle ?? null, assertion_response: JSON.stringify(response) };
  return { "x-mfa-webauthn": Buffer.from(JSON.stringify(sent)).toString("base64") };
}

it("deploy R-MFA-3: a code that approved serves no other request, no other session and no other server", async () => {
  const [first, second] = [await asked(), await asked()];
  const headers = { "x-mfa-totp": code() };
  const elsewhere = new TestBrowser(scene.at, { key: ann.key });
  must(await elsewhere.signIn(), 201);
  const other = await sibling();
  const there = new TestBrowser(other, { key: ann.key });
  must(await there.signIn(), 201);
  expect((await approve(ann, first, headers)).statusCode).toBe(200);
  expect(told(await approve(ann, second, headers))).toBe(FAILED);
  expect(told(await approve(elsewhere, second, headers))).toBe(FAILED);
  expect(told(await approve(there, second, headers))).toBe(FAILED);
  expect(await scene.shown(ann, { public_id: second })).toMatchObject({ status: "pending" });
  // The next code is good there, so that it was the code that was refused.
  scene.at.advance(STEP_MS);
  other.advance(STEP_MS);
  expect((await approve(there, second, { "x-mfa-totp": code() })).statusCode).toBe(200);
  await other.close();
});

it("deploy R-MFA-3: an assertion made for one request serves no other, and none twice or late", async () => {
  const [first, second] = [await asked(), await asked()];
  const act = (id: string): string => `POST ${REQUESTS}/${id}/approve`;
  expect(told(await approve(ann, second, await assertion(act(first))))).toBe(FAILED);
  const good = await assertion(act(first));
  expect((await approve(ann, first, good)).statusCode).toBe(200);
  expect(told(await approve(ann, second, good))).toBe(FAILED);
  const unbound = await assertion(null);
  expect((await approve(ann, await asked(), unbound)).statusCode).toBe(200);
  expect(told(await approve(ann, second, unbound))).toBe(FAILED);
  const late = await assertion(act(second));
  scene.at.advance(121_000);
  expect(told(await approve(ann, second, late))).toBe(FAILED);
  expect(await scene.shown(ann, { public_id: second })).toMatchObject({ status: "pending" });
});

it("deploy R-MFA-3: an assertion of another site, or without the person's own touch or word, approves nothing", async () => {
  const id = await asked();
  const act = `POST ${REQUESTS}/${id}/approve`;
  for (const spoiled of [{ origin: "https://evil.example" }, { userVerified: false }, { userPresent: false }]) {
    expect(told(await approve(ann, id, await assertion(act, spoiled)))).toBe(FAILED);
  }
  expect((await approve(ann, id, await assertion(act))).statusCode).toBe(200);
});

it("deploy R-MFA-5: five wrong codes close all proofs for a quarter of an hour; good ones never count", async () => {
  const verify = (typed: string): Promise<BrowserAnswer> =>
    deployWithout(ann, "POST", "/auth/mfa/verify", { code: typed });
  for (let time = 0; time < 6; time += 1) {
    expect((await verify(code())).statusCode).toBe(200);
    scene.at.advance(STEP_MS);
  }
  for (let time = 0; time < 5; time += 1) {
    expect(told(await verify(code() === "000000" ? "000001" : "000000"))).toBe(FAILED);
  }
  const closed = await verify(code());
  expect(told(closed)).toBe("429 too many attempts - try again in 15 minutes");
  expect(told(await approve(ann, await asked(), await assertion(null)))).toMatch(/^429 too many attempts/);
  scene.at.advance(15 * 60_000);
  expect((await verify(code())).statusCode).toBe(200);
});
