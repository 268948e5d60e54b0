/** Tokens that platforms give their workloads, as credentials and in exchange for ours (docs/spec/identity.md R-WID-1 to R-WID-3). */
import { randomUUID } from "node:crypto";
import { SignJWT, type JWTPayload } from "jose";
import { afterAll, beforeAll, expect, it } from "vitest";
import { TOKENS_PER_MACHINE_MAX } from "../../src/app/make-token.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { createJwksVerifier } from "../../src/http/token-verification/jwks-verifier.ts";
import { newKey, openEvilIssuer, type EvilIssuer } from "../support/evil-issuer.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, type BrowserAnswer, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { asAdmin, openServer, unsignedToken, type TestServer } from "../support/test-server.ts";

const AUDIENCE = "https://approvals.example.com";
const SUBJECT = "repo:acme/app:ref:refs/heads/main";

describeOnEveryPostgres("a workload's token", (database) => {
  let at: TestServer;
  let admin: TestBrowser;
  let issuer: EvilIssuer;
  let machineId: string;
  let provider: string;
  beforeAll(async () => {
    at = await openServer(database.url);
    issuer = await openEvilIssuer();
    admin = await signedIn(at);
    const machine = must(
      await admin.post("/machines", { kind: "ci", name: "builds", owners: [admin.personId] }, { fresh: true }),
      201,
    );
    machineId = textAt(machine, "id");
    provider = textAt(must(await register({}), 201), "id");
    const stages = [{ name: "S", stage_order: 1, rules: [{ rule_type: "user", rule_value: { user_id: "hugo" } }] }];
    const policy = { policy_key: "p", name: "P", artifact_type: "thing", stages };
    await at.server.inject({ method: "POST", url: "/v1/policies", headers: asAdmin, payload: policy });
    await at.server.inject({ method: "POST", url: "/v1/policies/p/versions/1/activate", headers: asAdmin });
  });
  afterAll(async () => {
    await issuer.close();
    await at.close();
  });

  function draft(): JsonObject {
    return {
      ...{ machine_id: machineId, name: "GitHub", preset: "custom", issuer: issuer.issuer, audience: AUDIENCE },
      subjects: ["repo:acme/app:*"],
      claims: { repository_id: "4711" },
      scopes: ["approval:request:create", "approval:request:read"],
    };
  }

  function register(about: JsonObject): ReturnType<TestBrowser["post"]> {
    return admin.post("/workload-providers", { ...draft(), ...about }, { fresh: true });
  }

  const now = (): number => Math.floor(at.app.clock() / 1_000);

  function honest(): JWTPayload {
    const times = { iat: now(), nbf: now(), exp: now() + 600 };
    return { iss: issuer.issuer, aud: AUDIENCE, sub: SUBJECT, repository_id: "4711", jti: randomUUID(), ...times };
  }

  /** Undefined leaves a claim out. */
  function token(about: Readonly<Record<string, unknown>> = {}): Promise<string> {
    return issuer.sign({ ...honest(), ...about });
  }

  async function call(
    bearer: string,
    method: "GET" | "POST" = "GET",
    url = "/v1/requests",
    payload?: object,
  ): Promise<{ outcome: string; body: unknown; headers: Readonly<Record<string, unknown>> }> {
    const answer = await at.server.inject({
      ...{ method, url, headers: { authorization: `Bearer ${bearer}` } },
      ...(payload === undefined ? {} : { payload }),
    });
    return { outcome: outcomeOf(answer), body: JSON.parse(answer.body), headers: answer.headers };
  }

  /** Nobody uses up the attempts of the next test. */
  let networks = 0;
  function nextNetwork(): string {
    networks += 1;
    return `10.9.${String(networks % 250)}.1`;
  }

  function exchange(subject_token: string, form = true): Promise<BrowserAnswer> {
    const fields = {
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      subject_token,
    };
    return at.server.inject({
      ...{ method: "POST", url: "/v1/token", remoteAddress: nextNetwork() },
      headers: { "content-type": form ? "application/x-www-form-urlencoded" : "application/json" },
      payload: form ? new URLSearchParams(fields).toString() : JSON.stringify(fields),
    });
  }

  it("identity R-WID-1: is its machine, with the provider's scopes", async () => {
    const me = await call(await token(), "GET", "/v1/me");
    expect(me).toMatchObject({
      outcome: "200",
      body: {
        person_id: null,
        assignee: "service-account-builds",
        permissions: ["approval:request:create", "approval:request:read"],
      },
    });
    expect((await call(await token())).outcome).toBe("200");
  });

  it.each([
    ["nothing", {}, []],
    ["the audience", { aud: "https://elsewhere.example" }, ["aud"]],
    [
      "subject and id",
      { sub: "repo:acme/app-evil:ref:refs/heads/main", repository_id: 4712 },
      ["sub", "repository_id"],
    ],
  ])(
    "deploy R-UI-6: the test of claims judges as the real check does: %s does not hold",
    async (_name, about, failing) => {
      const claims = { ...honest(), ...about };
      const tested = must(await admin.post(`/workload-providers/${provider}/test`, { claims }), 200);
      const conditions = tested["conditions"];
      const all: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
      expect(all.filter(isJsonObject).flatMap(({ claim, holds }) => (holds === true ? [] : [claim]))).toEqual(failing);
      expect(tested["lets_in"]).toBe((await call(await token(about))).outcome === "200");
    },
  );

  it.each([
    ["another audience", { aud: "https://elsewhere.example" }, "401 audience_not_allowed"],
    ["no audience", { aud: undefined }, "401 token_invalid"],
    ["an end in the past", { exp: 1 }, "401 token_expired"],
    ["no end", { exp: undefined }, "401 token_invalid"],
    ["more than a day to live", { exp: Math.floor(Date.now() / 1_000) + 90_000 }, "401 token_invalid"],
    ["a beginning in the future", { nbf: Math.floor(Date.now() / 1_000) + 900 }, "401 token_invalid"],
    ["an issue in the future", { iat: Math.floor(Date.now() / 1_000) + 900 }, "401 token_invalid"],
    ["the repository acme/app-evil", { sub: "repo:acme/app-evil:ref:refs/heads/main" }, "403 subject_not_allowed"],
    ["a renamed repository with another id", { repository_id: "4712" }, "403 subject_not_allowed"],
    ["no repository id", { repository_id: undefined }, "403 subject_not_allowed"],
    ["no subject", { sub: undefined }, "401 token_invalid"],
  ])("identity R-WID-1: with %s is refused", async (_name, about, outcome) => {
    expect((await call(await token(about))).outcome).toBe(outcome);
    expect(outcomeOf(await exchange(await token(about)))).toBe(outcome);
  });

  it("identity R-WID-1: signed by somebody else, or by nobody, is refused", async () => {
    const { privateKey, kid } = await newKey("ES256");
    const forged = await new SignJWT(honest()).setProtectedHeader({ alg: "ES256", kid }).sign(privateKey);
    const underOurs = await new SignJWT(honest())
      .setProtectedHeader({ alg: "ES256", kid: issuer.key.kid })
      .sign(privateKey);
    for (const bad of [forged, underOurs, unsignedToken({ ...honest() })]) {
      expect((await call(bad)).outcome).toBe("401 token_invalid");
    }
  });

  it("identity R-WID-1: of an issuer that nobody registered makes this server call nobody", async () => {
    const stranger = await openEvilIssuer();
    try {
      const theirs = await stranger.sign({ ...honest(), iss: stranger.issuer });
      expect(outcomeOf(await exchange(theirs))).toBe("401 token_invalid");
      await call(theirs);
      expect(stranger.calls).toEqual({});
    } finally {
      await stranger.close();
    }
  });

  it("identity R-ID-10: decides nothing, and holds nothing that could", async () => {
    expect(
      (await call(await token(), "POST", `/v1/tasks/${randomUUID()}/decision`, { decision: "approve" })).outcome,
    ).toMatch(/^403 machine/);
    for (const scope of ["approval:task:decide", "approval:*:*", "gateway:deploy_approval_request:approve"]) {
      expect(outcomeOf(await register({ name: scope, scopes: [scope] }))).toBe("422 machine_cannot_decide");
    }
  });

  it("identity R-WID-3: makes one request; presented again it gets the first answer, whatever it asks for", async () => {
    const bearer = await token();
    const ask = (artifact: string): ReturnType<typeof call> =>
      call(bearer, "POST", "/v1/requests", { policy_key: "p", artifact_type: "thing", artifact_id: artifact });
    // A call that was refused spends nothing.
    expect(
      (await call(bearer, "POST", "/v1/requests", { policy_key: "none", artifact_type: "thing", artifact_id: "x" }))
        .outcome,
    ).toBe("404 no_active_policy");
    const answers = await Promise.all([ask("one"), ask("one"), ask("two"), ask("three")]);
    expect(new Set(answers.map(({ outcome }) => outcome))).toEqual(new Set(["201"]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const list = await at.server.inject({ url: "/v1/requests", headers: asAdmin });
    expect(list.json()).toHaveLength(1);
    const again = await call(bearer, "POST", "/v1/requests", {
      policy_key: "p",
      artifact_type: "thing",
      artifact_id: "four",
    });
    expect([again.body, again.headers["idempotency-replayed"]]).toEqual([answers[0].body, "true"]);
    const [head = "", claims = "", signature = ""] = bearer.split(".");
    expect((await call([head, claims, `${signature}=`].join("."), "GET")).outcome).toMatch(/^401/);
    const other = await call(await token(), "POST", "/v1/requests", {
      policy_key: "p",
      artifact_type: "thing",
      artifact_id: "five",
    });
    expect(other.body).not.toEqual(again.body);
  });

  it("identity R-WID-3: what it is exchanged for makes the same one request, before and after, and whichever comes first", async () => {
    const ask = (bearer: string): ReturnType<typeof call> =>
      call(bearer, "POST", "/v1/requests", { policy_key: "p", artifact_type: "thing", artifact_id: randomUUID() });
    const requests = async (): Promise<number> =>
      (await at.pool.query<{ count: number }>("select count(*)::integer from requests")).rows[0]?.count ?? 0;
    const before = await requests();
    const [one, other] = [await token({ exp: now() + 7_200 }), await token()];
    const exchanged = textAt(bodyOf(await exchange(one)), "access_token");
    const answers = await Promise.all([ask(exchanged), ask(exchanged), ask(one)]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(["201", "201", "201"]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    const first = await ask(other);
    const [answer] = [await ask(textAt(bodyOf(await exchange(other)), "access_token"))];
    expect([answer.outcome, answer.body]).toEqual(["201", first.body]);
    // The next quarter of an hour: another token of ours, the same workload's token.
    at.advance(901_000);
    const later = textAt(bodyOf(await exchange(one)), "access_token");
    expect(later).not.toBe(exchanged);
    expect((await ask(later)).body).toEqual(answers[0].body);
    expect((await requests()) - before).toBe(2);
  });

  it("identity R-WID-3: a flood of exchanges keeps nobody from exchanging, nor people from making the machine a token", async () => {
    must(await admin.signIn(), 201);
    const machine = must(
      await admin.post("/machines", { kind: "ci", name: "busy", owners: [admin.personId] }, { fresh: true }),
      201,
    );
    const own = textAt(machine, "id");
    must(await register({ name: "Busy", audience: "busy", machine_id: own }), 201);
    const outcomes = new Set<string>();
    for (let job = 0; job <= TOKENS_PER_MACHINE_MAX; job += 1) {
      outcomes.add(outcomeOf(await exchange(await token({ aud: "busy" }))));
    }
    expect([...outcomes]).toEqual(["200"]);
    const draft = { machine_id: own, name: "kept", family: "generic", scopes: ["approval:request:read"] };
    must(await admin.post("/tokens", draft, { fresh: true }), 201);
  });

  it("identity R-WID-1: what it was exchanged for ends when its provider is switched off", async () => {
    must(await admin.signIn(), 201);
    const id = textAt(must(await register({ name: "Ending", audience: "ending" }), 201), "id");
    const access = textAt(bodyOf(await exchange(await token({ aud: "ending" }))), "access_token");
    expect((await call(access)).outcome).toBe("200");
    must(await admin.patch(`/workload-providers/${id}`, { enabled: false }, { fresh: true }), 200);
    await expect.poll(async () => (await call(access)).outcome, { timeout: 1_000 }).toBe("401 token_revoked");
  });

  it("identity R-WID-3: a token without an id is single-use by what it says", async () => {
    const bearer = await token({ jti: undefined });
    const ask = (): ReturnType<typeof call> =>
      call(bearer, "POST", "/v1/requests", { policy_key: "p", artifact_type: "thing", artifact_id: randomUUID() });
    expect((await ask()).body).toEqual((await ask()).body);
  });

  it("identity section 4: is exchanged for a token of a quarter of an hour at most; the same one gets the same answer", async () => {
    const presented = await token();
    const first = await exchange(presented);
    expect(first.statusCode).toBe(200);
    const body = bodyOf(first);
    expect(body).toMatchObject({
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
    });
    expect(body["expires_in"]).toBeLessThanOrEqual(600);
    const access = textAt(body, "access_token");
    expect(access).toMatch(/^cst_[0-9A-Za-z]{49}$/);
    expect(textAt(bodyOf(await exchange(presented, false)), "access_token")).toBe(access);
    expect((await call(access, "GET", "/v1/me")).body).toMatchObject({ assignee: "service-account-builds" });
    const { rows } = await at.pool.query<{ text: string }>("select p::text as text from spent_proofs p");
    expect(rows.some(({ text }) => text.includes(access))).toBe(false);
    const long = bodyOf(await exchange(await token({ exp: now() + 3_600 })));
    expect(long["expires_in"]).toBeLessThanOrEqual(900);
    at.advance(901_000);
    expect((await call(textAt(long, "access_token"))).outcome).toBe("401 token_expired");
  });

  it("identity section 4: what is no exchange of a JWT is refused", async () => {
    const bad = [
      {},
      {
        grant_type: "client_credentials",
        subject_token: "x",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      },
      {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: "x",
        subject_token_type: "saml2",
      },
    ];
    for (const payload of bad) {
      const answer = await at.server.inject({ method: "POST", url: "/v1/token", payload, remoteAddress: "10.8.0.1" });
      expect(outcomeOf(answer)).toBe("422 invalid_input");
    }
  });

  it("identity R-WID-1: of a provider that is switched off is refused at once, and is nobody's when it is gone", async () => {
    const id = textAt(must(await register({ name: "Short", audience: "short" }), 201), "id");
    const bearer = await token({ aud: "short" });
    expect((await call(bearer)).outcome).toBe("200");
    must(await admin.patch(`/workload-providers/${id}`, { enabled: false }, { fresh: true }), 200);
    expect((await call(bearer)).outcome).toBe("401 token_invalid");
    expect(outcomeOf(await exchange(bearer))).toBe("401 token_invalid");
    must(await admin.delete(`/workload-providers/${id}`, { fresh: true }), 204);
    expect((await call(bearer)).outcome).toBe("401 audience_not_allowed");
  });

  it("identity R-WID-1, R-WID-2, R-TOK-4: a provider that lets in too much, or gives too much, is not made", async () => {
    const refused: readonly (readonly [JsonObject, string])[] = [
      [{ subjects: ["repo:acme/app*"] }, "422 invalid_input"],
      [{ subjects: ["*"] }, "422 invalid_input"],
      [{ subjects: [] }, "422 invalid_input"],
      [{ preset: "github", issuer: null, claims: { repository: "acme/app" } }, "422 invalid_input"],
      [{ preset: "github", claims: { repository_id: "1" } }, "422 invalid_input"],
      [{ issuer: "https://169.254.169.254/" }, "422 invalid_input"],
      [{ issuer: "http://provider.example" }, "422 invalid_input"],
      [{ scopes: ["no permission"] }, "422 invalid_input"],
      [{ scopes: ["org:unicorn:read"] }, "422 invalid_input"],
      [{ machine_id: randomUUID() }, "422 invalid_input"],
      [{ org_id: randomUUID() }, "422 invalid_input"],
      [{ name: "GitHub" }, "409 already_exists"],
      [
        { scopes: ["platform:quarantine:*", "security:secret:update", "auth:mfa_method:create"] },
        "422 scope_exceeds_creator",
      ],
    ];
    for (const [about, outcome] of refused) {
      expect([about, outcomeOf(await register({ name: randomUUID(), ...about }))]).toEqual([about, outcome]);
    }
    expect(outcomeOf(await admin.post("/workload-providers", { ...draft(), name: "x" }))).toBe("401 mfa_required");
    const made = must(
      await register({
        name: "Real",
        preset: "github",
        issuer: null,
        audience: "real",
        claims: { repository_id: "1" },
      }),
      201,
    );
    expect(made).toMatchObject({
      issuer: "https://token.actions.githubusercontent.com",
      claims: { repository_id: ["1"] },
    });
    const list = await admin.get("/workload-providers");
    expect(JSON.parse(list.body)).toContainEqual(made);
    expect(
      outcomeOf(
        await admin.patch(`/workload-providers/${provider}`, { subjects: ["repo:acme/app*"] }, { fresh: true }),
      ),
    ).toBe("422 invalid_input");
  });

  it("identity R-ID-8: is refused within a moment when the machine is retired", async () => {
    const machine = must(
      await admin.post("/machines", { kind: "ci", name: "short-lived", owners: [admin.personId] }, { fresh: true }),
      201,
    );
    const own = textAt(machine, "id");
    must(await register({ name: "Retired", audience: "retired", machine_id: own }), 201);
    const bearer = await token({ aud: "retired" });
    expect((await call(bearer)).outcome).toBe("200");
    await admin.delete(`/machines/${own}`, { fresh: true });
    expect((await call(bearer)).outcome).toBe("401 token_revoked");
    expect(outcomeOf(await exchange(bearer))).toBe("401 token_revoked");
  });
});

describeOnEveryPostgres("the issuer of people's tokens", (database) => {
  let at: TestServer;
  let issuer: EvilIssuer;

  beforeAll(async () => {
    issuer = await openEvilIssuer();
    const clock = (): number => at.app.clock();
    const fetchJson = async (url: string): Promise<unknown> => (await fetch(url)).json();
    const verifier = createJwksVerifier(
      { issuer: issuer.issuer, additionalIssuers: [], jwksUrl: null, audience: null, algorithms: ["ES256", "RS256"] },
      { fetchJson, clock, warn: () => undefined },
    );
    at = await openServer(database.url, {
      application: { identity: { peopleIssuers: [issuer.issuer] } },
      server: { verifier },
    });
  });
  afterAll(async () => {
    await issuer.close();
    await at.close();
  });

  it("identity R-WID-1: stays that of people, whichever organization calls it a workload's", async () => {
    const admin = await signedIn(at);
    const now = Math.floor(at.app.clock() / 1_000);
    const times = { iat: now, exp: now + 600 };
    const claims = { iss: issuer.issuer, aud: "account", sub: "ana-1", preferred_username: "ana", ...times };
    const headers = { authorization: `Bearer ${await issuer.sign(claims)}` };
    const machine = must(
      await admin.post("/machines", { kind: "ci", name: "taker", owners: [admin.personId] }, { fresh: true }),
      201,
    );
    const provider = {
      ...{ machine_id: textAt(machine, "id"), name: "Taker", preset: "custom", issuer: issuer.issuer },
      ...{ audience: "account", subjects: ["ana-1"], claims: {}, scopes: ["approval:request:create"] },
    };
    must(await admin.post("/workload-providers", provider, { fresh: true }), 201);
    const me = await at.server.inject({ method: "GET", url: "/v1/me", headers });
    expect(me.json()).toMatchObject({ assignee: "ana" });
    // Nor is it exchanged for one of the machine's own.
    const exchanged = await at.server.inject({
      ...{ method: "POST", url: "/v1/token" },
      payload: {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: headers.authorization.slice("Bearer ".length),
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
      },
    });
    expect(outcomeOf(exchanged)).toContain("token_invalid");
  });
});
