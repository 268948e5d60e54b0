/** Signed decisions from outside: the way that works, and every way that must not (identity section 7). */
import { createHash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { parseStatement } from "../../src/evidence/statement.ts";
import { canonicalJson } from "../../src/ledger/canonical-json.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedInAs, TestBrowser } from "../support/signed-in.ts";
import {
  linkTokens,
  listOf,
  objectAt,
  openSigningServer,
  signatureOf,
  SigningScene,
  type Asked,
} from "../support/signing-scene.ts";
import { SoftwareAuthenticator, type Spoiled } from "../support/software-authenticator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, unsignedToken, type TestServer } from "../support/test-server.ts";

const SIGNED = { assurance: "signed", reject_assurance: "signed" };

/** Somebody whom no other test knows, and requests that they sign. */
interface Signer {
  readonly ann: TestBrowser;
  readonly name: string;
  readonly policyKey: string;
  readonly ask: () => Promise<{ readonly asked: Asked; readonly task: string }>;
}

describeOnEveryPostgres("signed decisions", (database) => {
  let at: TestServer;
  let scene: SigningScene;
  let ben: TestBrowser;
  beforeAll(async () => {
    at = await openSigningServer(database.url);
    scene = await SigningScene.open(at, "ben");
    ben = scene.who("ben");
  });
  afterAll(() => at.close());

  async function signer(stage: JsonObject = SIGNED): Promise<Signer> {
    const name = `ann-${randomUUID().slice(0, 8)}`;
    const ann = await signedInAs(at, scene.root, { login: name });
    await linkTokens(at, ann.personId, name);
    const policyKey = `of-${name}`;
    await scene.policy(policyKey, [{ people: [name, "ben"], ...stage }]);
    const ask = async (): Promise<{ readonly asked: Asked; readonly task: string }> => {
      const asked = await scene.ask(policyKey);
      return { asked, task: scene.taskOf(asked, name) };
    };
    return { ann, name, policyKey, ask };
  }

  it("identity R-SIGN-1: statement, assertion and credential stand in the entry of the decision", async () => {
    const { ann, ask } = await signer();
    const { asked: made, task } = await ask();
    const view = await scene.view(ann, task);
    const said = { action: "approve", comment: "read it twice" };
    const statement = must(await ann.post(`/tasks/${task}/statement`, { view: view["id"], ...said }), 201);
    const signature = signatureOf(ann, statement);
    const decision = must(await scene.decideSigned(ann, task, said, signature), 201);
    expect(decision).toMatchObject({ assurance: "signed", method: "passkey", shown_at: view["shown_at"] });
    const [recorded] = (await scene.entries("decision.recorded")).slice(-1);
    const response = objectAt(signature, "response", "response");
    expect(recorded).toMatchObject({
      data: {
        ...{ assurance: "signed", method: "passkey", decision: "approve" },
        statement: objectIn(textAt(statement, "statement")),
        assertion: {
          authenticator_data: textAt(response, "authenticatorData"),
          client_data: textAt(response, "clientDataJSON"),
          signature: textAt(response, "signature"),
          credential_digest: `sha256:${sha256(Buffer.from(ann.key.credentialIds.at(-1) ?? "", "base64url"))}`,
        },
      },
    });
    expect(textAt(recorded, "data", "reason")).toBe(textAt(recorded, "data", "statement", "reason"));
    const { body } = await ann.get(`/requests/${made.requestId}/decisions`);
    const [listed] = listOf(objectIn(`{"decisions":${body}}`)["decisions"]);
    expect(listed).toMatchObject({ assurance: "signed", entry: recorded?.["seq"], factor_id: decision["factor_id"] });
  });

  it("identity section 7.2: the statement says what was shown, in its one spelling", async () => {
    const { ann, ask } = await signer();
    const { asked: made, task } = await ask();
    const view = await scene.view(ann, task);
    const answer = must(await ann.post(`/tasks/${task}/statement`, { view: view["id"], action: "reject" }), 201);
    const parsed = parseStatement(textAt(answer, "statement"));
    if (!parsed.ok) throw new Error(parsed.finding);
    expect(parsed.statement).toMatchObject({
      ...{ request: `req_${made.requestId.replaceAll("-", "")}`, task: `task_${task.replaceAll("-", "")}` },
      ...{ revision: 1, stage: 1, gate: "generic", decision: "reject", on_behalf_of: null, reason: null },
      ...{ approver: `usr_${ann.personId.replaceAll("-", "")}`, payload: made.digest },
      display: textAt(view, "display", "digest"),
      policy: objectAt(view, "policy"),
      checkpoint: objectAt(view, "checkpoint"),
    });
    expect(Date.parse(parsed.statement.shown_at)).toBe(Date.parse(textAt(view, "shown_at")));
    expect(Date.parse(parsed.statement.not_after)).toBe(Date.parse(textAt(answer, "not_after")));
    const domain = Buffer.from("countersign/decision/v1\n");
    const challenge = createHash("sha256").update(domain).update(textAt(answer, "statement")).digest("base64url");
    expect(answer["options"]).toMatchObject({
      ...{ challenge, rpId: "localhost", userVerification: "required", timeout: 120_000 },
      allowCredentials: [{ id: ann.key.credentialIds.at(-1), type: "public-key" }],
    });
  });

  it("identity section 7.1: the display is fixed by its digest, and its salt is fresh each time", async () => {
    const { ann, ask } = await signer();
    const { task } = await ask();
    const [one, two] = [await scene.view(ann, task), await scene.view(ann, task)];
    const document = objectAt(one, "display", "document");
    expect(textAt(one, "display", "digest")).toBe(`sha256:${sha256(canonicalJson(document))}`);
    expect(textAt(one, "display", "digest")).not.toBe(textAt(two, "display", "digest"));
    const blocks = listOf(document["blocks"]);
    expect(blocks.map((block) => block["type"])).toEqual([
      "title",
      "fields",
      "context",
      "requester",
      "policy",
      "stage",
      "binding",
      "meaning",
    ]);
    expect(one).toMatchObject({ assurance: { approve: "signed", reject: "signed" }, methods: ["passkey"] });
  });

  describe("identity table 7.3: the first check that fails answers", () => {
    it("row 1: a statement that nobody minted", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = { ...signatureOf(ann, await scene.statement(ann, task)), statement: randomUUID() };
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe("404 statement_unknown");
    });

    it("row 1: somebody else's statement", async () => {
      const { ann, ask } = await signer();
      const { asked: made, task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      const other = await scene.decideSigned(ben, scene.taskOf(made, "ben"), {}, signature);
      expect(outcomeOf(other)).toBe("404 statement_unknown");
    });

    it("row 1: the assertion replayed in another session of the same person", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      const elsewhere = new TestBrowser(at, { key: ann.key });
      must(await elsewhere.signIn(), 201);
      expect(outcomeOf(await scene.decideSigned(elsewhere, task, {}, signature))).toBe("404 statement_unknown");
      // Signing in there moved the counter on: here it takes a new touch.
      expect((await scene.sign(ann, task)).statusCode).toBe(201);
    });

    it("row 1: a statement that was used", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      must(await scene.decideSigned(ann, task, {}, signature), 201);
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe("409 statement_used");
    });

    it("row 1: a failed signature spends its statement", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const statement = await scene.statement(ann, task);
      const bad = await scene.decideSigned(ann, task, {}, signatureOf(ann, statement, { badSignature: true }));
      expect(outcomeOf(bad)).toBe("401 assertion_invalid");
      const good = await scene.decideSigned(ann, task, {}, signatureOf(ann, statement));
      expect(outcomeOf(good)).toBe("409 statement_used");
    });

    it("identity R-SIGN-4: reason text typed after minting takes a new statement, and the old one is unusable", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const old = await scene.statement(ann, task);
      at.advance(1);
      const young = await scene.statement(ann, task, { comment: "on second thought" });
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signatureOf(ann, old)))).toBe("409 statement_used");
      const said = { comment: "on second thought" };
      must(await scene.decideSigned(ann, task, said, signatureOf(ann, young)), 201);
    });

    it("row 2: a statement after its two minutes", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      at.advance(120_500);
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe("409 statement_expired");
    });

    it("row 3: a task that somebody else holds now, and a request that has ended", async () => {
      const { ann, ask } = await signer();
      const { asked: made, task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      const cancelled = await at.server.inject({
        ...{ method: "POST", url: `/v1/requests/${made.requestId}/cancel`, headers: { ...asAdmin }, payload: {} },
      });
      expect(cancelled.statusCode).toBe(200);
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe("409 wrong_state");
    });

    it("row 3: the payload changed between view and signature, and the answer names the field", async () => {
      const { ann, ask } = await signer();
      const { asked: made, task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      await changePayload(made, { amount: 12_000 });
      const answer = await scene.decideSigned(ann, task, {}, signature);
      expect(outcomeOf(answer)).toBe("409 view_stale");
      expect(answer.json()).toMatchObject({ changed: ["payload", "context.amount"] });
      const again = await scene.sign(ann, task);
      expect(again.statusCode).toBe(201);
    });

    it("row 3: the payload changed between view and minting", async () => {
      const { ann, ask } = await signer();
      const { asked: made, task } = await ask();
      const { id: view } = await scene.view(ann, task);
      await changePayload(made, { amount: 12, account: "other" });
      const answer = await ann.post(`/tasks/${task}/statement`, { view, action: "approve" });
      expect(outcomeOf(answer)).toBe("409 view_stale");
      expect(answer.json()).toMatchObject({ changed: ["payload", "context.account"] });
    });

    it("row 3: a version of the policy was activated meanwhile: the person is told before signing", async () => {
      const { ann, ask, name, policyKey } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      await scene.newVersion(policyKey, [{ people: [name], assurance: "signed" }]);
      const answer = await scene.decideSigned(ann, task, {}, signature);
      expect(outcomeOf(answer)).toBe("409 view_stale");
      expect(answer.json()).toMatchObject({ changed: ["active_policy"] });
      expect((await scene.sign(ann, task)).statusCode).toBe(201);
    });

    it("row 3: a statement that names another policy version than the request's", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const statement = await scene.statement(ann, task);
      const text = textAt(statement, "statement").replace(/("policy":\{"digest":"sha256:)[0-9a-f]{8}/, "$100000000");
      await at.pool.query("update statements set text = $1 where id = $2", [text, statement["id"]]);
      const answer = await scene.decideSigned(ann, task, {}, signatureOf(ann, statement));
      expect(outcomeOf(answer)).toBe("409 view_stale");
    });

    it("row 4: a statement of another request", async () => {
      const { ann, ask } = await signer();
      const [one, two] = [await ask(), await ask()];
      const signature = signatureOf(ann, await scene.statement(ann, one.task));
      expect(outcomeOf(await scene.decideSigned(ann, two.task, {}, signature))).toBe("409 statement_mismatch");
    });

    it.each<[string, JsonObject]>([
      ["another decision", { action: "reject" }],
      ["an added reason", { comment: "because" }],
      ["a reason code", { reason_code: "risk" }],
    ])("row 4: %s than was signed", async (_what, posted) => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      expect(outcomeOf(await scene.decideSigned(ann, task, posted, signature))).toBe("409 statement_mismatch");
    });

    it("row 4: another view than the one that was signed", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      const { id: view = null } = await scene.view(ann, task);
      expect(outcomeOf(await scene.decideSigned(ann, task, { view }, signature))).toBe("409 statement_mismatch");
    });

    it("row 5: a passkey that was not offered, be it the person's own", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const statement = await scene.statement(ann, task);
      const second = await secondKey(ann);
      const options = {
        ...objectAt(statement, "options"),
        allowCredentials: [{ id: second.credentialIds.at(-1) ?? "" }],
      };
      const signature = { statement: statement["id"] ?? null, response: second.assert(options) };
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe("401 factor_unknown");
    });

    it("row 5: somebody else's passkey", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const statement = await scene.statement(ann, task);
      const options = {
        ...objectAt(statement, "options"),
        allowCredentials: [{ id: ben.key.credentialIds.at(-1) ?? "" }],
      };
      const signature = { statement: statement["id"] ?? null, response: ben.key.assert(options) };
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe("401 factor_unknown");
    });

    it.each([
      ["removed", "removed_at = now()", "401 factor_unknown"],
      ["switched off", "disabled_at = now()", "401 factor_unknown"],
      ["not to sign any more", "signing_disabled_at = now()", "401 factor_unknown"],
      ["cooling down", "usable_at = now() + interval '1 day'", "403 factor_cooling_down"],
    ])("row 5: a passkey that is %s by the time of the decision", async (_what, change, outcome) => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      await secondKey(ann);
      await changeFactors(ann, change);
      expect(outcomeOf(await scene.decideSigned(ann, task, {}, signature))).toBe(outcome);
    });

    it("identity R-FACT-12: a synchronized passkey does not sign where keys must be bound to a device", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const signature = signatureOf(ann, await scene.statement(ann, task));
      await changeFactors(ann, "backup_eligible = true");
      const columns = "(org_id, key, value, updated_by, updated_at, entry_seq)";
      const values = "$1, 'aal3', 'true', 'test', now(), max(seq) from ledger_entries";
      await at.pool.query(`insert into settings ${columns} select ${values}`, [at.app.orgId]);
      const answer = await scene.decideSigned(ann, task, {}, signature);
      await at.pool.query("delete from settings where key = 'aal3'");
      expect(outcomeOf(answer)).toBe("403 factor_not_device_bound");
    });

    it.each<[string, string, Spoiled]>([
      [
        "6: another user's handle",
        "401 assertion_invalid",
        { userHandle: Buffer.from("x".repeat(32)).toString("base64url") },
      ],
      ["7: another type", "401 assertion_invalid", { type: "webauthn.create" }],
      ["7: another challenge", "401 assertion_invalid", { challenge: Buffer.alloc(32).toString("base64url") }],
      ["7: the https origin", "401 assertion_invalid", { origin: "https://localhost" }],
      ["7: another port", "401 assertion_invalid", { origin: "http://localhost:81" }],
      ["7: another host", "401 assertion_invalid", { origin: "http://localhost.evil.example" }],
      ["7: a page in somebody's frame", "401 assertion_invalid", { clientData: { crossOrigin: true } }],
      [
        "7: a page under somebody's page",
        "401 assertion_invalid",
        { clientData: { topOrigin: "https://evil.example" } },
      ],
      ["8: another RP id", "401 assertion_invalid", { rpId: "evil.example" }],
      ["8: nobody present", "401 assertion_invalid", { userPresent: false }],
      ["8: nobody verified", "401 user_not_verified", { userVerified: false }],
      ["9: another signature", "401 assertion_invalid", { badSignature: true }],
    ])("row %s answers %s", async (_what, outcome, spoiled) => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const before = (await scene.entries("decision.recorded")).length;
      expect(outcomeOf(await scene.sign(ann, task, {}, spoiled))).toBe(outcome);
      expect(await scene.entries("decision.recorded")).toHaveLength(before);
      const code = outcome.slice(4);
      expect((await scene.entries("access.refused")).at(-1)).toMatchObject({ data: { code } });
    });

    it("row 7: client data that two readers could read in two ways", async () => {
      const { ann, ask } = await signer();
      const { task } = await ask();
      const statement = await scene.statement(ann, task);
      const signature = signatureOf(ann, statement);
      const response = objectAt(signature, "response", "response");
      const text = Buffer.from(textAt(response, "clientDataJSON"), "base64url").toString("utf8");
      const doubled = text.replace("{", '{"origin":"http://evil.example",');
      const clientDataJSON = Buffer.from(doubled).toString("base64url");
      const forged = { ...objectAt(signature, "response"), response: { ...response, clientDataJSON } };
      const answer = await scene.decideSigned(ann, task, {}, { ...signature, response: forged });
      expect(outcomeOf(answer)).toBe("401 assertion_invalid");
    });

    it("row 9: a signature over another statement of the same person", async () => {
      const { ann, ask } = await signer();
      const [one, two] = [await ask(), await ask()];
      const other = await scene.statement(ann, two.task);
      const statement = await scene.statement(ann, one.task);
      const signature = { ...signatureOf(ann, other), statement: statement["id"] ?? null };
      expect(outcomeOf(await scene.decideSigned(ann, one.task, {}, signature))).toBe("401 assertion_invalid");
    });

    it("identity R-FACT-11, row 10: a counter that went back refuses, switches the key off for signing, and is an entry", async () => {
      const { ann, ask } = await signer();
      const copy = ann.key.clone();
      const [one, two] = [await ask(), await ask()];
      must(await scene.sign(ann, one.task), 201);
      const statement = await scene.statement(ann, two.task);
      const signature = { statement: statement["id"] ?? null, response: copy.assert(statement["options"] ?? null) };
      const answer = await scene.decideSigned(ann, two.task, {}, signature);
      expect(outcomeOf(answer)).toBe("401 factor_counter_regressed");
      const [told] = (await scene.entries("factor.counter_regressed")).slice(-1);
      expect(textAt(told, "data", "person")).toBe(`usr_${ann.personId.replaceAll("-", "")}`);
      const { id: view = null } = await scene.view(ann, two.task);
      const next = await ann.post(`/tasks/${two.task}/statement`, { view, action: "approve" });
      expect(outcomeOf(next)).toBe("401 factor_unknown");
    });
  });

  it("identity R-SIGN-2: authenticator code, backup code and a bare token do not decide where a signature is asked", async () => {
    const { ann, ask, name } = await signer();
    const { asked: made, task } = await ask();
    const url = `/tasks/${task}/decision`;
    const said = { action: "approve", digest: made.digest };
    const bare = await ann.post(url, said);
    expect(outcomeOf(bare)).toBe("403 signature_required");
    expect(bare.json()).toMatchObject({ step_up: { needed: "signed", methods: ["passkey"] } });
    const headers = await ann.proofFor(`POST ${url}`, { decision: "approve" });
    expect(outcomeOf(await ann.post(url, said, { headers }))).toBe("403 signature_required");
    for (const call of ["/v1", "/v1/awe"]) {
      const token = await at.server.inject({ method: "POST", url: `${call}${url}`, headers: as(name), payload: said });
      expect(token.json()).toMatchObject({ code: "signature_required" });
    }
  });

  it("identity R-ID-10: a machine is refused before anything is looked at, and sees no view", async () => {
    const { ask } = await signer();
    const { task } = await ask();
    const claims = { sub: "robot", preferred_username: "service-account-robot", azp: "robot" };
    const headers = { authorization: `Bearer ${unsignedToken(claims)}` };
    const payload = { action: "approve" };
    const decided = await at.server.inject({ method: "POST", url: `/v1/tasks/${task}/decision`, headers, payload });
    expect([decided.statusCode, decided.json()]).toMatchObject([403, { code: "machine" }]);
    const bulk = { items: [{ task_id: task, action: "approve" }] };
    const many = await at.server.inject({ method: "POST", url: "/v1/tasks/decisions", headers, payload: bulk });
    expect([many.statusCode, many.json()]).toMatchObject([403, { code: "machine" }]);
    const seen = await at.server.inject({ method: "POST", url: `/v1/tasks/${task}/view`, headers, payload: {} });
    expect(seen.statusCode).toBe(403);
  });

  it("identity R-ROLE-2: an administrator does not decide in somebody's place on a signed stage", async () => {
    const { ask } = await signer();
    const { asked: made, task } = await ask();
    for (const action of ["approve", "reject", "abstain"]) {
      const payload = { action, digest: made.digest, comment: "urgent" };
      const answer = await at.server.inject({
        ...{ method: "POST", url: `/v1/tasks/${task}/decision`, headers: { ...asAdmin }, payload },
      });
      expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: "not_assignee" }]);
    }
  });

  it("identity section 8: views and statements belong to a browser's session, and to who holds the task", async () => {
    const { ann, ask } = await signer();
    const { asked: made, task } = await ask();
    const headers = as("ann");
    const answer = await at.server.inject({ method: "POST", url: `/v1/tasks/${task}/view`, headers, payload: {} });
    expect(answer.json()).toMatchObject({ code: "credential_kind_not_allowed" });
    expect(outcomeOf(await ben.post(`/tasks/${task}/view`))).toBe("403 not_assignee");
    const { ann: stranger } = await signer();
    expect(outcomeOf(await stranger.post(`/tasks/${task}/view`))).toBe("404 task_not_found");
    const { id: view = null } = await scene.view(ann, task);
    const other = scene.taskOf(made, "ben");
    const taken = await ben.post(`/tasks/${other}/statement`, { view, action: "approve" });
    expect(outcomeOf(taken)).toBe("409 view_required");
    expect(outcomeOf(await ann.post(`/tasks/${randomUUID()}/view`))).toBe("404 task_not_found");
  });

  it("identity section 7.1: a view is over after half an hour", async () => {
    const { ann, ask } = await signer();
    const { task } = await ask();
    const { id: view = null } = await scene.view(ann, task);
    at.advance(30 * 60_000 + 1);
    const answer = await ann.post(`/tasks/${task}/statement`, { view, action: "approve" });
    expect(outcomeOf(answer)).toBe("409 view_required");
  });

  it("identity section 10: thirty statements a minute, and no more", async () => {
    const { ann, ask } = await signer();
    const { task } = await ask();
    const { id: view = null } = await scene.view(ann, task);
    const outcomes: string[] = [];
    for (let count = 0; count < 31; count += 1) {
      outcomes.push(outcomeOf(await ann.post(`/tasks/${task}/statement`, { view, action: "approve" })));
    }
    expect(outcomes).toEqual([...Array.from({ length: 30 }, () => "201"), "429 rate_limited"]);
  });

  it("identity R-SIGN-3: what was signed about stays, when views are long gone", async () => {
    const { ann, ask } = await signer();
    const { asked: made, task } = await ask();
    const view = await scene.view(ann, task);
    const statement = must(await ann.post(`/tasks/${task}/statement`, { view: view["id"], action: "approve" }), 201);
    must(await scene.decideSigned(ann, task, {}, signatureOf(ann, statement)), 201);
    const { rows } = await at.pool.query("select digest, document from displays where request_id = $1", [
      made.requestId,
    ]);
    expect(rows).toEqual([view["display"]]);
  });

  it("engine R-DECIDE-3: one signature sent twice at once decides once", async () => {
    const { ann, ask } = await signer();
    const { task } = await ask();
    const signature = signatureOf(ann, await scene.statement(ann, task));
    const answers = await Promise.all([1, 2, 3].map(() => scene.decideSigned(ann, task, {}, signature)));
    expect(answers.map(outcomeOf).sort()).toEqual(["201", "409 statement_used", "409 statement_used"]);
  });

  it("engine R-DECIDE-4: a repeated call with its key is answered as before, although its signature is spent", async () => {
    const { ann, ask } = await signer();
    const { task } = await ask();
    const signature = signatureOf(ann, await scene.statement(ann, task));
    const headers = { "idempotency-key": randomUUID() };
    const call = (): ReturnType<TestBrowser["post"]> =>
      ann.post(`/tasks/${task}/decision`, { action: "approve", signature }, { headers });
    const [first, second] = [await call(), await call()];
    expect([first.statusCode, second.statusCode, second.body]).toEqual([201, 201, first.body]);
  });

  /** Another key of the same person, usable at once. */
  async function secondKey(browser: TestBrowser): Promise<SoftwareAuthenticator> {
    const key = new SoftwareAuthenticator({ origin: "http://localhost" });
    const { ceremony, options } = must(await browser.post("/me/factors/passkey/options", {}, { fresh: true }), 201);
    const response = key.register(options ?? null);
    must(await browser.post("/me/factors/passkey", { ceremony, response, name: "Second" }), 201);
    return key;
  }

  /** What happens to a key elsewhere; the request came after its enrolment, so its entry serves. */
  async function changeFactors({ personId }: TestBrowser, change: string): Promise<void> {
    const newest = "(select max(seq) from ledger_entries)";
    const first = "(select min(created_at) from factors where person_id = $1)";
    const where = `person_id = $1 and created_at = ${first}`;
    await at.pool.query(`update factors set ${change}, entry_seq = ${newest} where ${where}`, [personId]);
  }

  /** As a revision would: no route makes one yet. */
  async function changePayload({ requestId }: Asked, context: JsonObject): Promise<void> {
    const { rows } = await at.pool.query<JsonObject>("select * from requests where id = $1", [requestId]);
    const { salt, policy_digest, artifact_type, artifact_id, requester, revision } = rows[0] ?? {};
    const bound = { salt, policy_digest, artifact_type, artifact_id, requester, revision, context };
    const payload = objectIn(JSON.stringify({ v: 1, gate: "generic", ...bound }));
    await scene.ask(textAt(rows[0], "policy_key"));
    await at.pool.query(
      "update requests set context = $2, digest = $3, entry_seq = (select max(seq) from ledger_entries) where id = $1",
      [requestId, JSON.stringify(context), `sha256:${sha256(canonicalJson(payload))}`],
    );
  }
});

function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("hex");
}
