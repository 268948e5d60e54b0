/** Tenants of one installation: they neither see nor guess each other (docs/spec/identity.md section 9). */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/core/json.ts";
import { longestCoolDownHours } from "../../src/app/factor-rules.ts";
import { isId } from "../../src/core/ids.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { giveRoles, personIdOf } from "../support/member-changes.ts";
import { must, signedIn, signedInAs, type BrowserAnswer, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { openServer, type TestServer } from "../support/test-server.ts";

describeOnEveryPostgres("organizations", (database) => {
  let at: TestServer;
  let platform: TestBrowser;
  let ana: TestBrowser;
  let ben: TestBrowser;
  let second = "";
  /** What Ana has in the first organization. */
  let requestId = "";
  let taskId = "";

  beforeAll(async () => {
    at = await openServer(database.url, { application: { identity: { development: false } } });
    platform = await signedIn(at);
    const made = must(await platform.post("/orgs", { name: "Second", slug: "second" }, { fresh: true }), 201);
    second = textAt(made, "id");
    ana = await signedInAs(at, platform, { roles: ["admin", "org_admin"] });
    ben = await signedInAs(at, platform, { roles: ["admin", "org_admin"], organization: second });
    const policy = {
      ...{ policy_key: "secret", name: "Secret", artifact_type: "thing" },
      stages: [
        {
          ...{ name: "One", stage_order: 1 },
          rules: [{ rule_type: "user", rule_value: { user_id: textAt(ana.me, "assignee") } }],
        },
      ],
    };
    must(await ana.post("/policies", policy, { fresh: true }), 201);
    must(await ana.post("/policies/secret/versions/1/activate", {}, { fresh: true }), 200);
    const asked = { policy_key: "secret", artifact_type: "thing", artifact_id: "1", requester: "rita" };
    const request = must(await ana.post("/requests", asked), 201);
    requestId = textAt(request, "request_id");
    taskId = textAt(request, "tasks", 0, "id");
  }, 60_000);

  afterAll(async () => {
    await at.close();
  });

  function firstOf(list: JsonValue | undefined): JsonObject {
    const first = Array.isArray(list) ? list.find(isJsonObject) : undefined;
    if (first === undefined) throw new Error("an empty list");
    return first;
  }

  function seen({ statusCode, body }: BrowserAnswer, id: string): { readonly status: number; readonly body: string } {
    return { status: statusCode, body: body.replaceAll(id, "<id>").replace(/"trace":"[^"]*"/, '"trace":""') };
  }

  it.each(["/requests/:id", "/requests/:id/events", "/requests/:id/explain", "/requests/:id/decisions", "/tasks/:id"])(
    "identity R-ORG-2: GET %s of another organization is what an unknown id is",
    async (path) => {
      const id = path.startsWith("/tasks") ? taskId : requestId;
      const unknown = randomUUID();
      const theirs = await ben.get(path.replace(":id", id));
      const nobodys = await ben.get(path.replace(":id", unknown));
      expect(theirs.statusCode).toBe(404);
      expect(seen(theirs, id)).toEqual(seen(nobodys, unknown));
      expect((await ana.get(path.replace(":id", id))).statusCode).toBe(200);
    },
  );

  it.each([
    ["/requests/:id/cancel", {}],
    ["/requests/:id/resolve", {}],
    ["/tasks/:id/claim", {}],
    ["/tasks/:id/reassign", { new_assignee: "zoe" }],
    ["/tasks/:id/decision", { action: "approve", digest: `sha256:${"0".repeat(64)}` }],
  ])("identity R-ORG-2: POST %s of another organization is what an unknown id is", async (path, body) => {
    const id = path.startsWith("/tasks") ? taskId : requestId;
    const unknown = randomUUID();
    const theirs = await ben.post(path.replace(":id", id), body);
    const nobodys = await ben.post(path.replace(":id", unknown), body);
    expect(theirs.statusCode).toBe(404);
    expect(seen(theirs, id)).toEqual(seen(nobodys, unknown));
  });

  it.each([
    "/requests",
    "/tasks?assignee=*",
    "/inbox",
    "/policies",
    "/delegations",
    "/directory/users",
    "/people",
    "/admin/audit",
    "/tokens",
    "/machines",
  ])("identity R-ORG-2: the list %s holds nothing of another organization", async (path) => {
    const text = (await ben.get(path)).body;
    for (const secret of [requestId, taskId, ana.personId, textAt(ana.me, "assignee"), "secret"]) {
      expect(text.includes(secret), `${secret} in ${path}`).toBe(false);
    }
  });

  it("identity R-ORG-2: a policy of the same key is another one", async () => {
    expect((await ben.get("/policies/secret/versions")).body).not.toContain(ana.personId);
    const answer = await ben.post("/requests", { policy_key: "secret", artifact_type: "thing", artifact_id: "1" });
    expect([answer.statusCode, bodyOf(answer)["code"]]).toEqual([404, "no_active_policy"]);
  });

  it("identity R-ORG-2: nobody chooses an organization they have no role in, and learns not even that it exists", async () => {
    const headers = { "x-countersign-org": second };
    const foreign = await ana.get("/me", { headers });
    const unknown = await ana.get("/me", { headers: { "x-countersign-org": "nowhere" } });
    expect(foreign.statusCode).toBe(404);
    expect(seen(foreign, second)).toEqual(seen(unknown, "nowhere"));
  });

  it("identity R-ORG-4: whoever runs the platform acts in an organization while it is chosen, and only there", async () => {
    const inSecond = await platform.get("/people", { headers: { "x-countersign-org": "second" } });
    expect(inSecond.body).toContain(ben.personId);
    expect(inSecond.body).not.toContain(ana.personId);
    expect((await platform.get("/people")).body).not.toContain(ben.personId);
  });

  it("identity R-ORG-2: the whole ledger is for the platform alone once there are several organizations", async () => {
    const answer = await ana.get("/ledger/export");
    expect([answer.statusCode, bodyOf(answer)["code"]]).toEqual([403, "permission_denied"]);
  });

  it("identity R-FACT-9: an organization vouches for the factors of its own people alone", async () => {
    const superuser = await signedInAs(at, platform, { roles: ["platform_superuser"] });
    const factor = textAt(firstOf(must(await superuser.get("/me/factors"), 200)["factors"]), "id");
    const vouched = await ben.post(
      `/people/${superuser.personId}/factors/${factor}/vouch`,
      { reason: "a favour" },
      { fresh: true },
    );
    expect(vouched.statusCode).toBe(404);
    must(
      await ana.post(`/people/${superuser.personId}/factors/${factor}/vouch`, { reason: "known" }, { fresh: true }),
      200,
    );
  });

  describe("somebody of the first with a role in the second", () => {
    let both: TestBrowser;
    beforeAll(async () => {
      both = await signedInAs(at, platform, { roles: ["viewer"] });
      await giveRoles(at.app.forOrganization(second), personIdOf(both.personId), ["viewer"]);
    });

    it("identity R-ORG-2: shows the second neither the sessions, addresses, identities nor factors they have in the first", async () => {
      const theirs = must(await ben.get(`/people/${both.personId}`), 200);
      expect(theirs).toMatchObject({ roles: [{ role: "viewer", source: "admin" }], enrolled: true });
      expect([theirs["sessions"], theirs["identities"], theirs["factors"]]).toEqual([[], [], []]);
      expect(JSON.stringify(theirs)).not.toContain(both.address);
      const own = must(await ana.get(`/people/${both.personId}`), 200);
      expect(own["sessions"]).toEqual([expect.objectContaining({ address: both.address })]);
      expect(own["factors"]).toHaveLength(1);
      expect(own["identities"]).toEqual([expect.objectContaining({ issuer: "local" })]);
    });

    it("identity R-ORG-2, R-SESS-3: loses the role there, and stays signed in at home", async () => {
      // Done, and unknown there from then on.
      expect((await ben.put(`/people/${both.personId}/roles`, { roles: [] }, { fresh: true })).statusCode).toBe(404);
      expect((await ben.get(`/people/${both.personId}`)).statusCode).toBe(404);
      expect((await both.get("/me", { headers: { "x-countersign-org": second } })).statusCode).toBe(404);
      expect((await both.get("/me")).statusCode).toBe(200);
    });
  });

  describe("somebody of the first whom the second invites", () => {
    const there = { headers: { "x-countersign-org": "second" } };

    async function invitation(email: string, more: JsonObject = {}): Promise<JsonObject> {
      return must(await ben.post("/people", { email, roles: ["viewer"], ...more }, { fresh: true }), 201);
    }

    function tokenOf(invited: JsonObject): { readonly token: string } {
      return { token: textAt(invited, "link").split("#")[1] ?? "" };
    }

    it("identity R-ORG-2: is invited as somebody nobody knows is, and is not seen before they join", async () => {
      const known = await invitation(textAt(ana.me, "email"));
      const nobody = await invitation("nobody@example.org");
      const shape = (invited: JsonObject): string =>
        JSON.stringify(invited)
          .replaceAll(/[0-9a-f-]{36}|#[^"]+|\d{4}-[^"]+Z/g, "")
          .replaceAll(textAt(invited, "person", "email"), "<email>");
      expect(shape(known)).toBe(shape(nobody));
      const people = (await ben.get("/people")).body;
      expect(people).not.toContain(ana.personId);
      expect((await ben.get(`/people/${ana.personId}`)).statusCode).toBe(404);
    });

    it("identity R-ID-1, R-ORG-2: joins as who they are, with the tasks that wait for them there, and is one person in both", async () => {
      const { email } = ana.me;
      const policy = {
        ...{ policy_key: "shared", name: "Shared", artifact_type: "thing" },
        stages: [
          { ...{ name: "One", stage_order: 1 }, rules: [{ rule_type: "user", rule_value: { user_id: email ?? "" } }] },
        ],
      };
      must(await ben.post("/policies", policy, { fresh: true }), 201);
      must(await ben.post("/policies/shared/versions/1/activate", {}, { fresh: true }), 200);
      const asked = { policy_key: "shared", artifact_type: "thing", artifact_id: "1", requester: "rita" };
      const request = must(await ben.post("/requests", asked), 201);
      const invited = await invitation(textAt(ana.me, "email"));
      expect((await ana.get("/me", there)).statusCode).toBe(404);
      must(await ana.post("/me/organizations", tokenOf(invited), { fresh: true }), 201);
      expect(must(await ana.get("/me", there), 200)).toMatchObject({
        ...{ person_id: ana.personId, organization: { id: second }, roles: ["viewer"] },
      });
      expect(must(await ana.get("/me"), 200)["roles"]).toEqual(expect.arrayContaining(["org_admin"]));
      const task = must(await ana.get(`/tasks/${textAt(request, "tasks", 0, "id")}`, there), 200);
      expect(task).toMatchObject({ assignee: textAt(ana.me, "assignee"), status: "open" });
      expect(must(await ben.get(`/people/${ana.personId}`), 200)).toMatchObject({
        ...{ roles: [{ role: "viewer", source: "invitation" }], sessions: [], factors: [] },
      });
      const again = await ana.post("/me/organizations", tokenOf(invited), { fresh: true });
      expect([again.statusCode, bodyOf(again)["code"]]).toEqual([404, "setup_link_invalid"]);
      const twice = await ben.post("/people", { email, roles: ["viewer"] }, { fresh: true });
      expect([twice.statusCode, bodyOf(twice)["code"]]).toEqual([409, "already_exists"]);
      const { rows } = await at.pool.query<{ kind: string }>(
        "select kind from ledger_entries where text like $1 and text like '%\"request\":null%' and kind in ('person.merged', 'person.roles_changed') order by seq",
        [`%usr_${ana.personId.replaceAll("-", "")}%"org":"org_${second.replaceAll("-", "")}"%`],
      );
      expect(rows.map(({ kind }) => kind)).toEqual(["person.merged", "person.roles_changed"]);
    });

    it("identity R-LOCAL-6: nobody joins by an invitation to another address, by one of their own organization, or without one", async () => {
      const joined = async (by: TestBrowser, body: JsonObject): Promise<string> =>
        textAt(bodyOf(await by.post("/me/organizations", body, { fresh: true })), "code");
      const other = tokenOf(await invitation("somebody@example.org"));
      expect(await joined(ana, other)).toBe("identity_conflict");
      expect(await joined(ben, tokenOf(await invitation("else@example.org")))).toBe("identity_conflict");
      expect(await joined(ana, { token: "unknown" })).toBe("setup_link_invalid");
      expect((await ana.post("/me/organizations", other)).statusCode).toBe(401);
      expect((await platform.get("/me", there)).statusCode).toBe(200);
    });

    it("identity R-ORG-4: whoever runs the platform invites into an organization while it is chosen", async () => {
      const cia = await signedInAs(at, platform, { roles: ["viewer"] });
      const body = { email: textAt(cia.me, "email"), roles: ["org_admin"] };
      const invited = must(await platform.post("/people", body, { fresh: true, ...there }), 201);
      must(await cia.post("/me/organizations", tokenOf(invited), { fresh: true }), 201);
      expect(must(await cia.get("/me", there), 200)["roles"]).toEqual(["org_admin"]);
      expect(must(await cia.get("/me"), 200)["roles"]).toEqual(["viewer"]);
    });

    it("identity R-FACT-9: a factor of somebody in several waits as long as the strictest of them asks", async () => {
      const dov = await signedInAs(at, platform, { roles: ["viewer"] });
      must(await ben.put("/settings", { key: "factor_cool_down_hours", value: 0 }, { fresh: true }), 200);
      const hours = (personId: string): Promise<number> => {
        if (!isId<"person">(personId)) throw new Error("no person");
        return longestCoolDownHours(at.app.forOrganization(second), personId);
      };
      expect(await hours(ben.personId)).toBe(0);
      must(
        await dov.post("/me/organizations", tokenOf(await invitation(textAt(dov.me, "email"))), { fresh: true }),
        201,
      );
      expect(await hours(dov.personId)).toBe(24);
      must(await ben.put("/settings", { key: "factor_cool_down_hours", value: null }, { fresh: true }), 200);
    });
  });

  it("identity R-ORG-6: a suspended organization lets none of its credentials in, until it is taken up again", async () => {
    must(await platform.post(`/orgs/${second}/suspend`, {}, { fresh: true }), 200);
    at.advance(1_100);
    const refused = await ben.get("/me");
    expect([refused.statusCode, bodyOf(refused)["code"]]).toEqual([403, "org_suspended"]);
    must(await platform.post(`/orgs/${second}/reactivate`, {}, { fresh: true }), 200);
    at.advance(1_100);
    expect((await ben.get("/me")).statusCode).toBe(200);
  });
});
