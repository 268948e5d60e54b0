/** Whose token is it? What a name in a token gives, and what it only forbids, where issuers vouch for subjects. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { createTestDatabase, type TestDatabase } from "../support/test-database.ts";
import { asAdmin, openServer, unsignedToken, type TestServer } from "../support/test-server.ts";

const POLICY = {
  policy_key: "guarded",
  name: "Guarded",
  artifact_type: "demo.artifact",
  forbid_self_approval: true,
  stages: [
    {
      name: "Only stage",
      stage_order: 1,
      mode: "any-n",
      mode_value: 1,
      rules: ["dora", "erik"].map((user_id) => ({ rule_type: "user", rule_value: { user_id } })),
    },
  ],
};
const DAY = { starts_at: "2026-11-20T00:00:00Z", ends_at: "2099-01-01T00:00:00Z" };

describe("identities that an issuer vouches for", () => {
  let database: TestDatabase;
  let at: TestServer;
  beforeAll(async () => {
    database = await createTestDatabase();
    at = await openServer(database.url, { server: { development: false } });
    await called("POST", "/v1/policies", asAdmin, POLICY);
    await called("POST", "/v1/policies/guarded/versions/1/activate", asAdmin, {});
  });
  afterAll(async () => {
    await at.close();
    await database.drop();
  });

  function token(sub: string, name: string, more: object = {}): { authorization: string } {
    return { authorization: `Bearer ${unsignedToken({ sub, preferred_username: name, ...more })}` };
  }

  async function called(method: "GET" | "POST", url: string, headers: object, payload?: object): Promise<JsonObject> {
    const answer = await at.server.inject({
      method,
      url,
      headers: { ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    return { ...bodyOf(answer), http: answer.statusCode };
  }

  /** A request of a machine in the name of somebody, and the task of one candidate. */
  async function taskOf(requester: string, assignee: string): Promise<string> {
    const machine = token("ci", "service-account-ci", { azp: "ci" });
    const made = await called("POST", "/v1/requests", machine, {
      policy_key: "guarded",
      artifact_type: "demo.artifact",
      artifact_id: "1",
      requester,
      context: {},
    });
    const page = await called(
      "GET",
      `/v1/tasks?assignee=${assignee}&request_id=${textAt(made, "request_id")}`,
      asAdmin,
    );
    return textAt(page, "items", 0, "id");
  }

  it("engine R-AUTH-3: of two subjects that come with one name at once, one becomes the person and the other is refused", async () => {
    const subjects = ["s-1", "s-2", "s-3", "s-4"];
    const answers = await Promise.all(subjects.map((sub) => called("GET", "/v1/me", token(sub, "shared"))));
    expect(answers.filter(({ http }) => http === 200)).toHaveLength(1);
    expect(answers.filter(({ http, code }) => http === 403 && code === "identity_conflict")).toHaveLength(3);
  });

  it("engine R-AUTH-3: one subject that comes with two names at once is one person, whichever name was first", async () => {
    const names = ["first-name", "second-name", "third-name"];
    const answers = await Promise.all(names.map((name) => called("GET", "/v1/me", token("many-names", name))));
    expect(answers.map(({ http }) => http)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ person_id }) => person_id)).size).toBe(1);
  });

  it("identity R-ID-5: a known subject whose token now carries another person's name is refused", async () => {
    await called("GET", "/v1/me", token("sub-victim", "victim"));
    await called("GET", "/v1/me", token("sub-thief", "thief"));
    expect(await called("GET", "/v1/me", token("sub-thief", "victim"))).toMatchObject({
      http: 403,
      code: "identity_conflict",
    });
    const absence = { delegate_to: "thief", ...DAY };
    expect(await called("POST", "/v1/delegations", token("sub-thief", "victim"), absence)).toMatchObject({ http: 403 });
  });

  it("identity R-ID-3: a name that nobody proved gives a known subject nothing that is meant for it", async () => {
    const task = await taskOf("nobody-yet", "dora");
    await called("GET", "/v1/me", token("sub-gast", "gast"));
    const renamed = token("sub-gast", "nobody-yet");
    expect(await called("GET", "/v1/me", renamed)).toMatchObject({ http: 200, assignee: "gast" });
    expect(await called("GET", `/v1/tasks/${task}`, renamed)).toMatchObject({ http: 404 });
  });

  it("engine R-SOD-1: a renamed person does not approve what was asked for under the new name", async () => {
    await called("GET", "/v1/me", token("sub-dora", "dora"));
    const task = await taskOf("dora-new", "dora");
    const renamed = token("sub-dora", "Dora-New");
    const said = await called("POST", `/v1/awe/tasks/${task}/decision`, renamed, { action: "approve" });
    expect(said).toMatchObject({ http: 403, code: "separation_of_duties" });
  });

  it("engine R-SOD-1: nobody approves what was asked for under their e-mail address", async () => {
    // The task is made before anybody knows the address; the token that decides brings it.
    const task = await taskOf("Erik@Example.org", "erik");
    const erik = token("sub-erik", "erik", { email: "erik@example.org" });
    const said = await called("POST", `/v1/awe/tasks/${task}/decision`, erik, { action: "approve" });
    expect(said).toMatchObject({ http: 403, code: "separation_of_duties" });
    // Once it is known, he is not even asked.
    await expect(taskOf("Erik@Example.org", "erik")).rejects.toThrow();
  });

  it.each([
    ["username", { sub: "sub-a", username: "service-account-a" }],
    ["sub", { sub: "service-account-b" }],
  ])("engine R-AUTH-6: a service account is a machine by its %s too", async (_claim, claims) => {
    const machine = { authorization: `Bearer ${unsignedToken(claims)}` };
    expect(await called("GET", "/v1/me", machine)).toMatchObject({ http: 200, person_id: null });
  });
});
