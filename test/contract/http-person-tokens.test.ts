/** People's own tokens that services forward: whose are accepted, and for whom they must be made (docs/spec/identity.md R-IDP-12). */
import { UnsecuredJWT, type JWTPayload } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createJwksVerifier } from "../../src/http/token-verification/jwks-verifier.ts";
import { openEvilIssuer, without, type EvilIssuer } from "../support/evil-issuer.ts";
import { must, outcomeOf, signedIn, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

const AUDIENCE = "countersign";

/** As a start with `keycloak.issuer` makes it; null asks for no audience. */
async function openWith(url: string, trusted: EvilIssuer, audience: string | null): Promise<TestServer> {
  const fetchJson = async (from: string): Promise<unknown> => (await fetch(from)).json();
  const settings = { issuer: trusted.issuer, additionalIssuers: [], jwksUrl: null, audience };
  const verifier = createJwksVerifier(
    { ...settings, algorithms: ["ES256", "RS256"] },
    { fetchJson, clock: () => at.app.clock(), warn: () => undefined },
  );
  const at = await openServer(url, {
    application: {
      identity: { personTokenAudience: audience ?? "", peopleIssuers: [trusted.issuer], stepUpForJwt: true },
    },
    server: { verifier },
  });
  return at;
}

function honest({ app }: TestServer, { issuer }: EvilIssuer): JWTPayload {
  const now = Math.floor(app.clock() / 1_000);
  const times = { iat: now, exp: now + 300 };
  return { iss: issuer, aud: [AUDIENCE, "portal"], sub: "kai-1", preferred_username: "kai", ...times };
}

async function outcome({ server }: TestServer, token: string): Promise<string> {
  return outcomeOf(await server.inject({ url: "/v1/me", headers: { authorization: `Bearer ${token}` } }));
}

async function shownAudience(by: TestBrowser): Promise<unknown> {
  const list: unknown = JSON.parse((await by.get("/settings")).body);
  return Array.isArray(list) ? list.find((each) => Reflect.get(Object(each), "key") === "person_token_audience") : null;
}

describeOnEveryPostgres("a person's forwarded token", (database) => {
  let trusted: EvilIssuer;
  let other: EvilIssuer;
  let at: TestServer;
  let root: TestBrowser;

  beforeAll(async () => {
    [trusted, other] = await Promise.all([openEvilIssuer(), openEvilIssuer()]);
    at = await openWith(database.url, trusted, AUDIENCE);
    root = await signedIn(at);
  });
  afterAll(async () => {
    await Promise.all([trusted.close(), other.close()]);
    await at.close();
  });

  const seconds = (offset: number): number => Math.floor(at.app.clock() / 1_000) + offset;

  it.each<[string, () => Readonly<Record<string, unknown>>, string]>([
    ["as it should be", () => ({}), "200"],
    ["made for somebody else", () => ({ aud: "portal" }), "401 audience_not_allowed"],
    ["made for nobody", () => ({ aud: undefined }), "401 audience_not_allowed"],
    ["without an end", () => ({ exp: undefined }), "401 token_invalid"],
    ["that ended 29 seconds ago", () => ({ exp: seconds(-29) }), "200"],
    ["that ended 31 seconds ago", () => ({ exp: seconds(-31) }), "401 token_invalid"],
    ["that begins in 29 seconds", () => ({ nbf: seconds(29) }), "200"],
    ["that begins in 32 seconds", () => ({ nbf: seconds(32) }), "401 token_invalid"],
    ["of nobody", () => ({ sub: undefined }), "401 token_invalid"],
    ["that names another issuer", () => ({ iss: "https://elsewhere.example" }), "401 token_invalid"],
  ])("identity R-IDP-12: %s", async (_name, claims, expected) => {
    expect(await outcome(at, await trusted.sign({ ...honest(at, trusted), ...claims() }))).toBe(expected);
  });

  it("identity R-IDP-12: that nobody signed, or that is no token, is refused", async () => {
    expect(await outcome(at, new UnsecuredJWT(honest(at, trusted)).encode())).toBe("401 token_invalid");
    expect(await outcome(at, "a.b.c")).toBe("401 token_invalid");
    const awe = await at.server.inject({ url: "/v1/awe/requests", headers: { authorization: "Bearer a.b.c" } });
    expect(awe.json()).toMatchObject({ errorCode: "AWE-008", detail: "Invalid bearer token: it is not a JWT" });
  });

  it("identity R-IDP-12: of an issuer that people sign in with is not accepted for that, and the issuer is not asked", async () => {
    const settings = { provisioning: "invited", domains: [], role_rules: [], aal2: { acr: [], amr: [] }, scopes: [] };
    const provider = { name: "Staff", issuer: other.issuer, client_id: AUDIENCE, client_secret: null, settings };
    must(await root.post("/identity-providers", { ...provider, enabled: true }, { fresh: true }), 201);
    const before = JSON.stringify(other.calls);
    expect(await outcome(at, await other.sign(honest(at, other)))).toBe("401 token_invalid");
    expect(JSON.stringify(other.calls)).toBe(before);
  });

  it("identity R-IDP-12, engine R-AUTH-6: of what may be a machine is a machine's", async () => {
    const doubtful = await trusted.sign({ ...honest(at, trusted), sub: "svc", azp: "svc", preferred_username: "svc" });
    const answer = await at.server.inject({
      ...{ method: "POST", url: `/v1/tasks/${root.personId}/decision`, payload: { action: "approve" } },
      headers: { authorization: `Bearer ${doubtful}` },
    });
    expect(outcomeOf(answer)).toBe("403 machine");
  });

  it("identity R-STEP-7: where the installation asks for it, administers after a recent sign-in or with a factor alone", async () => {
    const administer = async (claims: object, { url = "/v1/policies", proof = {} } = {}): Promise<string> => {
      const token = await trusted.sign({
        ...{ ...honest(at, trusted), realm_access: { roles: ["AWE_ADMIN"] } },
        ...claims,
      });
      const headers = { authorization: `Bearer ${token}`, ...proof };
      return outcomeOf(await at.server.inject({ method: "POST", url, headers, payload: {} }));
    };
    // The body comes after the proof (R-AUTHZ-2): who is refused for it has proven enough.
    for (const [signedInAt, expected] of [
      [undefined, "401 mfa_step_up_required"],
      [seconds(-601), "401 mfa_step_up_required"],
      [seconds(-599), "422 invalid_input"],
      [seconds(60), "401 mfa_step_up_required"],
    ] as const) {
      expect([signedInAt, await administer({ auth_time: signedInAt })]).toEqual([signedInAt, expected]);
    }
    const activation = { url: "/v1/policies/none/versions/1/activate" };
    expect(await administer({}, activation)).toBe("401 mfa_required");
    expect(await administer({ auth_time: seconds(-1) }, activation)).toBe("404 policy_not_found");
    const sent = await administer({}, { proof: { "x-mfa-totp": "000000" } });
    expect(sent).toBe("401 mfa_verification_failed");
  });

  it("identity R-IDP-12: which audience is asked for stands among the settings, and nobody changes it there", async () => {
    expect(await shownAudience(root)).toMatchObject({ value: AUDIENCE, source: "default" });
    const change = { key: "person_token_audience", value: "" };
    expect(outcomeOf(await root.put("/settings", change, { fresh: true }))).toBe("422 invalid_input");
  });
});

describeOnEveryPostgres("a person's forwarded token where no audience is asked for", (database) => {
  it("identity R-IDP-12: may be made for anybody, and the settings say so", async () => {
    const trusted = await openEvilIssuer();
    const at = await openWith(database.url, trusted, null);
    try {
      expect(await outcome(at, await trusted.sign({ ...honest(at, trusted), aud: "portal" }))).toBe("200");
      expect(await outcome(at, await trusted.sign(without(honest(at, trusted), "exp")))).toBe("401 token_invalid");
      expect(await shownAudience(await signedIn(at))).toMatchObject({ value: "", source: "default" });
    } finally {
      await trusted.close();
      await at.close();
    }
  });
});
