/** Proving a factor for one act, and what an attacker tries instead. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { bodyOf, objectIn, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { totpCode, type Spoiled } from "../support/software-authenticator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer, type TestServerOptions } from "../support/test-server.ts";

const MINUTE = 60_000;
const STEP = 30_000;

describeOnEveryPostgres("proofs of a factor", (database) => {
  let at: TestServer;
  let browser: TestBrowser;
  const opened: TestServer[] = [];

  async function open(options: TestServerOptions = {}): Promise<void> {
    at = await openServer((await database.fresh()).url, options);
    opened.push(at);
    browser = await signedIn(at);
  }
  beforeEach(() => open());
  afterEach(async () => {
    for (const server of opened.splice(0)) await server.close();
  });

  /** An act that is `fresh`: renaming one's own factor. */
  async function factorPath(): Promise<string> {
    return `/me/factors/${textAt(must(await browser.get("/me/factors"), 200), "factors", 0, "id")}`;
  }

  async function rename(path: string, proof: JsonValue, by = browser): Promise<string> {
    return outcomeOf(await by.patch(path, { name: "Renamed", proof }));
  }

  async function enrolTotp(): Promise<() => { readonly type: "totp"; readonly code: string }> {
    const offered = must(await browser.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const secret = textAt(offered, "secret");
    const code = (): string => totpCode(secret, at.app.clock());
    must(await browser.post("/me/factors/totp", { ceremony: offered["ceremony"], code: code(), name: "Phone" }), 201);
    at.advance(STEP);
    return () => ({ type: "totp", code: code() });
  }

  async function challenge(act: string, by = browser): Promise<JsonObject> {
    return must(await by.post("/me/challenges", { act }), 201);
  }

  /** A passkey's answer to a challenge for this act. */
  async function passkeyProof(
    act: string,
    { spoiled = {}, by = browser }: { spoiled?: Spoiled; by?: TestBrowser } = {},
  ) {
    const { id, options } = await challenge(act, by);
    const response = browser.key.assert(options ?? null, spoiled);
    return { type: "passkey", challenge: id ?? null, response };
  }

  async function entries(kind: string): Promise<readonly JsonObject[]> {
    await at.app.refusals.settled();
    const sql = "select text from ledger_entries where kind = $1 order by seq";
    const { rows } = await at.pool.query<{ text: string }>(sql, [kind]);
    return rows.map(({ text }) => bodyOf({ body: text }));
  }

  function dataOf(entry: JsonObject | undefined): JsonObject {
    const data = entry?.["data"];
    return isJsonObject(data) ? data : {};
  }

  const WRONG = { type: "totp", code: "000000" };

  it("identity R-STEP-1: a proof may stand in the body or in a header; two at once are refused", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    expect(await rename(path, proof())).toBe("200");
    at.advance(STEP);
    const { code } = proof();
    const header = { headers: { "x-mfa-totp": code } };
    const both = await browser.patch(path, { name: "A", proof: proof() }, header);
    expect(outcomeOf(both)).toBe("400 invalid_mfa_type");
    expect(outcomeOf(await browser.patch(path, { name: "A" }, header))).toBe("200");
  });

  it("identity R-STEP-3: an authenticator's code proves one act: not another one, and not the same again", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    const used = proof();
    expect(await rename(path, used)).toBe("200");
    expect(await rename(path, used)).toBe("401 mfa_verification_failed");
    expect(outcomeOf(await browser.post("/session/step-up", { proof: used }))).toBe("401 mfa_verification_failed");
    // Spaces do not make it another code.
    const spaced = { type: "totp", code: used.code.replace(/^(...)/, "$1 ") };
    expect(await rename(path, spaced)).toBe("401 mfa_verification_failed");
    at.advance(STEP);
    expect(await rename(path, proof())).toBe("200");
  });

  it("identity R-STEP-3: a code is spent even when the act is refused", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    const used = proof();
    expect(await rename("/me/factors/00000000-0000-4000-8000-000000000000", used)).toBe("404 not_found");
    expect(await rename(path, used)).toBe("401 mfa_verification_failed");
  });

  it("identity R-FACT-4: of many calls at once with one code, one succeeds", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    const used = proof();
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => rename(path, used)));
    expect(outcomes.filter((outcome) => outcome === "200")).toHaveLength(1);
  });

  it("identity R-STEP-2: a passkey's answer serves one act, once", async () => {
    const path = await factorPath();
    const proof = await passkeyProof(`PATCH ${path}`);
    expect(await rename(path, proof)).toBe("200");
    expect(await rename(path, proof)).toBe("401 mfa_verification_failed");
    const other = await passkeyProof("POST /people/00000000-0000-4000-8000-000000000000/suspend");
    expect(await rename(path, other)).toBe("401 mfa_verification_failed");
    // Tried on the wrong act, it is gone for the right one as well.
    const forRename = await passkeyProof(`PATCH ${path}`);
    expect(outcomeOf(await browser.post("/session/step-up", { proof: forRename }))).toBe("401 mfa_verification_failed");
    expect(await rename(path, forRename)).toBe("401 mfa_verification_failed");
  });

  it("identity R-STEP-2: an answer belongs to the session that asked", async () => {
    const elsewhere = new TestBrowser(at, { key: browser.key });
    expect(outcomeOf(await elsewhere.signIn())).toBe("201");
    const path = await factorPath();
    const proof = await passkeyProof(`PATCH ${path}`, { by: elsewhere });
    expect(await rename(path, proof)).toBe("401 mfa_verification_failed");
  });

  it("identity R-STEP-2: nobody else's passkey proves anything", async () => {
    const other = await signedInAs(at, browser, {});
    const path = await factorPath();
    const { id, options } = await challenge(`PATCH ${path}`);
    const asked = { rpId: textAt(options, "rpId"), challenge: textAt(options, "challenge") };
    const proof = { type: "passkey", challenge: id ?? null, response: other.key.assert(asked) };
    expect(await rename(path, proof)).toBe("401 factor_unknown");
    // Nor does one that keeps quiet about whose it is.
    const again = await challenge(`PATCH ${path}`);
    const challenged = { rpId: asked.rpId, challenge: textAt(again, "options", "challenge") };
    const response = { ...other.key.assert(challenged) };
    const { userHandle, ...nameless } = objectIn(JSON.stringify(response["response"]));
    expect(userHandle).toBeTypeOf("string");
    const unnamed = { type: "passkey", challenge: again["id"] ?? null, response: { ...response, response: nameless } };
    expect(await rename(path, unnamed)).toBe("401 factor_unknown");
  });

  it("identity R-STEP-2: a challenge lives for 120 seconds", async () => {
    const path = await factorPath();
    const proof = await passkeyProof(`PATCH ${path}`);
    at.advance(121_000);
    expect(await rename(path, proof)).toBe("401 mfa_verification_failed");
    const another = await passkeyProof(`PATCH ${path}`);
    at.advance(119_000);
    expect(await rename(path, another)).toBe("200");
  });

  it.each<readonly [string, Spoiled, string]>([
    ["another origin", { origin: "https://approvals.example.com.evil.example" }, "401 mfa_verification_failed"],
    ["plain http", { origin: "http://approvals.example.com" }, "401 mfa_verification_failed"],
    ["another challenge", { challenge: Buffer.alloc(32).toString("base64url") }, "401 mfa_verification_failed"],
    ["another RP id", { rpId: "example.com" }, "401 mfa_verification_failed"],
    ["a frame of another site", { clientData: { crossOrigin: true } }, "401 mfa_verification_failed"],
    ["a wrong signature", { badSignature: true }, "401 mfa_verification_failed"],
    ["another person's handle", { userHandle: Buffer.alloc(32).toString("base64url") }, "401 factor_unknown"],
    ["a person who was not verified", { userVerified: false }, "401 user_not_verified"],
  ])("identity R-STEP-2: an answer with %s is refused", async (_what, spoiled, outcome) => {
    const path = await factorPath();
    expect(await rename(path, await passkeyProof(`PATCH ${path}`, { spoiled }))).toBe(outcome);
    expect(must(await browser.get("/me/factors"), 200)["factors"]).toMatchObject([{ name: "Test key", signing: true }]);
  });

  it("identity R-FACT-11: a copied passkey is refused, signs no more, and is an entry", async () => {
    const path = await factorPath();
    const copy = browser.key.clone();
    expect(await rename(path, await passkeyProof(`PATCH ${path}`))).toBe("200");
    const { id, options } = await challenge(`PATCH ${path}`);
    const cloned = { type: "passkey", challenge: id ?? null, response: copy.assert(options ?? null) };
    expect(await rename(path, cloned)).toBe("401 factor_counter_regressed");
    expect(must(await browser.get("/me/factors"), 200)["factors"]).toMatchObject([{ signing: false, disabled: false }]);
    expect(await entries("factor.counter_regressed")).toHaveLength(1);
    // The true key still serves what needs no signature.
    expect(await rename(path, await passkeyProof(`PATCH ${path}`))).toBe("200");
  });

  it("identity R-FACT-11: of two answers with one count at once, one is taken", async () => {
    const path = await factorPath();
    const copy = browser.key.clone();
    const [first, second] = [await challenge(`PATCH ${path}`), await challenge(`PATCH ${path}`)];
    const proofs = [
      { type: "passkey", challenge: first["id"] ?? null, response: browser.key.assert(first["options"] ?? null) },
      { type: "passkey", challenge: second["id"] ?? null, response: copy.assert(second["options"] ?? null) },
    ];
    const outcomes = await Promise.all(proofs.map((proof) => rename(path, proof)));
    expect(outcomes.sort()).toEqual(["200", "401 factor_counter_regressed"]);
  });

  it("identity R-FACT-7: five right codes in a row throttle nobody", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    for (let turn = 0; turn < 7; turn += 1) {
      expect(await rename(path, proof())).toBe("200");
      at.advance(STEP);
    }
  });

  it("identity R-FACT-7: five wrong codes throttle for 15 minutes, the next five for 30, a right one forgives", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    const fail = async (times: number): Promise<void> => {
      for (let turn = 0; turn < times; turn += 1) {
        expect(await rename(path, WRONG)).toBe("401 mfa_verification_failed");
      }
    };
    await fail(4);
    expect(await rename(path, proof())).toBe("200");
    at.advance(STEP);
    await fail(5);
    const blocked = await browser.patch(path, { name: "Renamed", proof: proof() });
    expect(outcomeOf(blocked)).toBe("429 factor_throttled");
    expect(textAt(bodyOf(blocked), "detail")).toBe("Too many attempts - try again in 15 minutes");
    at.advance(15 * MINUTE - 1_000);
    expect(await rename(path, proof())).toBe("429 factor_throttled");
    at.advance(2_000);
    await fail(5);
    at.advance(15 * MINUTE + 1_000);
    expect(await rename(path, proof())).toBe("429 factor_throttled");
    at.advance(15 * MINUTE + 1_000);
    expect(await rename(path, proof())).toBe("200");
    expect((await entries("access.refused")).length).toBeGreaterThanOrEqual(5);
  });

  it("identity R-FACT-7: many guesses at once are no more than five guesses", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    const guesses = Array.from({ length: 40 }, (_none, index) => ({
      type: "totp",
      code: String(100_000 + index),
    }));
    await Promise.all(guesses.map((guess) => rename(path, guess)));
    expect(await rename(path, proof())).toBe("429 factor_throttled");
  });

  it("identity R-FACT-7: a hundred failures in a row switch the factor off", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    for (let turn = 0; turn < 20; turn += 1) {
      for (let guess = 0; guess < 5; guess += 1) await rename(path, WRONG);
      // The session is kept alive meanwhile; the wait doubles up to four hours.
      at.advance(4 * 60 * MINUTE + 1_000);
      expect(outcomeOf(await browser.signIn())).toBe("201");
    }
    expect(must(await browser.get("/me/factors"), 200)["factors"]).toMatchObject([
      { type: "totp", disabled: true },
      { type: "passkey", disabled: false },
    ]);
    expect(await rename(path, proof())).toBe("401 mfa_verification_failed");
    expect((await entries("access.refused")).map(dataOf)).toContainEqual(
      expect.objectContaining({ code: "factor_throttled", count: 100 }),
    );
  }, 120_000);

  it("identity R-STEP-4: fresh is never satisfied by the window", async () => {
    const proof = await enrolTotp();
    const path = await factorPath();
    expect(outcomeOf(await browser.post("/session/step-up", { proof: proof() }))).toBe("204");
    const bare = await browser.patch(path, { name: "Renamed" });
    expect([outcomeOf(bare), bare.headers["x-mfa-required"]]).toEqual(["401 mfa_required", "always"]);
  });

  it("identity R-SESS-2: stepping up gives the session a new secret; the old one dies with it", async () => {
    const proof = await enrolTotp();
    const before = browser.cookie;
    at.advance(11 * MINUTE);
    expect(must(await browser.get("/me"), 200)).toMatchObject({ session: { step_up_until: null } });
    const stepped = await browser.post("/session/step-up", { proof: proof() });
    expect(outcomeOf(stepped)).toBe("204");
    expect(browser.cookie).not.toBe(before);
    const old = await at.server.inject({ url: "/v1/me", headers: { cookie: before } });
    expect(old.statusCode).toBe(401);
    const me = must(await browser.get("/me"), 200);
    expect(Date.parse(textAt(me, "session", "step_up_until"))).toBeGreaterThan(at.app.clock() + 9 * MINUTE);
  });

  it("identity R-STEP-4: a proof in any call renews the window of its session", async () => {
    const proof = await enrolTotp();
    at.advance(11 * MINUTE);
    expect(await rename(await factorPath(), proof())).toBe("200");
    const me = must(await browser.get("/me"), 200);
    expect(Date.parse(textAt(me, "session", "step_up_until"))).toBeGreaterThan(at.app.clock());
  });

  it("identity R-FACT-8: each use is an entry that names factor, session and act, and no word of a person's", async () => {
    const path = await factorPath();
    expect(await rename(path, await passkeyProof(`PATCH ${path}`))).toBe("200");
    const last = (await entries("factor.used")).at(-1);
    const factor = `fac_${path.slice("/me/factors/".length).replaceAll("-", "")}`;
    expect(dataOf(last)).toMatchObject({ factor, type: "passkey", act: "patch_me_factors" });
    expect(last?.["credential"]).toMatch(/^ses_[0-9a-f]{32}$/);
  });

  it("identity R-SEAL-1: a sealed seed copied to another person's factor does not open", async () => {
    const mine = await enrolTotp();
    const path = await factorPath();
    const victim = await signedInAs(at, browser, {});
    const offered = must(await victim.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const code = totpCode(textAt(offered, "secret"), at.app.clock());
    must(await victim.post("/me/factors/totp", { ceremony: offered["ceremony"], code, name: "Phone" }), 201);
    // Whoever can do this to the database writes what they like into it.
    await at.pool.query("alter table factors disable trigger user");
    await at.pool.query(
      `update factors theirs set secret = mine.secret from factors mine where theirs.person_id = $1 and theirs.type = 'totp' and mine.person_id = $2 and mine.type = 'totp'`,
      [victim.personId, browser.personId],
    );
    at.advance(STEP);
    expect(outcomeOf(await victim.post("/session/step-up", { proof: mine() }))).toBe("503 secret_unreadable");
    expect(await rename(path, mine())).toBe("200");
  });

  it("identity R-FACT-5: where backup codes do not decide, they prove no act", async () => {
    await open({ application: { identity: { backupCodesDecide: false } } });
    const made = must(await browser.post("/me/backup-codes", {}, { fresh: true }), 201);
    must(await browser.post("/me/backup-codes/confirm", { ceremony: made["ceremony"] }), 204);
    const proof = { type: "backup_code", code: textAt(made, "codes", 0) };
    expect(await rename(await factorPath(), proof)).toBe("400 invalid_mfa_type");
    // Nothing is lost by the try.
    expect(outcomeOf(await browser.post("/session/step-up", { proof }))).toBe("204");
  });

  it("identity R-STEP-2: a challenge for a decision says which decision; for anything but an act there is none", async () => {
    const id = "00000000-0000-4000-8000-000000000000";
    const asked = async (body: JsonObject): Promise<string> => outcomeOf(await browser.post("/me/challenges", body));
    expect(await asked({ act: `POST /tasks/${id}/decision` })).toBe("422 invalid_input");
    expect(await asked({ act: `POST /tasks/${id}/decision`, decision: "approve" })).toBe("404 task_not_found");
    expect(await asked({ act: "POST /tasks/decisions" })).toBe("422 invalid_input");
    expect(await asked({ act: "GET /me" })).toBe("422 invalid_input");
    expect(await asked({ act: "POST /x y" })).toBe("422 invalid_input");
  });
});
