/** From policy to approved over HTTP, on a real database; every answer has exactly the members that the contract names. */
import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { auditOutSchema } from "../../src/contract/audit.ts";
import { decisionOutSchema } from "../../src/contract/decisions.ts";
import { delegationOutSchema } from "../../src/contract/delegations.ts";
import { groupOutSchema, roleOutSchema, userOutSchema } from "../../src/contract/directory.ts";
import { explainSchema } from "../../src/contract/explain.ts";
import { meSchema } from "../../src/contract/identity.ts";
import { inboxItemSchema, inboxSchema } from "../../src/contract/inbox.ts";
import { policyOutSchema, policyVersionSummarySchema, simulateResponseSchema } from "../../src/contract/policy.ts";
import { createRequestOutSchema, requestEventSchema, requestOutSchema } from "../../src/contract/requests.ts";
import { configSchema, healthSchema, versionSchema } from "../../src/contract/service.ts";
import { reassignedTaskSchema, taskOutSchema, taskPageSchema, taskStatsSchema } from "../../src/contract/tasks.ts";
import { bodyOf } from "../support/json-answer.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";
import { as, asAdmin, openServer, type TestServer } from "../support/test-server.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

interface Page {
  readonly body: string;
  readonly headers: { readonly link?: string | string[] | undefined };
}

interface Sent {
  readonly headers?: object;
  readonly payload?: object;
  readonly status?: number;
}

const POLICY = {
  policy_key: "demo.v1",
  name: "Demo approval",
  artifact_type: "demo.artifact",
  stages: [
    {
      name: "Demo stage",
      stage_order: 1,
      mode: "any-n",
      mode_value: 1,
      rules: [{ rule_type: "user", rule_value: { user_id: "u-alice" } }],
    },
  ],
};
/** In force before any test: the tests come in any order. */
const STANDING = { ...POLICY, policy_key: "standing" };
const REQUEST = { policy_key: "standing", artifact_type: "demo.artifact", artifact_id: "demo-1", context: {} };

