/** How strongly a decision is proven below a signature, and what it is bound to (identity section 6, R-SIGN-7, R-SIGN-8). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedInAs, TestBrowser, type BrowserAnswer } from "../support/signed-in.ts";
import { linkTokens, openSigningServer, SigningScene, type Asked } from "../support/signing-scene.ts";
import { SoftwareAuthenticator, totpCode } from "../support/software-authenticator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, type TestServer } from "../support/test-server.ts";

const STEP_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Somebody whom no other test knows, and requests that they decide. */
interface Decider {
  readonly ann: TestBrowser;
  readonly name: string;
  readonly policyKey: string;
  readonly ask: () => Promise<{
    readonly asked: Asked;
    readonly task: string;
    readonly url: string;
    readonly said: JsonObject;
  }>;
}

async function newDecider(scene: SigningScene, stage: JsonObject = { assurance: "mfa" }): Promise<Decider> {
  const name = `ann-${randomUUID().slice(0, 8)}`;
  const ann = await signedInAs(scene.at, scene.root, { login: name });
  await linkTokens(scene.at, ann.personId, name);
  const policyKey = `of-${name}`;
  await scene.policy(policyKey, [{ people: [name, "ben"], ...stage }]);
  const ask = async (): ReturnType<Decider["ask"]> => {
    const asked = await scene.ask(policyKey);
    const task = scene.taskOf(asked, name);
    return { asked, task, url: `/tasks/${task}/decision`, said: { action: "approve", digest: asked.digest } };
  };
  return { ann, name, policyKey, ask };
}

