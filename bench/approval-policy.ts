/** The policy of the workload W(N, S, A, C): S stages after one another, each with A named people who all have to approve. */
import type { JsonObject } from "../src/core/json.ts";

export interface Shape {
  readonly stages: number;
  readonly approvers: number;
}

export const ARTIFACT_TYPE = "payout.batch";

/** Every approver of a request is another person. */
export function approverName(stage: number, approver: number): string {
  return `bench-approver-${stage}-${approver}`;
}

export function approvalPolicy(key: string, { stages, approvers }: Shape): JsonObject {
  return {
    policy_key: key,
    name: `Benchmark ${key}`,
    description: null,
    artifact_type: ARTIFACT_TYPE,
    forbid_self_approval: false,
    forbid_repeat_approvers: false,
    stages: upTo(stages).map((stage) => ({
      name: `Stage ${stage}`,
      stage_order: stage,
      mode: "all",
      mode_value: null,
      sla_hours: null,
      skip_if: null,
      on_empty: "block",
      parallel_group: null,
      on_breach: null,
      escalation_rules: [],
      rules: upTo(approvers).map((approver) => ({
        rule_type: "user",
        rule_value: { user_id: approverName(stage, approver) },
        kind: "approver",
        required: false,
      })),
    })),
  };
}

/** Five small fields, another set for every request. */
export function smallContext(flow: number): JsonObject {
  return {
    amount: 1_000 + flow,
    currency: "EUR",
    cost_center: `cc-${flow % 17}`,
    urgent: flow % 5 === 0,
    note: `Batch ${flow} of the benchmark`,
  };
}

/** 1 to `last`. */
export function upTo(last: number): readonly number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}
