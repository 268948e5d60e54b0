/** Enrolling, changing and removing one's own factors, from outside. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { usableFrom } from "../../src/app/factor-cool-down.ts";
import { makeSetupLink } from "../../src/app/setup-link.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { authenticatorFor, must, outcomeOf, signedIn, signedInAs, TestBrowser } from "../support/signed-in.ts";
import { believeAttestationRoots } from "../../src/adapters/factors/attestation.ts";
import { authenticatorMaker } from "../support/authenticator-maker.ts";
import { SoftwareAuthenticator, totpCode } from "../support/software-authenticator.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const HOUR = 3_600_000;
const STEP = 30_000;
const PASSWORD = "violet harbour 7 lantern";

describeOnEveryPostgres("one's own factors", (database) => {
  let at: TestServer;
  const opened: TestServer[] = [];
  beforeEach(async () => {
    at = await openServer((await database.fresh()).url);
    opened.push(at);
  });
  afterEach(async () => {
    for (const server of opened.splice(0)) await server.close();
  });

  /** Somebody who came by the setup link and has no factor yet. */
  async function newcomer(): Promise<TestBrowser> {
    const browser = new TestBrowser(at);
    const link = await makeSetupLink(at.app);
    const about = { organization: "Example", name: "Rosa Root", email: "rosa@example.com", login: "rosa" };
    must(await browser.post("/setup", { token: link?.token, ...about }), 201);
    return browser;
  }

  async function enrolTotp(browser: TestBrowser, options = {}): Promise<{ secret: string; factor: JsonObject }> {
    const offered = must(await browser.post("/me/factors/totp/options", {}, options), 201);
    const secret = textAt(offered, "secret");
    const answer = { ceremony: offered["ceremony"], code: totpCode(secret, at.app.clock()), name: "Phone" };
    return { secret, factor: must(await browser.post("/me/factors/totp", answer), 201) };
  }

  async function entries(kind: string): Promise<readonly JsonObject[]> {
    await at.app.refusals.settled();
    const sql = "select text from ledger_entries where kind = $1 order by seq";
    const { rows } = await at.pool.query<{ text: string }>(sql, [kind]);
    return rows.map(({ text }) => bodyOf({ body: text }));
  }

  async function factors(browser: TestBrowser): Promise<readonly JsonObject[]> {
    const { factors: list } = must(await browser.get("/me/factors"), 200);
    return Array.isArray(list) ? list.map((each) => bodyOf({ body: JSON.stringify(each) })) : [];
  }

  it("identity R-FACT-1: a first passkey makes the session a full one, with a new secret, and the person active", async () => {
    const browser = await newcomer();
    const before = browser.cookie;
    expect(browser.me).toMatchObject({ status: "invited", session: { kind: "enrolment" }, enrolment_required: true });
    const factor = await browser.enrolPasskey("Blue key");
    expect(factor).toMatchObject({
      type: "passkey",
      name: "Blue key",
      device_bound: true,
      synced: false,
      signing: true,
    });
    expect(browser.me).toMatchObject({ status: "active", session: { kind: "web", aal: 2 }, enrolled: true });
    expect(browser.cookie).not.toBe(before);
    expect(must(await browser.get("/me"), 200)).toMatchObject({ enrolment_required: false });
    const old = await at.server.inject({ url: "/v1/me", headers: { cookie: before } });
    expect(old.statusCode).toBe(401);
    expect(await entries("person.claimed")).toHaveLength(1);
    const person = `usr_${browser.personId.replaceAll("-", "")}`;
    expect((await entries("factor.enrolled")).map((entry) => entry["data"])).toEqual([
      expect.objectContaining({ person, type: "passkey", alg: -7, backup_eligible: false }),
    ]);
  });

  it("identity R-FACT-1: the user handle is random, and the same for every passkey of the person", async () => {
    const browser = await newcomer();
    const handleOf = async (options = {}): Promise<string> =>
      textAt(must(await browser.post("/me/factors/passkey/options", {}, options), 201), "options", "user", "id");
    const [first, second] = [await handleOf(), await handleOf()];
    expect(Buffer.from(first, "base64url")).toHaveLength(32);
    expect(second).not.toBe(first);
    await browser.enrolPasskey();
    const [third, fourth] = [await handleOf({ fresh: true }), await handleOf({ fresh: true })];
    expect(fourth).toBe(third);
  });

  it("identity R-LOCAL-1: with a password alone the session stays one for enrolling; the authenticator completes it", async () => {
    const browser = await newcomer();
    expect(outcomeOf(await browser.put("/me/password", { password: PASSWORD }))).toBe("204");
    expect(must(await browser.get("/me"), 200)).toMatchObject({ session: { kind: "enrolment" }, password_set: true });
    expect(outcomeOf(await browser.get("/inbox"))).toBe("403 mfa_enrollment_required");
    const { factor } = await enrolTotp(browser);
    expect(factor).toMatchObject({
      type: "totp",
      signing: false,
      me: { session: { kind: "web", method: "password" } },
    });
    expect(outcomeOf(await browser.get("/inbox"))).toBe("200");
  });

  it("identity R-LOCAL-1: an authenticator alone signs nobody in: the password completes it", async () => {
    const browser = await newcomer();
    const { factor } = await enrolTotp(browser);
    expect(factor).not.toHaveProperty("me");
    expect(must(await browser.get("/me"), 200)).toMatchObject({ session: { kind: "enrolment" }, status: "invited" });
    const before = browser.cookie;
    expect(outcomeOf(await browser.put("/me/password", { password: PASSWORD }))).toBe("204");
    expect(browser.cookie).not.toBe(before);
    expect(must(await browser.get("/me"), 200)).toMatchObject({ session: { kind: "web" }, status: "active" });
  });

  it("identity R-LOCAL-2: a weak password is refused with a sentence", async () => {
    const browser = await newcomer();
    for (const password of ["short", "example.com example.com", "rosa@example.com", "aaaaaaaaaaaaaaaaaaaa"]) {
      expect(outcomeOf(await browser.put("/me/password", { password }))).toBe("422 password_weak");
    }
  });

  it("identity R-FACT-8: every further factor, and new backup codes, need an existing factor in the call", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey();
    const calls: readonly (readonly ["post" | "put", string, JsonObject])[] = [
      ["post", "/me/factors/passkey/options", {}],
      ["post", "/me/factors/totp/options", {}],
      ["post", "/me/backup-codes", {}],
      ["put", "/me/password", { password: PASSWORD }],
    ];
    for (const [method, path, body] of calls) {
      const bare = await browser[method](path, body);
      expect([path, outcomeOf(bare), bare.headers["x-mfa-required"]]).toEqual([path, "401 mfa_required", "always"]);
      expect(outcomeOf(await browser[method](path, body, { fresh: true }))).toMatch(/^20[14]$/);
    }
  });

  it("identity R-FACT-8: a factor that was switched off still guards enrolling another one", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey();
    await at.pool.query("alter table factors disable trigger user");
    await at.pool.query("update factors set disabled_at = now()");
    for (const path of ["/me/factors/passkey/options", "/me/factors/totp/options", "/me/backup-codes"]) {
      expect(outcomeOf(await browser.post(path))).toBe("401 mfa_required");
    }
    expect(outcomeOf(await browser.put("/me/password", { password: PASSWORD }))).toBe("401 mfa_required");
  });

  it("identity R-FACT-8: renaming and removing need a factor in the call, and are entries", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey("First");
    const { factor } = await enrolTotp(browser, { fresh: true });
    const path = `/me/factors/${textAt(factor, "id")}`;
    expect(outcomeOf(await browser.patch(path, { name: "Telephone" }))).toBe("401 mfa_required");
    expect(must(await browser.patch(path, { name: "Telephone" }, { fresh: true }), 200)).toMatchObject({
      name: "Telephone",
    });
    const changed = (await entries("setting.changed")).map((entry) => textAt(entry, "data", "key"));
    expect(changed).toContain("factor.name");
    expect(outcomeOf(await browser.delete(path))).toBe("401 mfa_required");
    expect(outcomeOf(await browser.delete(path, { fresh: true }))).toBe("204");
    expect((await factors(browser)).map((each) => each["name"])).toEqual(["First"]);
    expect(await entries("factor.removed")).toHaveLength(1);
  });

  it("identity R-FACT-8: the last factor cannot be removed, nor the one without which nobody could sign in", async () => {
    const browser = await newcomer();
    const passkey = textAt(await browser.enrolPasskey(), "id");
    const remove = async (): Promise<string> =>
      outcomeOf(await browser.delete(`/me/factors/${passkey}`, { fresh: true }));
    expect(await remove()).toBe("409 factor_last_one");
    await enrolTotp(browser, { fresh: true });
    // The authenticator without a password opens nothing.
    expect(await remove()).toBe("409 factor_last_one");
    expect(outcomeOf(await browser.put("/me/password", { password: PASSWORD }, { fresh: true }))).toBe("204");
    expect(await remove()).toBe("204");
  });

  it("identity R-FACT-8: somebody else's factor does not exist", async () => {
    const admin = await signedIn(at);
    const other = await signedInAs(at, admin, { roles: ["org_admin"] });
    const [theirs] = await factors(other);
    const path = `/me/factors/${textAt(theirs, "id")}`;
    expect(outcomeOf(await admin.delete(path, { fresh: true }))).toBe("404 not_found");
    expect(outcomeOf(await admin.patch(path, { name: "Mine" }, { fresh: true }))).toBe("404 not_found");
    expect(outcomeOf(await admin.delete("/me/factors/x", { fresh: true }))).toBe("404 not_found");
  });

  it("identity R-SESS-3: a new password ends the person's other sessions", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey();
    const elsewhere = new TestBrowser(at, { key: browser.key });
    expect(outcomeOf(await elsewhere.signIn())).toBe("201");
    expect(outcomeOf(await browser.put("/me/password", { password: PASSWORD }, { fresh: true }))).toBe("204");
    expect(outcomeOf(await elsewhere.get("/me"))).toBe("401 session_expired");
    expect(outcomeOf(await browser.get("/me"))).toBe("200");
  });

  it("identity R-SESS-3: sessions that a removed factor opened end with it", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey("First");
    const stolen = new TestBrowser(at, { key: authenticatorFor(at) });
    const { ceremony, options } = must(await browser.post("/me/factors/passkey/options", {}, { fresh: true }), 201);
    const response = stolen.key.register(options ?? null);
    const factor = must(await browser.post("/me/factors/passkey", { ceremony, response, name: "Stolen" }), 201);
    expect(outcomeOf(await stolen.signIn())).toBe("201");
    expect(outcomeOf(await browser.delete(`/me/factors/${textAt(factor, "id")}`, { fresh: true }))).toBe("204");
    expect(outcomeOf(await stolen.get("/me"))).toBe("401 session_expired");
    expect(outcomeOf(await stolen.signIn())).toBe("401 credentials_invalid");
  });

  it("identity R-FACT-1: a registration serves once, for its own session, for 120 seconds", async () => {
    const browser = await newcomer();
    const register = async (ceremony: unknown, response: JsonObject): Promise<string> =>
      outcomeOf(await browser.post("/me/factors/passkey", { ceremony, response, name: "Key" }));
    const offered = must(await browser.post("/me/factors/passkey/options"), 201);
    at.advance(121_000);
    expect(await register(offered["ceremony"], browser.key.register(offered["options"] ?? null))).toBe(
      "401 assertion_invalid",
    );
    const second = must(await browser.post("/me/factors/passkey/options"), 201);
    const response = browser.key.register(second["options"] ?? null);
    expect(await register(second["ceremony"], response)).toBe("201");
    expect(await register(second["ceremony"], response)).toBe("401 assertion_invalid");
    const other = await signedInAs(at, browser, {});
    const third = must(await other.post("/me/factors/passkey/options", {}, { fresh: true }), 201);
    expect(await register(third["ceremony"], browser.key.register(third["options"] ?? null))).toBe(
      "401 assertion_invalid",
    );
  });

  it("identity R-FACT-2: a credential belongs to one person of the whole server", async () => {
    const admin = await signedIn(at);
    const other = await signedInAs(at, admin, {});
    const offered = must(await admin.post("/me/factors/passkey/options", {}, { fresh: true }), 201);
    const response = admin.key.register(offered["options"] ?? null);
    must(await admin.post("/me/factors/passkey", { ceremony: offered["ceremony"], response, name: "A" }), 201);
    const theirs = must(await other.post("/me/factors/passkey/options", {}, { fresh: true }), 201);
    const challenge = textAt(theirs, "options", "challenge");
    const copied = cloneRegistration(admin.key, offered["options"] ?? null, challenge);
    const answer = { ceremony: theirs["ceremony"], response: copied, name: "B" };
    expect(outcomeOf(await other.post("/me/factors/passkey", answer))).toBe("409 already_exists");
  });

  it("identity R-FACT-1: a passkey that did not verify its person, or answers another origin, is not enrolled", async () => {
    const browser = await newcomer();
    const tried = async (spoiled: object): Promise<string> => {
      const { ceremony, options } = must(await browser.post("/me/factors/passkey/options"), 201);
      const response = browser.key.register(options ?? null, spoiled);
      return outcomeOf(await browser.post("/me/factors/passkey", { ceremony, response, name: "Key" }));
    };
    expect(await tried({ userVerified: false })).toBe("401 user_not_verified");
    expect(await tried({ origin: "https://approvals.example.org" })).toBe("401 assertion_invalid");
    expect(await factors(browser)).toEqual([]);
  });

  it("identity R-FACT-12: where only device-bound keys of known models are taken, a synchronized one is refused", async () => {
    const browser = await newcomer();
    const org = `'${at.app.orgId}'`;
    await at.pool.query(
      `insert into settings (org_id, key, value, updated_by, updated_at, entry_seq)
       select ${org}, key, value::json, 'test', now(), (select max(seq) from ledger_entries)
       from (values ('aal3', 'true'), ('aaguids', '["ee882879-721c-4913-9775-3dfcce97072a"]')) as given(key, value)`,
    );
    const tried = async (key: SoftwareAuthenticator): Promise<string> => {
      const { ceremony, options } = must(await browser.post("/me/factors/passkey/options"), 201);
      expect(textAt(options, "attestation")).toBe("direct");
      return outcomeOf(
        await browser.post("/me/factors/passkey", { ceremony, response: key.register(options ?? null), name: "Key" }),
      );
    };
    const { origin } = at.options.browser;
    const refused = "403 factor_not_device_bound";
    expect(await tried(new SoftwareAuthenticator({ origin, synced: true }))).toBe(refused);
    expect(await tried(new SoftwareAuthenticator({ origin }))).toBe(refused);
    const model = "ee882879-721c-4913-9775-3dfcce97072a";
    const other = "ee882879-721c-4913-9775-3dfcce970000";
    expect(await tried(new SoftwareAuthenticator({ origin, attestation: { aaguid: model } }))).toBe(refused);
    const maker = authenticatorMaker("Acme");
    const by = (aaguid: string, synced = false): SoftwareAuthenticator =>
      new SoftwareAuthenticator({ origin, synced, attestation: { aaguid, maker: maker.attestationFor(aaguid) } });
    // Whoever made it is not believed yet: what it says counts for nothing.
    expect(await tried(by(model))).toBe(refused);
    believeAttestationRoots([maker.root]);
    expect([await tried(by(other)), await tried(by(model, true)), await tried(by(model))]).toEqual([
      refused,
      refused,
      "201",
    ]);
    believeAttestationRoots([]);
    const { rows } = await at.pool.query(
      "select aaguid, length(attestation) > 100 as kept from factors where attestation <> ''",
    );
    expect(rows).toEqual([{ aaguid: model, kept: true }]);
  });

  it("identity R-FACT-4: an authenticator counts when a code confirmed it; a wrong code may be tried again", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey();
    const offered = must(await browser.post("/me/factors/totp/options", {}, { fresh: true }), 201);
    const secret = textAt(offered, "secret");
    expect(textAt(offered, "uri")).toMatch(/^otpauth:\/\/totp\/Example:rosa%40example\.com\?/);
    const confirm = async (code: string): Promise<string> =>
      outcomeOf(await browser.post("/me/factors/totp", { ceremony: offered["ceremony"], code, name: "Phone" }));
    const code = totpCode(secret, at.app.clock());
    expect(await confirm(code === "000000" ? "000001" : "000000")).toBe("401 mfa_verification_failed");
    expect(await factors(browser)).toHaveLength(1);
    expect(await confirm(code)).toBe("201");
    expect(await confirm(code)).toBe("404 not_found");
    // The code that confirmed is spent.
    const proof = { proof: { type: "totp", code } };
    expect(outcomeOf(await browser.post("/session/step-up", proof))).toBe("401 mfa_verification_failed");
    at.advance(STEP);
    const next = { proof: { type: "totp", code: totpCode(secret, at.app.clock()) } };
    expect(outcomeOf(await browser.post("/session/step-up", next))).toBe("204");
  });

  it("identity R-FACT-4: a secret that nobody confirmed ends after ten minutes, and is sealed until then", async () => {
    const browser = await newcomer();
    const offered = must(await browser.post("/me/factors/totp/options"), 201);
    const secret = textAt(offered, "secret");
    const { rows } = await at.pool.query("select * from ceremonies");
    expect(JSON.stringify(rows)).not.toContain(secret);
    at.advance(601_000);
    const answer = { ceremony: offered["ceremony"], code: totpCode(secret, at.app.clock()), name: "Phone" };
    expect(outcomeOf(await browser.post("/me/factors/totp", answer))).toBe("404 not_found");
  });

  it("identity R-SEAL-1: the seed of an authenticator stands sealed in the database and nowhere in the ledger", async () => {
    const browser = await newcomer();
    const { secret } = await enrolTotp(browser);
    const sealed = await at.pool.query<{ secret: string }>("select secret from factors");
    expect(sealed.rows[0]?.secret).toMatch(/^s1\.test\./);
    const { rows } = await at.pool.query(
      "select (select json_agg(e) from ledger_entries e) as entries, (select json_agg(o) from ledger_openings o) as openings",
    );
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it("identity R-FACT-9: the factors of the first day are usable at once, later ones after 24 hours", async () => {
    const browser = await newcomer();
    const first = await browser.enrolPasskey();
    expect(first["usable_at"]).toBe(first["created_at"]);
    at.advance(25 * HOUR);
    expect(outcomeOf(await browser.signIn())).toBe("201");
    const { factor } = await enrolTotp(browser, { fresh: true });
    const createdAt = Date.parse(textAt(factor, "created_at"));
    expect(Date.parse(textAt(factor, "usable_at"))).toBe(createdAt + 24 * HOUR);
    expect(usableFrom({ createdAt, firstSignedInAt: 0, recoveredAt: null, coolDownHours: 24 })).toBe(
      createdAt + 24 * HOUR,
    );
  });

  it("identity R-FACT-9: somebody else may vouch for a new factor, nobody for their own; it is an entry with its reason hidden", async () => {
    const admin = await signedIn(at);
    const other = await signedInAs(at, admin, { roles: ["viewer"] });
    at.advance(25 * HOUR);
    expect(outcomeOf(await other.signIn())).toBe("201");
    const { factor } = await enrolTotp(other, { fresh: true });
    const factorId = textAt(factor, "id");
    expect(outcomeOf(await admin.signIn())).toBe("201");
    const vouch = async (whose: TestBrowser, id: string): Promise<string> => {
      const path = `/people/${whose.personId}/factors/${id}/vouch`;
      return outcomeOf(await admin.post(path, { reason: "I stood beside her" }, { fresh: true }));
    };
    const usableAt = async (): Promise<number> => {
      const [listed] = (await factors(other)).filter((each) => each["id"] === factorId);
      return Date.parse(textAt(listed, "usable_at"));
    };
    const { factor: own } = await enrolTotp(admin, { fresh: true });
    expect(await vouch(admin, textAt(own, "id"))).toBe("403 self_vouch");
    expect(await vouch(other, textAt(own, "id"))).toBe("404 not_found");
    expect(await entries("factor.vouched")).toEqual([]);
    expect(await usableAt()).toBeGreaterThan(at.app.clock() + 23 * HOUR);
    expect(await vouch(other, factorId)).toBe("200");
    expect(await usableAt()).toBeLessThanOrEqual(at.app.clock());
    const [entry] = await entries("factor.vouched");
    expect(entry).toMatchObject({
      actor: `usr_${admin.personId.replaceAll("-", "")}`,
      data: { person: `usr_${other.personId.replaceAll("-", "")}`, factor: `fac_${factorId.replaceAll("-", "")}` },
    });
    expect(JSON.stringify(entry)).not.toContain("I stood beside her");
  });

  it("identity R-FACT-5: new backup codes count, and end the old ones, when the person says that they are stored", async () => {
    const browser = await newcomer();
    await browser.enrolPasskey();
    const make = async (): Promise<{ ceremony: unknown; codes: readonly string[] }> => {
      const made = must(await browser.post("/me/backup-codes", {}, { fresh: true }), 201);
      const codes = Array.isArray(made["codes"]) ? made["codes"].map(String) : [];
      return { ceremony: made["ceremony"], codes };
    };
    const stepUp = async (code = ""): Promise<string> =>
      outcomeOf(await browser.post("/session/step-up", { proof: { type: "backup_code", code } }));
    const left = async (): Promise<unknown> => must(await browser.get("/me/factors"), 200)["backup_codes"];
    const first = await make();
    expect(new Set(first.codes).size).toBe(10);
    for (const code of first.codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){5}$/);
    expect(await stepUp(first.codes[0])).toBe("401 mfa_verification_failed");
    expect(await left()).toBeNull();
    expect(outcomeOf(await browser.post("/me/backup-codes/confirm", { ceremony: first.ceremony }))).toBe("204");
    expect(await left()).toMatchObject({ remaining: 10 });
    // Case and dashes are ignored; each works once.
    expect(await stepUp(first.codes[0]?.toLowerCase().replaceAll("-", " "))).toBe("204");
    expect(await stepUp(first.codes[0])).toBe("401 mfa_verification_failed");
    const second = await make();
    expect(await stepUp(first.codes[1])).toBe("204");
    expect(outcomeOf(await browser.post("/me/backup-codes/confirm", { ceremony: second.ceremony }))).toBe("204");
    expect(outcomeOf(await browser.post("/me/backup-codes/confirm", { ceremony: second.ceremony }))).toBe(
      "404 not_found",
    );
    expect(await stepUp(first.codes[2])).toBe("401 mfa_verification_failed");
    expect(await stepUp(second.codes[9])).toBe("204");
    expect(await left()).toMatchObject({ remaining: 9 });
    const { rows } = await at.pool.query("select * from backup_codes");
    expect(JSON.stringify(rows)).not.toContain(second.codes[3]?.replaceAll("-", ""));
    // Enrolling another factor leaves them alone.
    await enrolTotp(browser, { fresh: true });
    expect(await left()).toMatchObject({ remaining: 9 });
  });
});

/** The attacker's answer to their own challenge with somebody else's credential: without attestation nothing proves the key. */
function cloneRegistration(key: SoftwareAuthenticator, options: unknown, challenge: string): JsonObject {
  const known = key.credentialIds.at(-1) ?? "";
  const made = key.register(bodyOf({ body: JSON.stringify(options) }), { challenge });
  const response = bodyOf({ body: JSON.stringify(made["response"]) });
  const attestation = Buffer.from(textAt(response, "attestationObject"), "base64url");
  const [from, to] = [Buffer.from(textAt(made, "id"), "base64url"), Buffer.from(known, "base64url")];
  to.copy(attestation, attestation.indexOf(from));
  return {
    ...made,
    id: known,
    rawId: known,
    response: { ...response, attestationObject: attestation.toString("base64url") },
  };
}
