/** Who comes in with an identity provider, as whom, and with which roles (docs/spec/identity.md R-ID-4 to R-ID-6, R-IDP-6 to R-IDP-8). */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { recordsBy } from "../../src/ports/records.ts";
import { openEvilIssuer, type Account, type EvilIssuer } from "../support/evil-issuer.ts";
import {
  addProvider,
  comeBack,
  expectPerson,
  personOf,
  record,
  setProvider,
  signInWith,
  startAt,
  whoIs,
  type Scene,
} from "../support/evil-issuer-scene.ts";
import { objectIn, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

let database: TestDatabase;
let at: TestServer;
const issuers: EvilIssuer[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  at = await openServer(database.url);
});
afterAll(async () => {
  for (const issuer of issuers) await issuer.close();
  await at.close();
  await database.drop();
});

/** An issuer and its provider that no other test uses. */
async function scene(settings: Parameters<typeof addProvider>[2] = {}): Promise<Scene> {
  const issuer = await openEvilIssuer();
  issuers.push(issuer);
  return { at, issuer, provider: await addProvider(at, issuer, { name: randomUUID(), ...settings }) };
}

/** A verified account that no other test uses. */
function account(about: Partial<Account> = {}): Account {
  const sub = randomUUID();
  return { sub, email: `${sub}@example.com`, email_verified: true, name: "Somebody", ...about };
}

/** The newest entries, newest first. */
async function lastEntries(count: number): Promise<readonly JsonObject[]> {
  const { rows } = await at.pool.query<{ text: string }>("select text from ledger_entries order by seq desc limit $1", [
    count,
  ]);
  return rows.map(({ text }) => objectIn(text));
}

describe("an e-mail address", () => {
  it.each([[false], ["true"], [1], [null], [undefined]])(
    "identity R-IDP-6: is no address when email_verified is %j",
    async (verified) => {
      const place = await scene();
      const { email_verified: honest, ...unverified } = account();
      expect(honest).toBe(true);
      place.issuer.account = verified === undefined ? unverified : { ...unverified, email_verified: verified };
      await expectPerson(at, { email: place.issuer.account.email ?? null });
      expect(await signInWith(place)).toBe("email_not_verified");
    },
  );

  it("identity R-IDP-6: opens the door in an allowed domain only, at every sign-in", async () => {
    const place = await scene({ settings: { domains: ["acme.example", "bücher.example"] } });
    place.issuer.account = account({ email: "ana@acme.example" });
    const ana = await expectPerson(at, { email: "ana@acme.example" });
    expect(await signInWith(place)).toBe("to /app/");
    place.issuer.account = { ...place.issuer.account, email: "ana@elsewhere.example" };
    expect(await signInWith(place)).toBe("domain_not_allowed");
    place.issuer.account = { ...place.issuer.account, email: "ana@ACME.example" };
    expect(await signInWith(place)).toBe("to /app/");
    place.issuer.account = { ...place.issuer.account, email: "ana@xn--bcher-kva.example" };
    const browser = new TestBrowser(at);
    expect(await signInWith(place, browser)).toBe("to /app/");
    expect((await whoIs(browser))["person_id"]).toBe(ana);
    place.issuer.account = { ...place.issuer.account, email_verified: false };
    expect(await signInWith(place)).toBe("email_not_verified");
  });

  it.each([
    "eve@acme.example.evil.example",
    "eve@evil-acme.example",
    "eve@sub.acme.example",
    "eve@acme.example@evil.example",
    "eve@аcme.example",
    "eve@ａcme.example",
    "eve@ac\u00adme.example",
    "eve@ac\u200bme.example",
    "eve@ac\u200dme.example",
    "eve@acme。example",
    "eve@acme.example.",
    "eve@acme.example/",
    "eve@acme.example?",
    "eve@acme.example:443",
    "eve@evil.example#@acme.examplé",
    "eve@acmé.example",
    "acme.example",
    "@acme.example",
  ])("identity R-IDP-6: %s is not in the domain acme.example", async (email) => {
    const place = await scene({ settings: { domains: ["acme.example"], provisioning: "domain" } });
    place.issuer.account = account({ email });
    expect(["domain_not_allowed", "email_not_verified"]).toContain(await signInWith(place));
  });

  it("identity R-IDP-6: Google's organization must match as well", async () => {
    const place = await scene({ settings: { domains: ["acme.example"], google_hosted_domain: "acme.example" } });
    const who = account({ email: "gil@acme.example" });
    await expectPerson(at, { email: "gil@acme.example" });
    for (const hd of [undefined, "evil.example", "acme.example.evil.example"]) {
      place.issuer.account = { ...who, ...(hd === undefined ? {} : { hd }) };
      expect(await signInWith(place)).toBe("domain_not_allowed");
    }
    place.issuer.account = { ...who, hd: "acme.example" };
    expect(await signInWith(place)).toBe("to /app/");
  });
});

