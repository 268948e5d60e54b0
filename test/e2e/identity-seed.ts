import { isRecord } from "./console-server.ts";
import type { Visit } from "./identity-visit.ts";

/** One policy for each strength of proof; whoever is named decides. */
export interface SeededPolicy {
  readonly key: string;
  readonly assurance: "session" | "mfa" | "signed";
  readonly approver: string;
  readonly batch?: boolean;
}

/** Made and activated by an administrator whose passkey proves it. */
export async function seedPolicies(admin: Visit, policies: readonly SeededPolicy[]): Promise<void> {
  for (const { key, assurance, approver, batch } of policies) {
    const rules = [{ rule_type: "user", rule_value: { user_id: approver } }];
    const stage = { name: "Release managers", stage_order: 1, mode: "any-n", mode_value: 1, assurance, rules };
    await admin.api("POST /policies", {
      policy_key: key,
      name: `Release, ${assurance}`,
      artifact_type: "release",
      forbid_self_approval: true,
      stages: [batch === undefined ? stage : { ...stage, batch }],
    });
    await admin.api(`POST /policies/${key}/versions/1/activate`, {}, "fresh");
  }
}

export interface AskedRelease {
  readonly id: string;
  readonly taskId: string;
  readonly artifactId: string;
}

let asked = 0;

export async function askRelease(requester: Visit, policyKey: string): Promise<AskedRelease> {
  asked += 1;
  const artifactId = `build-${String(asked)}`;
  const created = await requester.api("POST /requests", {
    policy_key: policyKey,
    artifact_type: "release",
    artifact_id: artifactId,
    context: { commit: "4b825dc", target: "production", reason: "Fix invoice rounding" },
  });
  if (!isRecord(created)) throw new Error("The created request is no object");
  const tasks: readonly unknown[] = Array.isArray(created["tasks"]) ? created["tasks"] : [];
  const task = tasks.find(isRecord);
  return { id: String(created["request_id"]), taskId: String(task?.["id"]), artifactId };
}

export async function statusOf(visitor: Visit, id: string): Promise<unknown> {
  const request = await visitor.api(`GET /requests/${id}`);
  return isRecord(request) ? request["status"] : undefined;
}

/** How the decisions on a request were proven. */
export async function proofsOf(visitor: Visit, id: string): Promise<readonly unknown[]> {
  const decisions = await visitor.api(`GET /requests/${id}/decisions`);
  const list: readonly unknown[] = Array.isArray(decisions) ? decisions : [];
  return list.filter(isRecord).map(({ action, assurance, method }) => ({ action, assurance, method }));
}