describeOnEveryPostgres("decisions and what proves them", (database) => {
  let at: TestServer;
  let scene: SigningScene;
  beforeAll(async () => {
    at = await openSigningServer(database.url);
    scene = await SigningScene.open(at, "ben");
  });
  afterAll(() => at.close());

  const decider = (stage?: JsonObject): Promise<Decider> => newDecider(scene, stage);

  async function enrolTotp(browser: TestBrowser): Promise<string> {
    const offered = must(await browser.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const secret = textAt(offered, "secret");
    const answer = { ceremony: offered["ceremony"], code: totpCode(secret, at.app.clock()), name: "Phone" };
    must(await browser.post("/me/factors/totp", answer), 201);
    // The code that confirmed it is spent.
    at.advance(STEP_MS);
    return secret;
  }

  async function lastDecision(): Promise<JsonObject> {
    const [recorded] = (await scene.entries("decision.recorded")).slice(-1);
    if (recorded === undefined) throw new Error("nothing was decided");
    return recorded;
  }

  describe("engine R-DECIDE-10: a stage that asks for a factor", () => {
    it("answers a bare session with what is needed, and what the person has for it", async () => {
      const { ann, ask } = await decider();
      const { url, said } = await ask();
      const answer = await ann.post(url, said);
      expect(outcomeOf(answer)).toBe("403 step_up_required");
      expect(answer.json()).toMatchObject({ step_up: { needed: "mfa", methods: ["passkey"] } });
    });

    it("says the same in the words of the compatible API, and takes a code from a token of another issuer", async () => {
      const { ann, ask, name } = await decider();
      const secret = await enrolTotp(ann);
      const { url, said } = await ask();
      const call = async (payload: JsonObject): Promise<BrowserAnswer> =>
        await at.server.inject({ method: "POST", url: `/v1/awe${url}`, headers: as(name), payload });
      const bare = await call(said);
      expect([bare.statusCode, bare.json()]).toMatchObject([
        403,
        { errorCode: "AWE-020", code: "step_up_required", step_up: { needed: "mfa", methods: ["passkey", "totp"] } },
      ]);
      const proof = { type: "totp", code: totpCode(secret, at.app.clock()) };
      const proven = await call({ ...said, proof });
      expect([proven.statusCode, proven.json()]).toMatchObject([201, { assurance: "mfa", method: "totp" }]);
    });

    it("takes a passkey proven for this decision, and the entry says by which", async () => {
      const { ann, ask } = await decider();
      const { url, said } = await ask();
      const headers = await ann.proofFor(`POST ${url}`, { decision: "approve" });
      const made = must(await ann.post(url, said, { headers }), 201);
      expect(made).toMatchObject({ assurance: "mfa", method: "passkey", entry: null });
      const factor = `fac_${textAt(made, "factor_id").replaceAll("-", "")}`;
      expect(await lastDecision()).toMatchObject({
        data: { assurance: "mfa", method: "passkey", factor, statement: null, assertion: null },
      });
    });

    it("takes a backup code once, and the entry names the method without a factor", async () => {
      const { ann, ask } = await decider();
      const codes = must(await ann.post("/me/backup-codes", {}, { fresh: true }), 201);
      must(await ann.post("/me/backup-codes/confirm", { ceremony: codes["ceremony"] }), 204);
      const [one, two] = [await ask(), await ask()];
      const proof = { type: "backup_code", code: textAt(codes, "codes", 0) };
      expect(must(await ann.post(one.url, { ...one.said, proof }), 201)).toMatchObject({
        ...{ assurance: "mfa", method: "backup_code", factor_id: null },
      });
      expect(await lastDecision()).toMatchObject({ data: { method: "backup_code", factor: null } });
      expect(outcomeOf(await ann.post(two.url, { ...two.said, proof }))).toBe("401 mfa_verification_failed");
    });

    it("identity R-STEP-4: is not satisfied by the window of a step-up a moment ago", async () => {
      const { ann, ask } = await decider();
      const { url, said } = await ask();
      must(await ann.post("/session/step-up", {}, { fresh: true }), 204);
      expect(outcomeOf(await ann.post(url, said))).toBe("403 step_up_required");
    });

    it("identity section 6: takes a rejection from a bare session, unless reject_assurance says otherwise", async () => {
      const lax = await decider();
      const one = await lax.ask();
      expect((await lax.ann.post(one.url, { ...one.said, action: "reject" })).statusCode).toBe(201);
      const strict = await decider({ assurance: "signed", reject_assurance: "mfa" });
      const two = await strict.ask();
      const bare = await strict.ann.post(two.url, { ...two.said, action: "reject" });
      expect(outcomeOf(bare)).toBe("403 step_up_required");
    });

    it("identity R-ROLE-2: takes an administrator in somebody's place only with the administrator's own factor", async () => {
      const { ask } = await decider();
      const { task, said } = await ask();
      const answer = await at.server.inject({
        ...{ method: "POST", url: `/v1/tasks/${task}/decision`, headers: { ...asAdmin }, payload: said },
      });
      expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: "step_up_required" }]);
    });
  });

  describe("identity R-STEP-2: a proof serves the act that it was made for, and no other", () => {
    it.each<[string, (one: Asked, two: Asked) => { task: keyof { one: Asked; two: Asked }; decision: string }]>([
      ["another task", () => ({ task: "two", decision: "approve" })],
      ["another decision", () => ({ task: "one", decision: "reject" })],
    ])("a passkey's answer for %s", async (_what, made) => {
      const { ann, ask } = await decider();
      const asked = { one: await ask(), two: await ask() };
      const { task, decision } = made(asked.one.asked, asked.two.asked);
      const headers = await ann.proofFor(`POST ${asked[task].url}`, { decision });
      const answer = await ann.post(asked.one.url, asked.one.said, { headers });
      expect(outcomeOf(answer)).toBe("401 mfa_verification_failed");
    });

    it("a passkey's answer about a payload that has changed since", async () => {
      const { ann, ask } = await decider();
      const { asked, url, said, task } = await ask();
      const headers = await ann.proofFor(`POST ${url}`, { decision: "approve" });
      await ask();
      const digest = `sha256:${"0".repeat(64)}`;
      const newest = "(select max(seq) from ledger_entries)";
      await at.pool.query(`update requests set digest = $2, entry_seq = ${newest} where id = $1`, [
        asked.requestId,
        digest,
      ]);
      const answer = await ann.post(`/tasks/${task}/decision`, { ...said, digest }, { headers });
      expect(outcomeOf(answer)).toBe("401 mfa_verification_failed");
    });

    it("identity R-STEP-3: a code once, whatever became of the act", async () => {
      const { ann, ask } = await decider();
      const secret = await enrolTotp(ann);
      const [one, two] = [await ask(), await ask()];
      const proof = { type: "totp", code: totpCode(secret, at.app.clock()) };
      const stale = { ...one.said, digest: `sha256:${"0".repeat(64)}`, proof };
      expect(outcomeOf(await ann.post(one.url, stale))).toBe("409 digest_mismatch");
      expect(outcomeOf(await ann.post(one.url, { ...one.said, proof }))).toBe("401 mfa_verification_failed");
      expect(outcomeOf(await ann.post(two.url, { ...two.said, proof }))).toBe("401 mfa_verification_failed");
    });

    it("somebody else's proof", async () => {
      const { ann, ask } = await decider();
      const { asked, url } = await ask();
      const ben = scene.who("ben");
      const headers = await ann.proofFor(`POST ${url}`, { decision: "approve" });
      const his = `/tasks/${scene.taskOf(asked, "ben")}/decision`;
      const answer = await ben.post(his, { action: "approve", digest: asked.digest }, { headers });
      expect(outcomeOf(answer)).toBe("401 mfa_verification_failed");
    });

    it("engine R-DECIDE-4: a repeated call with its key is answered as before, although its code is spent", async () => {
      const { ann, ask } = await decider();
      const secret = await enrolTotp(ann);
      const { url, said } = await ask();
      const proof = { type: "totp", code: totpCode(secret, at.app.clock()) };
      const headers = { "idempotency-key": randomUUID() };
      const first = await ann.post(url, { ...said, proof }, { headers });
      const second = await ann.post(url, { ...said, proof }, { headers });
      expect([first.statusCode, second.statusCode, second.body]).toEqual([201, 201, first.body]);
    });
  });

  describe("identity R-SIGN-8: what a decision is bound to", () => {
    it("our own API takes none that names neither view nor digest; the compatible one does", async () => {
      const { ask, name } = await decider({});
      const { task } = await ask();
      const call = async (mount: string): Promise<BrowserAnswer> =>
        await at.server.inject({
          ...{
            method: "POST",
            url: `${mount}/tasks/${task}/decision`,
            headers: as(name),
            payload: { action: "approve" },
          },
        });
      const own = await call("/v1");
      expect([own.statusCode, own.json()]).toMatchObject([409, { code: "view_required" }]);
      expect((await call("/v1/awe")).statusCode).toBe(201);
    });

    it("a stage with require_view takes no digest in the place of a view, in neither API", async () => {
      const { ann, ask, name } = await decider({ require_view: true });
      const { task, url, said } = await ask();
      expect(outcomeOf(await ann.post(url, said))).toBe("409 view_required");
      const compatible = await at.server.inject({
        ...{ method: "POST", url: `/v1/awe${url}`, headers: as(name), payload: { action: "approve" } },
      });
      expect([compatible.statusCode, compatible.json()]).toMatchObject([409, { code: "view_required" }]);
      const shown = await scene.view(ann, task);
      const [view, shownAt] = [textAt(shown, "id"), textAt(shown, "shown_at")];
      expect(must(await ann.post(url, { action: "approve", view }), 201)).toMatchObject({ shown_at: shownAt });
      const { data } = await lastDecision();
      expect(Date.parse(textAt(data, "shown_at"))).toBe(Date.parse(shownAt));
    });

    it("another digest than the present one is refused", async () => {
      const { ann, ask } = await decider({});
      const { url, said } = await ask();
      const answer = await ann.post(url, { ...said, digest: `sha256:${"1".repeat(64)}` });
      expect(outcomeOf(answer)).toBe("409 digest_mismatch");
    });

    it("a view of something that has changed is refused, with what changed", async () => {
      const { ann, ask, policyKey, name } = await decider({});
      const { task, url } = await ask();
      const { id: view = null } = await scene.view(ann, task);
      await scene.newVersion(policyKey, [{ people: [name] }]);
      const answer = await ann.post(url, { action: "approve", view });
      expect(outcomeOf(answer)).toBe("409 view_stale");
      expect(answer.json()).toMatchObject({ changed: ["active_policy"] });
    });

    it("a view of another task, of somebody else, of another session and of half an hour ago is none", async () => {
      const { ann, ask } = await decider({});
      const [one, two] = [await ask(), await ask()];
      const { id: view = null } = await scene.view(ann, one.task);
      const outcomes = [await ann.post(two.url, { action: "approve", view })];
      const ben = scene.who("ben");
      const his = `/tasks/${scene.taskOf(one.asked, "ben")}/decision`;
      outcomes.push(await ben.post(his, { action: "approve", view }));
      const elsewhere = new TestBrowser(at, { key: ann.key });
      must(await elsewhere.signIn(), 201);
      outcomes.push(await elsewhere.post(one.url, { action: "approve", view }));
      outcomes.push(await ann.post(one.url, { action: "approve", view: randomUUID() }));
      expect(outcomes.map(outcomeOf)).toEqual(Array.from({ length: 4 }, () => "409 view_required"));
    });
  });

  it("identity R-SIGN-7: a decision sooner after the view than the stage allows is too fast", async () => {
    const { ann, ask } = await decider({ min_view_seconds: 5 });
    const { task, url } = await ask();
    const { id: view = null } = await scene.view(ann, task);
    expect(outcomeOf(await ann.post(url, { action: "approve", view }))).toBe("409 too_fast");
    at.advance(5_000);
    expect((await ann.post(url, { action: "approve", view })).statusCode).toBe(201);
  });

  it("engine R-TASK-5: lists say what an approval needs, and later how the decision was proven", async () => {
    const { ann, ask } = await decider({ assurance: "mfa" });
    const { task, url, said } = await ask();
    const item = async (state: string): Promise<unknown> => {
      const { items } = must(await ann.get(`/inbox?state=${state}`), 200);
      return Array.isArray(items) ? items[0] : null;
    };
    expect(must(await ann.get(`/tasks/${task}`), 200)).toMatchObject({ assurance: "mfa" });
    expect(await item("open")).toMatchObject({ task_id: task, assurance: "mfa" });
    must(await ann.post(url, { ...said, action: "reject" }), 201);
    expect(must(await ann.get(`/tasks/${task}`), 200)).toMatchObject({ assurance: "session" });
    expect(await item("done")).toMatchObject({ task_id: task, assurance: "session" });
  });
});