describe("somebody who comes for the first time", () => {
  it("identity R-IDP-7: is refused when nobody invited them, and nobody is made", async () => {
    const place = await scene();
    place.issuer.account = account();
    const before = await at.pool.query("select count(*) from people");
    expect(await signInWith(place)).toBe("not_invited");
    expect((await at.pool.query("select count(*) from people")).rows).toEqual(before.rows);
  });

  it("identity R-IDP-7: from a domain of the organization becomes a viewer, and nothing more", async () => {
    const place = await scene({ settings: { domains: ["acme.example"], provisioning: "domain" } });
    place.issuer.account = account({ email: "new@acme.example", groups: ["admin"], roles: ["admin"], role: "admin" });
    const browser = new TestBrowser(at);
    expect(await signInWith(place, browser)).toBe("to /app/");
    expect(await whoIs(browser)).toMatchObject({ assignee: "new@acme.example", roles: ["viewer"], status: "active" });
    expect((await lastEntries(3)).map(({ kind }) => kind)).toEqual([
      "session.started",
      "person.roles_changed",
      "person.created",
    ]);
  });

  it("identity R-ID-6: the same address at a second issuer is never the same person, nor a second one", async () => {
    const first = await scene({ settings: { domains: ["twin.example"], provisioning: "domain" } });
    first.issuer.account = account({ email: "twin@twin.example" });
    expect(await signInWith(first)).toBe("to /app/");
    const invitedOnly = await scene();
    invitedOnly.issuer.account = account({ email: "twin@twin.example" });
    expect(await signInWith(invitedOnly)).toBe("not_invited");
    const byDomain = await scene({ settings: { domains: ["twin.example"], provisioning: "domain" } });
    byDomain.issuer.account = account({ email: "twin@twin.example" });
    expect(await signInWith(byDomain)).toBe("identity_conflict");
  });

  it("identity R-ID-6: an invitation is no longer open once the person has come in another way", async () => {
    const place = await scene();
    place.issuer.account = account();
    await expectPerson(at, { email: place.issuer.account.email ?? null, firstSignedInAt: at.app.clock() });
    expect(await signInWith(place)).toBe("not_invited");
  });

  it("identity R-ID-6: an invitation of another organization is not this one's", async () => {
    const orgId = at.app.newId();
    await at.pool.query(
      "insert into organizations (id, name, status, created_at) values ($1, 'Other', 'active', now())",
      [orgId],
    );
    const place = await scene();
    place.issuer.account = account();
    await expectPerson(at, { email: place.issuer.account.email ?? null, orgId });
    expect(await signInWith(place)).toBe("not_invited");
  });

  it.each([
    ["locked", "person_locked"],
    ["suspended", "person_suspended"],
    ["erased", "person_suspended"],
  ] as const)("identity section 1: somebody %s is not let in", async (status, code) => {
    const place = await scene({ settings: { role_rules: [{ claim: "groups", value: "g", role: "deployer" }] } });
    place.issuer.account = account({ groups: ["g"] });
    const id = await expectPerson(at, { email: place.issuer.account.email ?? null });
    expect(await signInWith(place)).toBe("to /app/");
    await record(at, id, { records: { person: [{ ...(await personOf(place, id)), status }] } });
    await setProvider(place, { role_rules: [] });
    expect(await signInWith(place)).toBe(code);
    const grants = await at.app.reader.records(recordsBy("roleGrant", "personId", [id]));
    expect(grants.map(({ endedAt }) => endedAt)).toEqual([null]);
  });
});

