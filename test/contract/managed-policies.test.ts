/** Policies that come with the product: installed once, replaced when they differ, and nobody's to change. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { installManagedPolicies } from "../../src/app/install-managed-policies.ts";
import { policyCreateSchema, policyOutSchema } from "../../src/contract/policy.ts";
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { keepManagedPolicies } from "../../src/main/managed-policies.ts";
import { bodyOf, objectIn } from "../support/json-answer.ts";
import { must, outcomeOf, type BrowserAnswer } from "../support/signed-in.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { asAdmin, openServer, type TestServer } from "../support/test-server.ts";
import { verifyDatabase } from "../support/verify-database.ts";

function sample(key: string, change: JsonObject = {}): JsonObject {
  const rules = [{ rule_type: "role", rule_value: { role: "admin", client: "countersign" } }];
  const stages = [{ name: "Approval", stage_order: 1, mode: "any-n", mode_value: 1, assurance: "mfa", rules }];
  const document = { policy_key: key, name: "Sample", artifact_type: "sample", forbid_self_approval: true, stages };
  return policyCreateSchema.parse({ ...document, grant: { ttl_minutes: 15, uses: 1 }, ...change });
}

describeOnEveryPostgres("policies that come with the product", (database) => {
  let at: TestServer;
  beforeAll(async () => {
    at = await openServer(database.url);
  });
  afterAll(() => at.close());

  function call(
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
    url: string,
    payload?: object,
  ): Promise<BrowserAnswer> {
    const body = payload === undefined ? {} : { payload };
    return at.server.inject({ method, url: `/v1/policies${url}`, headers: asAdmin, ...body });
  }

  async function versions(key: string): Promise<readonly (readonly unknown[])[]> {
    const answer: unknown = (await call("GET", `/${key}/versions`)).json();
    const list = Array.isArray(answer) ? answer.filter(isJsonObject) : [];
    return list.map(({ version, status }) => [version, status]);
  }

  async function entries(key: string): Promise<readonly JsonObject[]> {
    const sql = "select text from ledger_entries where kind like 'policy.%' order by seq";
    const { rows } = await at.pool.query<{ text: string }>(sql);
    const all = rows.map(({ text }) => objectIn(text));
    return all.filter(({ data }) => isJsonObject(data) && data["key"] === key);
  }

  it("engine R-POLICY-10: is installed once, and a new version replaces it only when it differs", async () => {
    const outcome = async (document: JsonObject): Promise<unknown> =>
      (await installManagedPolicies(at.app, [document])).map((each) => each.outcome);
    expect(await outcome(sample("kept"))).toEqual(["installed"]);
    expect(await outcome(sample("kept"))).toEqual(["unchanged"]);
    expect(await outcome(sample("kept", { name: "Renamed" }))).toEqual(["installed"]);
    expect(await outcome(sample("kept", { name: "Renamed" }))).toEqual(["unchanged"]);
    expect(await versions("kept")).toEqual([
      [2, "active"],
      [1, "archived"],
    ]);
    const told = await entries("kept");
    expect(told).toMatchObject([
      { kind: "policy.drafted", actor: "sys_engine", data: { version: 1 } },
      { kind: "policy.activated", actor: "sys_engine", data: { version: 1, replaced: null } },
      { kind: "policy.drafted", actor: "sys_engine", data: { version: 2 } },
      { kind: "policy.activated", actor: "sys_engine", data: { version: 2, replaced: 1 } },
    ]);
    expect(await verifyDatabase(database.url)).toEqual([]);
  });

  it("engine R-POLICY-10: is listed, read and copied, and nobody edits, archives or deletes it", async () => {
    await installManagedPolicies(at.app, [sample("standing")]);
    const shown = bodyOf(await call("GET", "/standing/versions/1"));
    expect(policyOutSchema.parse(shown)).toEqual(shown);
    expect(shown).toMatchObject({ managed: true, status: "active", created_by: "countersign" });
    const attempts = [
      await call("PUT", "/standing", sample("standing", { name: "Mine" })),
      await call("POST", "/standing/versions/1/deactivate", {}),
      await call("PATCH", "/standing/versions/1", sample("standing", { name: "Mine" })),
      await call("DELETE", "/standing/versions/1"),
      await call("POST", "", sample("standing", { name: "Mine" })),
    ];
    expect(attempts.map(outcomeOf)).toEqual([
      ...["409 wrong_state", "409 wrong_state", "409 wrong_state", "409 wrong_state", "409 policy_exists"],
    ]);
    const [first] = attempts.map(bodyOf);
    expect(first).toMatchObject({
      detail: "Policy 'standing' is part of the product: copy it under another key to change it",
    });
    expect(await versions("standing")).toEqual([[1, "active"]]);
    must(await call("POST", "", { ...shown, policy_key: "copied" }), 201);
    must(await call("POST", "/copied/versions/1/activate", {}), 200);
    expect(bodyOf(await call("GET", "/copied/versions/1"))).toMatchObject({ managed: false });
  });

  it("engine R-POLICY-10: an archived version of it stays archived", async () => {
    await installManagedPolicies(at.app, [sample("moved"), sample("beside")]);
    await installManagedPolicies(at.app, [sample("moved", { name: "Second" })]);
    expect(outcomeOf(await call("POST", "/moved/versions/1/activate", {}))).toBe("409 wrong_state");
    expect(outcomeOf(await call("POST", "/moved/versions/2/activate", {}))).toBe("200");
  });

  it("engine R-POLICY-10: a line that the organization has itself is never touched, and the operator is told", async () => {
    must(await call("POST", "", sample("own", { name: "Ours" })), 201);
    const warnings: unknown[] = [];
    const log = { warn: (about: unknown) => warnings.push(about) };
    await keepManagedPolicies(at.app, log, [sample("own"), sample("new")]);
    expect(warnings).toEqual([{ organization: at.app.orgId, policy: "own" }]);
    expect(await versions("own")).toEqual([[1, "draft"]]);
    expect(await versions("new")).toEqual([[1, "active"]]);
  });

  it("engine R-POLICY-10: what could not be activated is not installed", async () => {
    const broken = sample("broken", { stages: [] });
    await expect(installManagedPolicies(at.app, [sample("beside-it"), broken])).rejects.toThrow("cannot be activated");
    expect(await versions("beside-it")).toEqual([]);
  });
});
