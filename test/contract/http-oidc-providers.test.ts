/** Setting up identity providers, a real one, and its logout (docs/spec/identity.md R-IDP-8, R-IDP-11, section 7). */
import { randomUUID } from "node:crypto";
import type { JWTPayload } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keepEnvironmentProvider } from "../../src/app/identity-provider-environment.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { buildIdentityProviders } from "../../src/main/build-identity-providers.ts";
import { openEvilIssuer, without, type EvilIssuer } from "../support/evil-issuer.ts";
import {
  addProvider,
  comeBack,
  expectPerson,
  record,
  signInWith,
  startAt,
  whoIs,
  type Scene,
} from "../support/evil-issuer-scene.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, TestBrowser } from "../support/signed-in.ts";
import { createTestDatabase, describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { openTestIdentityProvider } from "../support/test-identity-provider.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

describe("a real OpenID provider", () => {
  it("identity section 2.1: signs in with PKCE, and with the address that its userinfo vouches for", async () => {
    const database = await createTestDatabase();
    const at = await openServer(database.url);
    const who = { sub: "1", email: "ana@example.com", email_verified: true, name: "Ana Example", groups: ["release"] };
    const real = await openTestIdentityProvider(who);
    try {
      const client = { clientId: "countersign", clientSecret: "s:ecret/with+signs and spaces" };
      const rules = { role_rules: [{ claim: "groups", value: "release", role: "deployer" }] };
      const provider = await addProvider(at, { issuer: real.issuer, ...client }, { settings: rules });
      const redirectUri = `https://approvals.example.com/auth/oidc/${provider.id}/callback`;
      await real.register({ ...client, redirectUri });
      await expectPerson(at, { email: "ana@example.com" });
      const browser = new TestBrowser(at);
      const callback = await real.authorize(await startAt(browser, provider, "/app/requests"));
      expect(new URL(callback).searchParams.get("iss")).toBe(real.issuer);
      expect(await comeBack(browser, callback)).toBe("to /app/requests");
      expect(await whoIs(browser)).toMatchObject({ name: "Ana Example", roles: ["deployer"], status: "active" });
    } finally {
      await real.close();
      await at.close();
      await database.drop();
    }
  });
});

describeOnEveryPostgres("back-channel logout", (database) => {
  let scene: Scene;
  beforeAll(async () => {
    const at = await openServer(database.url);
    const issuer = await openEvilIssuer();
    scene = { at, issuer, provider: await addProvider(at, issuer) };
    issuer.account = { sub: "lea", email: "lea@example.com", email_verified: true };
    await expectPerson(at, { email: "lea@example.com" });
  });
  afterAll(async () => {
    await scene.issuer.close();
    await scene.at.close();
  });

  const EVENT = "http://schemas.openid.net/event/backchannel-logout";

  function honest(): JWTPayload {
    const now = Math.floor(Date.now() / 1_000);
    const times = { iat: now, exp: now + 120, jti: randomUUID() };
    return { iss: scene.issuer.issuer, aud: scene.issuer.clientId, sub: "lea", events: { [EVENT]: {} }, ...times };
  }

  async function logout(claims: JWTPayload, typ = "logout+jwt"): Promise<string> {
    return send(await scene.issuer.sign(claims, { typ }));
  }

  async function send(token: string): Promise<string> {
    const answer = await scene.at.server.inject({
      ...{ method: "POST", url: `/auth/oidc/${scene.provider.id}/backchannel-logout` },
      headers: { "content-type": "application/x-www-form-urlencoded" },
      payload: new URLSearchParams({ logout_token: token }).toString(),
    });
    return answer.statusCode === 200 ? `ended ${JSON.stringify(bodyOf(answer)["ended"])}` : outcomeOf(answer);
  }

  async function openBrowser(sid: string): Promise<TestBrowser> {
    scene.issuer.lies = { claims: (claims) => ({ ...claims, sid }) };
    const browser = new TestBrowser(scene.at);
    expect(await signInWith(scene, browser)).toBe("to /app/");
    return browser;
  }

  it("identity R-IDP-11: ends the person's sessions of this provider, once, or the one it names", async () => {
    const [first, second, third] = [await openBrowser("s1"), await openBrowser("s2"), await openBrowser("s3")];
    expect(await logout({ ...honest(), sid: "s1" })).toBe("ended 1");
    expect(outcomeOf(await first.get("/me"))).toBe("401 session_expired");
    expect(outcomeOf(await second.get("/me"))).toBe("200");
    expect(await logout({ ...honest(), sub: "somebody", sid: "s2" })).toBe("ended 0");
    const all = await scene.issuer.sign(honest(), { typ: "logout+jwt" });
    expect(await send(all)).toBe("ended 2");
    expect(outcomeOf(await third.get("/me"))).toBe("401 session_expired");
    const later = await openBrowser("s4");
    // The same notice again ends nothing that began after it.
    expect(await send(all)).toBe("ended 0");
    expect(outcomeOf(await later.get("/me"))).toBe("200");
    const { rows } = await scene.at.pool.query<{ text: string }>(
      "select text from ledger_entries where kind = 'session.ended'",
    );
    expect(rows.filter(({ text }) => text.includes("provider_logout"))).toHaveLength(3);
  });

  it.each([
    ["typed as an ID token", (claims: JWTPayload) => claims, "JWT"],
    ["with a nonce", (claims: JWTPayload) => ({ ...claims, nonce: "n" }), "logout+jwt"],
    ["without the event", (claims: JWTPayload) => without(claims, "events"), "logout+jwt"],
    ["with another event", (claims: JWTPayload) => ({ ...claims, events: { other: {} } }), "logout+jwt"],
    ["for another client", (claims: JWTPayload) => ({ ...claims, aud: "other" }), "logout+jwt"],
    ["of another issuer", (claims: JWTPayload) => ({ ...claims, iss: "https://evil.example" }), "logout+jwt"],
    ["that has expired", (claims: JWTPayload) => ({ ...claims, exp: 1 }), "logout+jwt"],
    ["without an end", (claims: JWTPayload) => without(claims, "exp"), "logout+jwt"],
    ["without an id", (claims: JWTPayload) => without(claims, "jti"), "logout+jwt"],
    ["about nobody", (claims: JWTPayload) => without(claims, "sub"), "logout+jwt"],
  ])("identity R-IDP-11: a logout token %s ends nothing", async (_name, change, typ) => {
    const browser = await openBrowser(randomUUID());
    expect(await logout(change(honest()), typ)).toBe("401 id_token_invalid");
    expect(outcomeOf(await browser.get("/me"))).toBe("200");
  });
});

function providersIn(text: string): readonly JsonObject[] {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

describe("setting up identity providers", () => {
  let database: TestDatabase;
  let at: TestServer;
  let admin: TestBrowser;
  let issuer: EvilIssuer;
  beforeAll(async () => {
    database = await createTestDatabase();
    at = await openServer(database.url);
    issuer = await openEvilIssuer();
    admin = await signedIn(at);
  });
  afterAll(async () => {
    await issuer.close();
    await at.close();
    await database.drop();
  });

  const SECRET = "a-very-secret-client-secret";

  function draft(about: object = {}): object {
    return { name: randomUUID(), issuer: issuer.issuer, client_id: "c", client_secret: SECRET, ...about };
  }

  it("identity section 7: needs a fresh factor, shows what to enter at the provider, and never its secret", async () => {
    expect(outcomeOf(await admin.post("/identity-providers", draft()))).toBe("401 mfa_required");
    const made = must(await admin.post("/identity-providers", draft({ name: "Shown" }), { fresh: true }), 201);
    const id = textAt(made, "id");
    expect(made).toMatchObject({
      ...{ client_secret_set: true, enabled: true },
      callback_url: `https://approvals.example.com/auth/oidc/${id}/callback`,
      backchannel_logout_url: `https://approvals.example.com/auth/oidc/${id}/backchannel-logout`,
      settings: { provisioning: "invited", domains: [], role_rules: [], scopes: ["openid", "email", "profile"] },
    });
    const changed = must(await admin.patch(`/identity-providers/${id}`, { name: "Renamed" }, { fresh: true }), 200);
    expect(changed).toMatchObject({ name: "Renamed", client_secret_set: true });
    const tested = must(await admin.post(`/identity-providers/${id}/test`, {}, { fresh: true }), 200);
    expect(tested).toMatchObject({ ok: true, keys: 1, names_itself: true, token_endpoint: `${issuer.issuer}/token` });
    const answers = [made, changed, tested, (await admin.get("/identity-providers")).body].map((each) =>
      JSON.stringify(each),
    );
    const stored = await at.pool.query<{ text: string }>(
      `select p::text as text from identity_providers p union all select text from ledger_entries
       union all select l::text from ledger_openings l`,
    );
    for (const text of [...answers, ...stored.rows.map((row) => row.text)]) expect(text).not.toContain(SECRET);
    const without = must(await admin.patch(`/identity-providers/${id}`, { client_secret: null }, { fresh: true }), 200);
    expect(without).toMatchObject({ client_secret_set: false });
    must(await admin.delete(`/identity-providers/${id}`, { fresh: true }), 204);
    expect(outcomeOf(await admin.post(`/auth/oidc/${id}/start`, {}))).toBe("404 not_found");
  });

  it.each([
    [{ issuer: "http://provider.example" }],
    [{ issuer: "https://127.0.0.1.evil.example:22" }],
    [{ issuer: "https://169.254.169.254" }],
    [{ issuer: "https://[::ffff:10.0.0.1]" }],
    [{ issuer: "https://user:password@provider.example" }],
    [{ issuer: "https://provider.example?x=y" }],
    [{ issuer: "not an address" }],
    [{ settings: { provisioning: "domain" } }],
    [{ settings: { domains: ["not a domain"] } }],
    [{ settings: { domains: ["com"] } }],
    [{ settings: { role_rules: [{ claim: "groups", value: "g", role: "nothing" }] } }],
    [{ settings: { role_rules: [{ claim: "groups", value: "g", role: "platform_superuser" }] } }],
    [{ settings: { role_rules: [{ claim: "groups", value: "g", role: "cicd" }] } }],
    [{ settings: { callback_path: "/elsewhere" } }],
    [{ org_id: randomUUID() }],
    [{ settings: { unknown: true } }],
  ])("identity section 7: %j is refused", async (about) => {
    expect(outcomeOf(await admin.post("/identity-providers", draft(about), { fresh: true }))).toBe("422 invalid_input");
  });

  it("identity R-SEAL-1: a client secret goes to no issuer but the one it was entered for", async () => {
    const id = textAt(must(await admin.post("/identity-providers", draft(), { fresh: true }), 201), "id");
    const patch = async (about: object): Promise<string> =>
      outcomeOf(await admin.patch(`/identity-providers/${id}`, about, { fresh: true }));
    const elsewhere = { issuer: "https://collects.example" };
    expect(await patch(elsewhere)).toBe("422 invalid_input");
    expect(await patch({ ...elsewhere, client_secret: "entered-for-the-new-one" })).toBe("200");
    expect(await patch({ issuer: issuer.issuer, client_secret: null })).toBe("200");
    expect(await patch(elsewhere)).toBe("200");
  });

  it("identity R-IDP-8, R-ROLE-3: a rule gives no role that its author could not give", async () => {
    const browser = new TestBrowser(at);
    const scene: Scene = { at, issuer, provider: await addProvider(at, issuer, { name: "For Ivo" }) };
    issuer.account = { sub: "ivo", email: "ivo@example.com", email_verified: true };
    const ivo = await expectPerson(at, { email: "ivo@example.com" });
    const byAdmin = { id: at.app.newId(), orgId: at.app.orgId, personId: ivo, role: "org_admin", source: "admin" };
    await record(at, ivo, { records: { roleGrant: [{ ...byAdmin, createdBy: "usr", createdAt: 0, endedAt: null }] } });
    expect(await signInWith(scene, browser)).toBe("to /app/");
    await whoIs(browser);
    // Within a day of the first sign-in a factor is usable at once (R-FACT-9).
    await browser.enrolPasskey();
    const rule = (role: string): object => draft({ settings: { role_rules: [{ claim: "groups", value: "g", role }] } });
    const outcome = async (role: string): Promise<string> =>
      outcomeOf(await browser.post("/identity-providers", rule(role), { fresh: true }));
    expect([await outcome("admin"), await outcome("deployer"), await outcome("org_viewer")]).toEqual([
      ...["403 permission_denied", "403 permission_denied", "201"],
    ]);
  });

  it("identity R-IDP-1: the environment's provider is made once, brought up to date, and says nothing when nothing changed", async () => {
    const about = {
      name: "Environment",
      issuer: issuer.issuer,
      clientId: "c",
      clientSecret: SECRET,
      domains: ["Acme.example"],
    };
    const count = async (): Promise<unknown> => (await at.pool.query("select count(*) from ledger_entries")).rows[0];
    expect(await keepEnvironmentProvider(at.app, about)).toBeNull();
    const before = await count();
    expect(await keepEnvironmentProvider(at.app, about)).toBeNull();
    expect(await count()).toEqual(before);
    expect(await keepEnvironmentProvider(at.app, { ...about, clientSecret: "another" })).toBeNull();
    expect(await count()).not.toEqual(before);
    const all = await admin.get("/identity-providers");
    const named = providersIn(all.body).filter((each) => each["name"] === "Environment");
    expect(named).toMatchObject([{ settings: { domains: ["acme.example"] } }]);
    expect(await keepEnvironmentProvider(at.app, { ...about, issuer: "http://provider.example" })).toMatchObject({
      refusal: "invalid_input",
    });
  });

  it("identity R-IDP-1: outside of development mode this machine is no provider either", () => {
    const outbound = { allow: [], allowHttp: true, development: false };
    const { identityProviders } = buildIdentityProviders({ outbound, clock: () => 0, warn: () => undefined });
    for (const url of [
      "http://127.0.0.1:9000",
      "http://localhost:9000",
      "https://127.0.0.1:9000",
      "https://10.0.0.1",
    ]) {
      expect(identityProviders.issuerFault(url)).not.toBeNull();
    }
    expect(identityProviders.issuerFault("https://accounts.google.com")).toBeNull();
  });

  it("identity section 10: makes this server call somebody six times a minute at most", async () => {
    const provider = await addProvider(at, issuer, { name: "Tested" });
    at.advance(120_000);
    const outcomes: string[] = [];
    for (let count = 0; count < 8; count += 1) {
      outcomes.push(outcomeOf(await admin.post(`/identity-providers/${provider.id}/test`, {}, { fresh: true })));
    }
    expect(outcomes.filter((outcome) => outcome === "200")).toHaveLength(6);
    expect(outcomes.at(-1)).toBe("429 rate_limited");
  });
});