describe("names that policies use", () => {
  it("identity R-ID-4, R-ID-5: a placeholder is claimed by the claim that proves names, and a second subject is refused", async () => {
    const name = `u-${randomUUID().slice(0, 8)}`;
    const id = await expectPerson(at, { email: null, assignee: name, status: "placeholder" });
    const place = await scene({ settings: { name_claim: "preferred_username" } });
    place.issuer.account = account({ preferred_username: name });
    const browser = new TestBrowser(at);
    expect(await signInWith(place, browser)).toBe("to /app/");
    expect(await whoIs(browser)).toMatchObject({ person_id: id, assignee: name, status: "active" });
    place.issuer.account = account({ preferred_username: name });
    expect(await signInWith(place)).toBe("identity_conflict");
    const plain = await scene();
    plain.issuer.account = account({ preferred_username: name });
    expect(await signInWith(plain)).toBe("not_invited");
  });
});

describe("roles by rules", () => {
  const rules = [
    { claim: "groups", value: "release", role: "deployer" },
    { claim: "resource_access.portal.roles", value: "audit", role: "auditor" },
  ];

  async function rolesOf(browser: TestBrowser): Promise<unknown> {
    return (await whoIs(browser))["roles"];
  }

  it("identity R-IDP-8: come with the claim and go with it at the next sign-in; others stay", async () => {
    const place = await scene({ settings: { role_rules: rules } });
    place.issuer.account = account({ groups: ["release", "other"] });
    const id = await expectPerson(at, { email: place.issuer.account.email ?? null });
    const byAdmin = { id: at.app.newId(), orgId: at.app.orgId, personId: id, role: "viewer", source: "admin" };
    const grant = { ...byAdmin, createdBy: "usr", createdAt: at.app.clock(), endedAt: null };
    await record(at, id, { records: { roleGrant: [grant] } });
    const signInAgain = async (claims: Partial<Account>): Promise<unknown> => {
      place.issuer.account = { ...place.issuer.account, ...claims };
      const browser = new TestBrowser(at);
      expect(await signInWith(place, browser)).toBe("to /app/");
      return rolesOf(browser);
    };
    expect(await signInAgain({})).toEqual(["deployer", "viewer"]);
    const [, told] = await lastEntries(2);
    expect(told).toMatchObject({ kind: "person.roles_changed", data: { added: ["deployer"], removed: [] } });
    expect(await signInAgain({ resource_access: { portal: { roles: ["audit"] } } })).toEqual([
      ...["auditor", "deployer", "viewer"],
    ]);
    // Another client's roles are another client's.
    expect(await signInAgain({ resource_access: { other: { roles: ["audit"] } } })).toEqual(["deployer", "viewer"]);
    expect(await signInAgain({ groups: [] })).toEqual(["viewer"]);
    const grants = await at.app.reader.records(recordsBy("roleGrant", "personId", [id]));
    const sources = grants.filter(({ source }) => source === `provider:${place.provider.id}`);
    expect(sources.every(({ endedAt }) => endedAt !== null)).toBe(true);
    const [before] = await lastEntries(1);
    expect(await signInAgain({ groups: "release-candidates" })).toEqual(["viewer"]);
    // Nothing changed: only the sign-in is told.
    expect((await lastEntries(2)).map((entry) => entry["seq"])).toContain(before?.["seq"]);
  });
});

