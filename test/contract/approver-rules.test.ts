/** Whom rules find and whom the context bars, over HTTP: roles of this installation, and `forbidden_approvers`. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { explainSchema } from "../../src/contract/explain.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { bodyOf, textAt } from "../support/json-answer.ts";
import { must, outcomeOf, signedIn, signedInAs, type BrowserAnswer, type TestBrowser } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, openServer, type TestServer } from "../support/test-server.ts";

describeOnEveryPostgres("whom rules find", (database) => {
  let at: TestServer;
  let root: TestBrowser;
  let policies = 0;
  beforeAll(async () => {
    at = await openServer(database.url);
    root = await signedIn(at);
  });
  afterAll(() => at.close());

  function call(method: "GET" | "POST", url: string, headers: object, payload?: object): Promise<BrowserAnswer> {
    const body = payload === undefined ? {} : { payload };
    return at.server.inject({ method, url: `/v1${url}`, headers: { ...headers }, ...body });
  }

  async function drafted(rules: readonly JsonObject[], more: JsonObject = {}): Promise<string> {
    policies += 1;
    const key = `rules-${String(policies)}`;
    const stages = [{ name: "Only", stage_order: 1, mode: "any-n", rules }];
    must(
      await call("POST", "/policies", asAdmin, { policy_key: key, name: key, artifact_type: "x", stages, ...more }),
      201,
    );
    return key;
  }

  async function active(rules: readonly JsonObject[], more: JsonObject = {}): Promise<string> {
    const key = await drafted(rules, more);
    must(await call("POST", `/policies/${key}/versions/1/activate`, asAdmin, {}), 200);
    return key;
  }

  async function asked(policyKey: string, context: JsonObject = {}): Promise<JsonObject> {
    const payload = { policy_key: policyKey, artifact_type: "x", artifact_id: "1", context };
    return must(await call("POST", "/requests", asAdmin, payload), 201);
  }

  function assignees({ tasks }: JsonObject): readonly unknown[] {
    return Array.isArray(tasks) ? tasks.filter(isJsonObject).map(({ assignee }) => assignee) : [];
  }

  const role = (name: string): JsonObject => ({ rule_type: "role", rule_value: { role: name, client: "countersign" } });
  const user = (name: string): JsonObject => ({ rule_type: "user", rule_value: { user_id: name } });

  it("engine R-RESOLVE-11: a role of this installation finds who holds it now, in this organization", async () => {
    const ops = await signedInAs(at, root, { login: "olga", roles: ["ops"] });
    await signedInAs(at, root, { login: "otto", roles: ["ops", "viewer"] });
    await signedInAs(at, root, { login: "vera", roles: ["viewer"] });
    const key = await active([role("ops")]);
    expect(assignees(await asked(key))).toEqual(["olga", "otto"]);
    must(await root.put(`/people/${ops.personId}/roles`, { roles: ["viewer"] }, { fresh: true }), 200);
    expect(assignees(await asked(key))).toEqual(["otto"]);
  });

  it("engine R-DELEG-2: whoever is away is stood in for there too", async () => {
    await signedInAs(at, root, { login: "dora", roles: ["deployer"] });
    const body = {
      user_id: "dora",
      delegate_to: "stand-in",
      starts_at: "2020-01-01T00:00:00Z",
      ends_at: "2099-01-01T00:00:00Z",
    };
    must(await call("POST", "/delegations", asAdmin, body), 201);
    expect(assignees(await asked(await active([role("deployer")])))).toEqual(["stand-in"]);
  });

  it("engine R-RESOLVE-6: a role that nobody can hold here is a failed lookup, and stops an activation", async () => {
    for (const name of ["nonsense", "cicd", "platform_admin"]) {
      const key = await drafted([role(name)]);
      const answer = await call("POST", `/policies/${key}/versions/1/activate`, asAdmin, {});
      expect(outcomeOf(answer)).toBe("400 policy_invalid");
      expect(textAt(bodyOf(answer), "detail")).toBe(`stage 1: role '${name}' of client 'countersign' does not exist`);
    }
  });

  it("engine R-RESOLVE-11: a role that the local directory calls so finds nobody in its place", async () => {
    const headers = { ...asAdmin, "content-type": "application/json" };
    await at.server.inject({
      ...{ method: "PUT", url: "/v1/directory/roles/auditor?client=countersign", headers },
      payload: { members: ["mallory"] },
    });
    const made = await asked(await active([role("auditor"), user("ann")]));
    expect(assignees(made)).toEqual(["ann"]);
  });

  it("engine R-SOD-1, R-SOD-6: people whom the context names get no task and do not decide; unread paths are shown", async () => {
    const more = { forbidden_approvers: ["commit.authors", "target.owner"] };
    const key = await active(["ann", "ben", "cleo"].map(user), more);
    const made = await asked(key, { commit: { authors: ["BEN", "cleo"] } });
    expect(assignees(made)).toEqual(["ann"]);
    const id = textAt(made, "request_id");
    const explained = must(await call("GET", `/requests/${id}/explain`, asAdmin), 200);
    expect(explainSchema.parse(explained)).toEqual(explained);
    expect(explained).toMatchObject({
      forbidden_approvers: [
        { path: "commit.authors", found: true },
        { path: "target.owner", found: false },
      ],
      stages: [
        {
          excluded: [
            { user: "ben", reason: "forbidden", path: "commit.authors" },
            { user: "cleo", reason: "forbidden", path: "commit.authors" },
          ],
        },
      ],
    });
    const [task] = Array.isArray(made["tasks"]) ? made["tasks"].filter(isJsonObject) : [];
    const override = await call("POST", `/tasks/${textAt(task ?? {}, "id")}/decision`, as("ben", ["AWE_ADMIN"]), {
      ...{ action: "approve", digest: textAt(made, "digest") },
    });
    expect(outcomeOf(override)).toBe("403 separation_of_duties");
    const nobody = await asked(key, { commit: { authors: ["ann", "ben", "cleo"] } });
    expect(nobody).toMatchObject({ status: "rejected", tasks: [] });
  });
});
