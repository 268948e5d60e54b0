import { afterEach, beforeEach, expect, it } from "vitest";
import { activatePolicy } from "../../src/app/activate-policy.ts";
import { createPolicy } from "../../src/app/create-policy.ts";
import { createRequest } from "../../src/app/create-request.ts";
import { decideTask } from "../../src/app/decide-task.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { Actor } from "../../src/app/admitted-actor.ts";
import { isRefusal } from "../../src/core/refusal.ts";
import type { Request } from "../../src/core/request.ts";
import { everyRecord } from "../support/every-record.ts";
import { describeOnEveryPostgres, type TestDatabase } from "../support/test-database.ts";
import { initialize, openApplication, type TestApplication } from "../support/test-application.ts";
import { verifyDatabase } from "../support/verify-database.ts";
import { NO_CHANGE } from "../../src/app/no-change.ts";

describeOnEveryPostgres("the command store", (database) => {
  let test: TestApplication;
  let fresh: TestDatabase;

  beforeEach(async () => {
    fresh = await database.fresh();
    test = openApplication(fresh.url, { orgId: await initialize(fresh.url) });
  });
  afterEach(() => test.close());

  it("engine R-STAGE-2: takes a request from policy to approved, every step in a ledger that verifies", async () => {
    const admin = await test.admin();
    await activate(admin, policy("payout.v1", ["alice", "bob"]));
    const request = await ask(admin, "payout.v1");
    expect(request.status).toBe("in_review");
    const after = await approve("alice", request);
    expect(after.status).toBe("in_review");
    expect((await approve("bob", after)).status).toBe("approved");
    expect(await verifyDatabase(fresh.url)).toEqual([]);
  });

  it("harms no other command of a batch when one is poisoned in its own code", async () => {
    const admin = await test.admin();
    await activate(admin, policy("payout.v1", ["alice"]));
    const poison = test.app.store.submit({
      name: "poison",
      needs: {},
      carryOut: () => {
        throw new Error("poison");
      },
    });
    const others = [1, 2, 3].map(() => ask(admin, "payout.v1"));
    await expect(poison).rejects.toThrow("poison");
    for (const other of await Promise.all(others)) expect(other.status).toBe("in_review");
    expect(await verifyDatabase(fresh.url)).toEqual([]);
  });

  it("harms no other command of a batch when the database refuses the rows of one", async () => {
    const admin = await test.admin();
    await activate(admin, policy("payout.v1", ["alice"]));
    const good = ask(admin, "payout.v1");
    const bad = test.app.store.submit({
      name: "poison_rows",
      needs: {},
      carryOut: (world) => {
        const nowhere = "00000000-0000-4000-8000-000000000000";
        const { session } = everyRecord(nowhere, world.newId<"person">(), world.now);
        const entry = {
          draft: {
            org: null,
            kind: "system.upgraded",
            actor: "sys_server",
            credential: null,
            resource: null,
            request: null,
            data: {},
          },
          openings: [],
        };
        return { answer: null, changes: { entries: [entry], records: { session: [session] } } };
      },
    });
    const late = [1, 2, 3].map(() => ask(admin, "payout.v1"));
    await expect(bad).rejects.toThrow(/foreign key|violates/);
    for (const request of await Promise.all([good, ...late])) expect(request.status).toBe("in_review");
    expect(await verifyDatabase(fresh.url)).toEqual([]);
  });

  it("engine R-SOD-3: somebody named as requester by another case or by address is no candidate", async () => {
    const admin = await test.admin();
    await test.person("alice");
    await activate(admin, { ...policy("self.v1", ["alice", "bob"]), forbid_self_approval: true });
    for (const requester of ["ALICE", "Alice@Example.com"]) {
      const request = await ask(admin, "self.v1", requester);
      expect(request.stages.flatMap((run) => run.tasks).map((task) => task.assignee)).toEqual(["bob"]);
    }
  });

  it("writes nothing for a command that changes nothing", async () => {
    const before = await test.app.reader.position();
    await test.app.store.submit({ name: "look", needs: {}, carryOut: () => ({ answer: null, changes: NO_CHANGE }) });
    expect(await test.app.reader.position()).toBe(before);
  });

  async function activate(admin: Actor, document: JsonObject & { readonly policy_key: string }): Promise<void> {
    const made = await createPolicy(test.app, admin, document, null);
    expect(made).toMatchObject({ status: "draft", version: 1 });
    const active = await activatePolicy(test.app, admin, { key: document.policy_key, version: 1 }, null);
    expect(active).toMatchObject({ status: "active" });
  }

  async function ask(actor: Actor, policyKey: string, requester: string | null = null): Promise<Request> {
    const input = {
      policyKey,
      artifactType: "payout",
      artifactId: "p-1",
      context: { amount: 5 },
      requester,
      expiresInHours: null,
    };
    const answer = await createRequest(test.app, actor, input, null);
    if (!("stages" in answer)) throw new Error(JSON.stringify(answer));
    return answer;
  }

  async function approve(name: string, request: Request): Promise<Request> {
    const task = request.stages.flatMap((run) => run.tasks).find((candidate) => candidate.assignee === name);
    if (task === undefined) throw new Error(`${name} has no task`);
    const input = {
      taskId: task.id,
      action: "approve",
      comment: null,
      attachmentsRef: null,
      reasonCode: null,
      digest: null,
    } as const;
    const answer = await decideTask(test.app, await test.person(name), input, null);
    if (isRefusal(answer) || !("request" in answer)) throw new Error(JSON.stringify(answer));
    return answer.request;
  }
});

function policy(key: string, names: readonly string[]): JsonObject & { readonly policy_key: string } {
  return {
    policy_key: key,
    name: key,
    description: null,
    artifact_type: "payout",
    forbid_self_approval: false,
    forbid_repeat_approvers: false,
    stages: [
      {
        name: "First",
        stage_order: 1,
        mode: "all",
        mode_value: null,
        sla_hours: null,
        skip_if: null,
        on_empty: "block",
        parallel_group: null,
        on_breach: null,
        escalation_rules: [],
        rules: names.map((name) => ({
          rule_type: "user",
          rule_value: { user_id: name },
          kind: "approver",
          required: false,
        })),
      },
    ],
  };
}