describe("linking another identity", () => {
  let admin: TestBrowser;
  beforeAll(async () => {
    admin = await signedIn(at);
  });

  async function linkAt(place: Scene, browser = admin, fresh = true): Promise<string> {
    const path = `/me/identities/${place.provider.id}/start`;
    const answer = await browser.post(path, { return_to: "/app/security" }, fresh ? { fresh: true } : {});
    return answer.statusCode === 201 ? textAt(must(answer, 201), "url") : outcomeOf(answer);
  }

  it("identity R-ID-6: needs a fresh factor, ends in the same session, and signs in as the same person afterwards", async () => {
    const place = await scene();
    place.issuer.account = account({ email: "private@elsewhere.example" });
    expect(await linkAt(place, admin, false)).toBe("401 mfa_required");
    const callback = place.issuer.authorize(await linkAt(place));
    expect(await comeBack(admin, callback)).toBe("to /app/security");
    expect((await lastEntries(1))[0]?.["kind"]).toBe("person.linked");
    const other = new TestBrowser(at);
    expect(await signInWith(place, other)).toBe("to /app/");
    expect((await whoIs(other))["person_id"]).toBe(admin.personId);
  });

  it("identity R-ID-6: does not end in another browser or another session", async () => {
    const place = await scene();
    place.issuer.account = account();
    const victim = new TestBrowser(at);
    const login = "__Host-cs_login";
    const callback = place.issuer.authorize(await linkAt(place));
    victim.setCookie(login, admin.cookieNamed(login) ?? "");
    expect(await comeBack(victim, callback)).toBe("login_state_invalid");
    // Another session of the very same person is another session.
    const elsewhere = new TestBrowser(at, { key: admin.key });
    must(await elsewhere.signIn(), 201);
    const stolen = place.issuer.authorize(await linkAt(place));
    elsewhere.setCookie(login, admin.cookieNamed(login) ?? "");
    expect(await comeBack(elsewhere, stolen)).toBe("login_state_invalid");
    const again = place.issuer.authorize(await linkAt(place));
    const session = admin.cookieNamed("__Host-cs_session") ?? "";
    admin.setCookie("__Host-cs_session", "A".repeat(43));
    expect(await comeBack(admin, again)).toBe("login_state_invalid");
    admin.setCookie("__Host-cs_session", session);
    expect(await signInWith(place)).toBe("not_invited");
  });

  it("identity R-ID-2: an identity that is somebody else's stays theirs", async () => {
    const place = await scene();
    place.issuer.account = account();
    const owner = await expectPerson(at, { email: place.issuer.account.email ?? null });
    expect(await signInWith(place)).toBe("to /app/");
    expect(await comeBack(admin, place.issuer.authorize(await linkAt(place)))).toBe("identity_conflict");
    const browser = new TestBrowser(at);
    expect(await signInWith(place, browser)).toBe("to /app/");
    expect((await whoIs(browser))["person_id"]).toBe(owner);
    expect((await personOf(place, owner)).status).toBe("active");
  });
});