describeOnEveryPostgres("the generic API", (database) => {
  let at: TestServer;
  beforeAll(async () => {
    at = await openServer(database.url);
    await call(policyOutSchema, "POST", "/v1/policies", { payload: STANDING });
    await call(policyOutSchema, "POST", "/v1/policies/standing/versions/1/activate", { status: 200 });
  });
  afterAll(() => at.close());

  /** The answer, which must be of this very shape: no member less, none more. */
  async function call<Schema extends z.ZodType>(
    schema: Schema,
    method: Method,
    url: string,
    { headers = asAdmin, payload, status = method === "GET" ? 200 : 201 }: Sent = {},
  ): Promise<z.output<Schema>> {
    const answer = await at.server.inject({
      method,
      url,
      headers: { ...headers },
      ...(payload === undefined ? {} : { payload }),
    });
    expect([url, answer.statusCode, answer.statusCode === status ? "" : answer.body]).toEqual([url, status, ""]);
    const body: unknown = answer.json();
    const read = schema.parse(body);
    expect(read).toEqual(body);
    return read;
  }

  it("engine R-STAGE-6: whoever reads a request can recompute the digest that decisions are bound to", async () => {
    const context = { z: [1, { b: "ü", a: null }], amount: 12.5 };
    const made = await call(createRequestOutSchema, "POST", "/v1/requests", { payload: { ...REQUEST, context } });
    const read = await call(requestOutSchema, "GET", `/v1/requests/${made.request_id}`);
    const { salt, policy_digest, artifact_type, artifact_id, requester, revision } = read;
    const payload = {
      v: 1,
      gate: "generic",
      salt,
      policy_digest,
      artifact_type,
      artifact_id,
      requester,
      revision,
      context,
    };
    const digest = createHash("sha256")
      .update(canonicalize(payload) ?? "")
      .digest("hex");
    expect(read.digest).toBe(`sha256:${digest}`);
    expect(made.digest).toBe(read.digest);
  });

  async function ask(artifact: string, requester: string): Promise<z.output<typeof createRequestOutSchema>> {
    const payload = { ...REQUEST, artifact_id: artifact };
    return call(createRequestOutSchema, "POST", "/v1/requests", { headers: as(requester), payload });
  }

  it("engine R-API-1: the five commands of AWE's guide end in approved", async () => {
    const draft = await call(policyOutSchema, "POST", "/v1/awe/policies", { payload: POLICY });
    expect(draft).toMatchObject({ version: 1, status: "draft", policy_key: "demo.v1", created_by: "admin" });
    const active = await call(policyOutSchema, "POST", "/v1/awe/policies/demo.v1/versions/1/activate", { status: 200 });
    expect(active).toMatchObject({ status: "active", activated_at: active.updated_at });
    const made = await call(createRequestOutSchema, "POST", "/v1/awe/requests", {
      payload: { ...REQUEST, policy_key: "demo.v1" },
    });
    expect(made).toMatchObject({
      status: "in_review",
      tasks: [{ assignee: "u-alice", status: "open", artifact_id: "demo-1" }],
    });
    const url = `/v1/awe/tasks/${String(made.tasks[0]?.id)}/decision`;
    const decision = await call(decisionOutSchema, "POST", url, { payload: { action: "approve" } });
    expect(decision).toMatchObject({
      override: true,
      on_behalf_of: "u-alice",
      actor_id: "admin",
      request_status: "approved",
    });
    const request = await call(requestOutSchema, "GET", `/v1/awe/requests/${made.request_id}`);
    expect(request).toMatchObject({ status: "approved", source_service: "sub-admin", requester: "admin" });
  });

  it("engine R-API-2: lists and reads answer exactly what the contract names", async () => {
    const made = await ask("reads", "rita");
    const { request_id: id } = made;
    const taskId = String(made.tasks[0]?.id);
    expect(
      (await call(z.array(requestOutSchema), "GET", "/v1/requests?q=reads", { headers: as("rita") })).map(
        (one) => one.id,
      ),
    ).toEqual([id]);
    await call(z.array(requestEventSchema), "GET", `/v1/requests/${id}/events`);
    expect(await call(explainSchema, "GET", `/v1/requests/${id}/explain`, { headers: as("u-alice") })).toMatchObject({
      you: { can_decide: true, task_id: taskId, actions: ["approve", "reject", "abstain"] },
      next: { kind: "decision", who: ["u-alice"] },
    });
    expect(await call(taskOutSchema, "GET", `/v1/tasks/${taskId}`, { headers: as("u-alice") })).toMatchObject({
      search_text: "reads",
    });
    const page = await call(taskPageSchema, "GET", `/v1/tasks?request_id=${id}`, { headers: as("u-alice") });
    expect(page).toMatchObject({ total: 1, page: 1, page_size: 25, pages: 1, items: [{ id: taskId }] });
    await call(taskStatsSchema, "GET", "/v1/tasks/stats?status=open", { headers: as("u-alice") });
    const inbox = await call(inboxSchema, "GET", "/v1/inbox?q=reads", { headers: as("u-alice") });
    expect(inbox.items.map((item) => inboxItemSchema.strict().parse(item).task_id)).toEqual([taskId]);
    await call(z.array(policyOutSchema), "GET", "/v1/policies?status=active");
    await call(z.array(policyVersionSummarySchema), "GET", "/v1/policies/standing/versions");
    await call(z.array(auditOutSchema), "GET", "/v1/admin/audit?action=policy.create");
    await call(z.array(userOutSchema), "GET", "/v1/directory/users");
    await call(meSchema, "GET", "/v1/me", { headers: as("u-alice") });
    for (const [schema, url] of [
      [healthSchema, "health"],
      [versionSchema, "version"],
      [configSchema, "config"],
    ] as const) {
      await call(schema, "GET", `/v1/awe/${url}`);
    }
  });

  it("engine R-API-2: every act answers what it changed", async () => {
    const made = await ask("acts", "rita");
    const taskUrl = `/v1/tasks/${String(made.tasks[0]?.id)}`;
    const asAlice = { headers: as("u-alice"), status: 200 };
    expect(await call(taskOutSchema, "POST", `${taskUrl}/claim`, asAlice)).toMatchObject({ status: "claimed" });
    expect(await call(taskOutSchema, "POST", `${taskUrl}/release`, asAlice)).toMatchObject({
      status: "open",
      claimed_at: null,
    });
    const payload = { new_assignee: "ben", reason: "away" };
    const moved = await call(reassignedTaskSchema, "POST", `${taskUrl}/reassign`, { payload, status: 200 });
    expect(moved).toMatchObject({ assignee: "ben", reassigned_from: "u-alice", status: "open" });
    const cancelled = await call(requestOutSchema, "POST", `/v1/requests/${made.request_id}/cancel`, {
      headers: as("rita"),
      payload: { reason: "not needed" },
      status: 200,
    });
    expect(cancelled).toMatchObject({ status: "cancelled", outcome: { comment: "not needed" } });
    await call(z.array(decisionOutSchema), "GET", `/v1/requests/${made.request_id}/decisions`);
  });

  it("engine R-API-2: the directory and delegations answer what was written", async () => {
    const payload = { members: ["ben", "u-alice"] };
    const role = await call(roleOutSchema, "PUT", "/v1/directory/roles/approver?client=portal", {
      payload,
      status: 200,
    });
    expect(role).toMatchObject({ name: "approver", client: "portal", members: ["ben", "u-alice"] });
    expect(await call(z.array(roleOutSchema), "GET", "/v1/directory/roles?q=approver")).toEqual([role]);
    const group = await call(groupOutSchema, "PUT", "/v1/directory/groups?path=%2Fstaff%2Fleads", {
      payload,
      status: 200,
    });
    expect(group).toMatchObject({ path: "/staff/leads", name: "leads" });
    expect(await call(z.array(groupOutSchema), "GET", "/v1/directory/groups")).toEqual([group]);
    const window = { starts_at: "2090-01-01T00:00:00Z", ends_at: "2090-01-02T00:00:00+00:00" };
    const delegation = await call(delegationOutSchema, "POST", "/v1/delegations", {
      headers: as("ben"),
      payload: { delegate_to: "u-alice", ...window },
    });
    expect(delegation).toMatchObject({ user_id: "ben", active: false, starts_at: "2090-01-01T00:00:00.000000Z" });
    expect(await call(z.array(delegationOutSchema), "GET", "/v1/delegations", { headers: as("ben") })).toEqual([
      delegation,
    ]);
  });

  it("engine R-API-10: following the Link header visits every item exactly once, whatever is inserted meanwhile", async () => {
    const made = [];
    for (let count = 0; count < 7; count += 1) made.push((await ask(`page-${String(count)}`, "paul")).request_id);
    const seen: string[] = [];
    let next: string | undefined = "/v1/awe/requests?limit=2";
    while (next !== undefined) {
      const answer: Page = await at.server.inject({ url: next, headers: as("paul") });
      for (const { id } of z.array(requestOutSchema).parse(JSON.parse(answer.body))) seen.push(id);
      next = /^<([^>]+)>; rel="next"$/.exec(String(answer.headers.link ?? ""))?.[1];
      await ask("inserted", "paul");
    }
    expect(seen).toEqual(made.reverse());
  });

  it("engine R-SIM-1: trying a version out writes nothing and says who would be asked", async () => {
    const before = await at.app.reader.position();
    const payload = { context: { amount: 5 }, requester: "rita", at: "2030-01-01T00:00:00" };
    const simulated = await call(simulateResponseSchema, "POST", "/v1/policies/standing/versions/1/simulate", {
      payload,
      status: 200,
    });
    expect(simulated).toMatchObject({
      outcome: "in_review",
      stages: [{ resolved_approvers: ["u-alice"], needed: 1, feasible: true }],
    });
    expect(await at.app.reader.position()).toBe(before);
  });

  it("engine R-POLICY-1: a draft is replaced only by whoever saw it as it is", async () => {
    const draft = await call(policyOutSchema, "PUT", "/v1/policies/standing", {
      payload: { ...STANDING, name: "Second" },
    });
    const url = `/v1/policies/standing/versions/${String(draft.version)}`;
    const edit = (digest: string): Sent => ({
      headers: { ...asAdmin, "if-match": digest },
      payload: { ...STANDING, name: "Third" },
    });
    await call(policyOutSchema, "PATCH", url, { ...edit(`"${draft.digest}"`), status: 200 });
    const stale = await at.server.inject({
      method: "PATCH",
      url,
      headers: { ...asAdmin, "if-match": draft.digest },
      payload: STANDING,
    });
    expect([stale.statusCode, bodyOf(stale)["code"]]).toEqual([412, "precondition_failed"]);
    const deleted = await at.server.inject({ method: "DELETE", url, headers: asAdmin });
    expect([deleted.statusCode, deleted.body]).toEqual([204, ""]);
  });

  it("engine R-POLICY-8: what was read can be written again as it is", async () => {
    const [read] = await call(z.array(policyOutSchema), "GET", "/v1/policies?q=standing");
    const again = await call(policyOutSchema, "PUT", "/v1/policies/standing", { payload: read ?? {} });
    expect(again.digest).toBe(read?.digest);
  });

  it("engine R-API-14: a decision of a kind that is not known here is refused, and so is a proof that is none", async () => {
    const { tasks } = await ask("strong", "rita");
    const url = `/v1/tasks/${String(tasks[0]?.id)}/decision`;
    for (const [payload, status] of [
      [{ action: "request_changes" }, 422],
      [{ action: "approve", proof: "123456" }, 400],
      [{ action: "approve", signature: {} }, 422],
    ] as const) {
      const answer = await at.server.inject({ method: "POST", url, headers: as("u-alice"), payload });
      expect([payload, answer.statusCode]).toEqual([payload, status]);
    }
  });
});
