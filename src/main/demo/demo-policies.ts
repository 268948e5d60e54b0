/** The policies of the demonstration: three that read like somebody's, each showing something else. */
import type { JsonObject } from "../../core/json.ts";

const user = (name: string, kind = "approver"): JsonObject => ({
  rule_type: "user",
  rule_value: { user_id: name },
  kind,
});
const role = (name: string, required = false): JsonObject => ({
  rule_type: "role",
  rule_value: { role: name },
  kind: "approver",
  required,
});
const group = (path: string): JsonObject => ({ rule_type: "group", rule_value: { group: path }, kind: "approver" });

export const demoPolicies: readonly JsonObject[] = [
  {
    policy_key: "payout.large",
    name: "Large payout",
    description: "Two of the finance team, then the head of finance for more than 10,000.",
    artifact_type: "payout.batch",
    forbid_self_approval: true,
    forbid_repeat_approvers: true,
    stages: [
      { name: "Finance", stage_order: 1, mode: "any-n", mode_value: 2, sla_hours: 24, rules: [group("/finance")] },
      {
        ...{ name: "Head of finance", stage_order: 2, mode: "all", sla_hours: 48 },
        skip_if: { "<=": [{ var: "amount" }, 10_000] },
        rules: [role("finance_head", true), user("mei", "observer")],
      },
    ],
  },
  {
    policy_key: "deploy.production",
    name: "Deploy to production",
    description: "Somebody of operations and somebody of security, at the same time; never the one who asked.",
    artifact_type: "deploy.release",
    forbid_self_approval: true,
    stages: [
      {
        name: "Operations",
        stage_order: 1,
        parallel_group: 1,
        mode: "any-n",
        mode_value: 1,
        rules: [group("/operations")],
      },
      {
        name: "Security",
        stage_order: 2,
        parallel_group: 1,
        mode: "any-n",
        mode_value: 1,
        rules: [role("security_reviewer")],
      },
    ],
  },
  {
    policy_key: "access.database",
    name: "Access to customer data",
    description: "The data owner decides; without an answer within eight hours it is refused.",
    artifact_type: "access.grant",
    forbid_self_approval: true,
    request_ttl_hours: 72,
    stages: [
      {
        name: "Data owner",
        stage_order: 1,
        mode: "all",
        sla_hours: 8,
        on_breach: "auto_reject",
        rules: [role("data_owner")],
      },
    ],
  },
];

export interface DemoRequest {
  readonly by: string;
  readonly policyKey: string;
  readonly artifactType: string;
  readonly artifactId: string;
  readonly context: JsonObject;
}

export const demoRequests: readonly DemoRequest[] = [
  {
    ...{ by: "devon", policyKey: "payout.large", artifactType: "payout.batch", artifactId: "batch-2041" },
    context: { record_name: "Supplier payments, week 47", amount: 48_250, currency: "EUR", payments: 37 },
  },
  {
    ...{ by: "ana", policyKey: "deploy.production", artifactType: "deploy.release", artifactId: "checkout-1.18.0" },
    context: {
      record_name: "checkout 1.18.0",
      commit: "8f2c1d9",
      changes: "Retry card payments once; new tax table for 2027",
      migration: false,
    },
  },
  {
    ...{ by: "ben", policyKey: "access.database", artifactType: "access.grant", artifactId: "access-311" },
    context: { record_name: "Read access to the orders replica", hours: 4, reason: "Investigating refund 77-1204" },
  },
];

export const demoDirectory: readonly { kind: "role" | "group"; name: string; members: readonly string[] }[] = [
  { kind: "group", name: "/finance", members: ["ana", "ben", "chloe"] },
  { kind: "group", name: "/operations", members: ["ben", "devon"] },
  { kind: "role", name: "finance_head", members: ["chloe"] },
  { kind: "role", name: "security_reviewer", members: ["chloe", "devon"] },
  { kind: "role", name: "data_owner", members: ["ana"] },
];