describe("two issuers", () => {
  afterEach(() => {
    for (const issuer of issuers) issuer.lies = {};
  });

  it("identity R-IDP-3: an answer at one's address never counts for a sign-in with the other (mix-up)", async () => {
    const honest = await scene();
    const evil = await scene();
    honest.issuer.account = account();
    await expectPerson(at, { email: honest.issuer.account.email ?? null });
    const browser = new TestBrowser(at);
    const atHonest = new URL(honest.issuer.authorize(await startAt(browser, honest.provider)));
    // The evil issuer gets the honest one's answer sent to its own path.
    const mixed = new URL(`https://approvals.example.com/auth/oidc/${evil.provider.id}/callback${atHonest.search}`);
    expect(await comeBack(browser, mixed.href)).toBe("login_state_invalid");
    const second = new TestBrowser(at);
    const url = await startAt(second, evil.provider);
    expect(await comeBack(second, evil.issuer.authorize(url, { iss: honest.issuer.issuer }))).toBe(
      "login_state_invalid",
    );
    expect([browser, second].map((each) => each.cookieNamed("__Host-cs_session"))).toEqual([undefined, undefined]);
  });

  it("identity R-IDP-3: an older callback path belongs to one provider, and to no other's sign-in", async () => {
    const old = await scene({ settings: { callback_path: "/oidc/callback" } });
    old.issuer.account = account();
    await expectPerson(at, { email: old.issuer.account.email ?? null });
    const url = await startAt(new TestBrowser(at), old.provider);
    expect(new URL(url).searchParams.get("redirect_uri")).toBe("https://approvals.example.com/oidc/callback");
    expect(await signInWith(old)).toBe("to /app/");
    await expect(scene({ settings: { callback_path: "/oidc/callback" } })).rejects.toThrow("has the callback path");
    const plain = await scene();
    const browser = new TestBrowser(at);
    const back = new URL(plain.issuer.authorize(await startAt(browser, plain.provider)));
    expect(await comeBack(browser, `https://approvals.example.com/oidc/callback${back.search}`)).toBe(
      "login_state_invalid",
    );
  });

  it("identity R-IDP-1: a discovery document of another issuer, or with plain addresses elsewhere, opens nothing", async () => {
    const lies: readonly ((honest: Record<string, unknown>) => unknown)[] = [
      (honest) => ({ ...honest, issuer: `${String(honest["issuer"])}/` }),
      (honest) => ({ ...honest, issuer: String(honest["issuer"]).toUpperCase() }),
      (honest) => ({ ...honest, issuer: "https://accounts.google.com" }),
      (honest) => ({ ...honest, token_endpoint: "http://provider.example/token" }),
      (honest) => ({ ...honest, jwks_uri: "file:///etc/passwd" }),
      (honest) => ({ ...honest, authorization_endpoint: "javascript:alert(1)" }),
      () => [],
      () => "no",
    ];
    for (const discovery of lies) {
      const place = await scene();
      place.issuer.lies = { discovery };
      const answer = await new TestBrowser(at).post(`/auth/oidc/${place.provider.id}/start`, {});
      expect(outcomeOf(answer)).toBe("503 identity_provider_misconfigured");
    }
  });

  it("identity R-IDP-1, engine R-HOOK-21: a document that names inside addresses makes this server call none of them", async () => {
    const place = await scene();
    place.issuer.account = account();
    place.issuer.lies = {
      discovery: (honest) => ({
        ...honest,
        token_endpoint: "https://169.254.169.254/latest/meta-data/",
        jwks_uri: "https://10.0.0.1/",
      }),
    };
    expect(await signInWith(place)).toBe("identity_provider_unreachable");
  });

  it("identity R-IDP-5: an issuer that is down refuses, and never lets in", async () => {
    const place = await scene();
    place.issuer.lies = { down: 500 };
    const answer = await new TestBrowser(at).post(`/auth/oidc/${place.provider.id}/start`, {});
    expect(outcomeOf(answer)).toBe("503 identity_provider_unreachable");
    place.issuer.lies = {};
    place.issuer.account = account();
    await expectPerson(at, { email: place.issuer.account.email ?? null });
    place.issuer.lies = { jwks: () => ({ no: "keys" }) };
    expect(await signInWith(place)).toBe("identity_provider_unreachable");
    place.issuer.lies = { tokenStatus: 503 };
    expect(await signInWith(place)).toBe("identity_provider_unreachable");
  });
});

describe("keys of an issuer", () => {
  it("identity R-IDP-5: a new key is fetched once, and a thousand unknown ones fetch nothing more", async () => {
    const place = await scene();
    place.issuer.account = account();
    await expectPerson(at, { email: place.issuer.account.email ?? null });
    expect(await signInWith(place)).toBe("to /app/");
    expect(place.issuer.calls["/jwks"]).toBe(1);
    await place.issuer.rotate();
    at.advance(31_000);
    expect(await signInWith(place)).toBe("to /app/");
    expect(place.issuer.calls["/jwks"]).toBe(2);
    at.advance(31_000);
    const url = `root:/auth/oidc/${place.provider.id}/backchannel-logout`;
    const browser = new TestBrowser(at);
    for (let batch = 0; batch < 20; batch += 1) {
      const statuses = await Promise.all(
        Array.from({ length: 50 }, async () => {
          const logout_token = await place.issuer.sign(
            { iss: place.issuer.issuer },
            { kid: randomUUID(), typ: "logout+jwt" },
          );
          return outcomeOf(await browser.post(url, { logout_token }));
        }),
      );
      expect(new Set(statuses)).toEqual(new Set(["401 id_token_invalid"]));
    }
    expect(place.issuer.calls["/jwks"]).toBe(3);
    // The old set serves while the issuer has none to give.
    at.advance(600_000);
    const later = (claim: number | undefined): number => (claim ?? 0) + 700;
    place.issuer.lies = {
      jwks: () => ({}),
      claims: (honest) => ({ ...honest, iat: later(honest.iat), exp: later(honest.exp) }),
    };
    expect(await signInWith(place)).toBe("to /app/");
  });
});
