/** From policy to approved over HTTP, on a real database. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, openServer, type TestServer } from "../support/test-server.ts";

describeOnEveryPostgres("the generic API", (database) => {
  let at: TestServer;
  beforeAll(async () => {
    at = await openServer(database.url);
  });
  afterAll(() => at.close());

  it("api R-API-1: the smoke test of AWE's own guide ends in approved", async () => {
    const call = async (method: "GET" | "POST", url: string, headers: object, payload?: object) => {
      const answer = await at.server.inject({ method, url, headers: { ...headers }, ...(payload === undefined ? {} : { payload }) });
      console.log(method, url, answer.statusCode, answer.body.slice(0, 600));
      return answer.json();
    };
    await call("POST", "/v1/awe/policies", asAdmin, {
      policy_key: "demo.v1", name: "Demo", artifact_type: "demo.artifact",
      stages: [{ name: "Demo stage", stage_order: 1, mode: "any-n", mode_value: 1, rules: [{ rule_type: "user", rule_value: { user_id: "u-alice" } }] }],
    });
    await call("POST", "/v1/awe/policies/demo.v1/versions/1/activate", asAdmin);
    const made = await call("POST", "/v1/awe/requests", asAdmin, { policy_key: "demo.v1", artifact_type: "demo.artifact", artifact_id: "demo-1", context: {} });
    for (const path of ["requests", `requests/${made.request_id}`, `requests/${made.request_id}/explain`, `requests/${made.request_id}/events`, "tasks?assignee=*", "tasks/stats", "policies", "delegations", "directory/users", "admin/audit", "health", "nothing"]) await call("GET", `/v1/awe/${path}`, asAdmin);
    await call("GET", "/v1/inbox", as("u-alice"));
    await call("GET", "/v1/me", as("u-alice"));
    await call("GET", "/v1/nothing", as("u-alice"));
    await call("POST", "/v1/requests", as("u-alice"), {policy_key: 3});
    await call("POST", `/v1/awe/tasks/${made.tasks[0].id}/decision`, asAdmin, { action: "approve" });
    const request = await call("GET", `/v1/awe/requests/${made.request_id}`, asAdmin);
    expect(request.status).toBe("approved");
    const openapi = await at.server.inject("/v1/awe/openapi.json");
    console.log(openapi.body.length, openapi.statusCode, openapi.body.slice(0, 500));
  });
});