describeOnEveryPostgres("identity R-FACT-9: a factor that is cooling down", (database) => {
  let at: TestServer;
  let scene: SigningScene;
  beforeAll(async () => {
    at = await openSigningServer(database.url);
    scene = await SigningScene.open(at);
  });
  afterAll(() => at.close());

  async function newKey(): Promise<Decider & { readonly key: SoftwareAuthenticator }> {
    must(await scene.root.signIn(), 201);
    const made = await newDecider(scene);
    // Past the first day, a new factor waits.
    at.advance(25 * HOUR_MS);
    must(await made.ann.signIn(), 201);
    const key = new SoftwareAuthenticator({ origin: "http://localhost" });
    const { ceremony, options } = must(await made.ann.post("/me/factors/passkey/options", {}, { fresh: true }), 201);
    const enrolled = { ceremony, response: key.register(options ?? null), name: "New" };
    must(await made.ann.post("/me/factors/passkey", enrolled), 201);
    return { ...made, key };
  }

  async function decideWith(
    made: Awaited<ReturnType<typeof newKey>>,
    stage: { url: string; said: JsonObject },
  ): Promise<BrowserAnswer> {
    const { ann, key } = made;
    const challenge = must(await ann.post("/me/challenges", { act: `POST ${stage.url}`, decision: "approve" }), 201);
    const proof = { type: "passkey", challenge: challenge["id"], response: key.assert(challenge["options"] ?? null) };
    return ann.post(stage.url, { ...stage.said, proof });
  }

  it("proves no decision, and the answer says from when it will", async () => {
    const made = await newKey();
    const answer = await decideWith(made, await made.ask());
    expect(outcomeOf(answer)).toBe("403 factor_cooling_down");
    expect(textAt(bodyOf(answer), "detail")).toMatch(/from \d{4}-\d\d-\d\dT/);
    at.advance(25 * HOUR_MS);
    must(await made.ann.signIn(), 201);
    expect((await decideWith(made, await made.ask())).statusCode).toBe(201);
  });

  it("counts as nothing where the session is enough", async () => {
    const made = await newKey();
    await scene.policy(`plain-${made.name}`, [{ people: [made.name] }]);
    const asked = await scene.ask(`plain-${made.name}`);
    const url = `/tasks/${scene.taskOf(asked, made.name)}/decision`;
    const answer = await decideWith(made, { url, said: { action: "approve", digest: asked.digest } });
    expect(must(answer, 201)).toMatchObject({ assurance: "session", method: null, factor_id: null });
  });
});
