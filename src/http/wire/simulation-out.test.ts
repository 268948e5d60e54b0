import { describe, expect, it } from "vitest";
import type { StagePlan } from "../../core/evaluate-group.ts";
import type { Stage } from "../../core/policy.ts";
import { isId, type PolicyId } from "../../core/ids.ts";
import type { PolicyVersion } from "../../ports/change-set.ts";
import { policyOut } from "./policy-out.ts";
import { simulationOut } from "./simulation-out.ts";

const NOW = Date.UTC(2026, 10, 20);

const stage: Stage = {
  order: 1,
  name: "Board",
  mode: "any-n",
  modeValue: 2,
  minApprovals: 1,
  abstain: "neutral",
  reject: "veto",
  rules: [],
  skipIf: null,
  onEmpty: "block",
  parallelGroup: null,
  slaHours: 1,
  onBreach: "notify",
  escalationRules: [],
  escalationsMax: 1,
  allowDelegation: true,
  ...{ assurance: "session", rejectAssurance: "session", batch: true, minViewSeconds: null, requireView: false },
};

function policyId(): PolicyId {
  const id = "11111111-1111-4111-8111-111111111111";
  if (!isId<"policy">(id)) throw new Error("not an id");
  return id;
}

const version: PolicyVersion = {
  id: policyId(),
  orgId: "o",
  key: "k",
  version: 3,
  status: "draft",
  managed: false,
  document: {
    policy_key: "k",
    id: "forged",
    stages: [{ name: "Board", stage_order: 1, mode: "quorum", rules: [{}, {}], escalation_rules: [{}] }],
  },
  digest: "sha256:0",
  problems: [],
  createdBy: "ana",
  createdAt: NOW,
  updatedBy: null,
  updatedAt: NOW,
  activatedAt: null,
};

function simulated(plan: StagePlan): ReturnType<typeof simulationOut> {
  return simulationOut(version, { stages: [{ group: 1, plan }], outcome: "in_review" }, NOW);
}

describe("a simulation on the wire", () => {
  it("engine R-SIM-2: a skipped stage asks nobody and stands in nobody's way", () => {
    expect(simulated({ kind: "skip", stage, reason: "skip_if", excluded: [] })).toMatchObject({
      policy_version: 3,
      stages: [
        { mode: "quorum", skipped: true, skip_reason: "skip_if", resolved_approvers: [], feasible: true, due_at: null },
      ],
    });
  });

  it("engine R-SIM-2: a blocked stage names who was left out and why", () => {
    const excluded = [{ user: "ana", reason: "requester" }] as const;
    expect(simulated({ kind: "blocked", stage, excluded })).toMatchObject({
      stages: [{ skipped: false, feasible: false, excluded, needed: 0 }],
    });
  });

  it("engine R-SIM-2: approvers that cannot be looked up are a failure, not nobody", () => {
    const failure = { rule: "role: x", error: "no such role" };
    expect(simulated({ kind: "unresolved", stage, failure })).toEqual({
      refusal: "resolver_failed",
      message: "Resolver failed: no such role",
    });
  });
});

describe("a policy on the wire", () => {
  it("policies R-DOC-1: stages and rules have ids that stay the same, and the document cannot forge the version's", () => {
    const first = policyOut(version);
    expect(policyOut(version)).toEqual(first);
    expect(first["id"]).toBe(version.id);
    const ids =
      JSON.stringify(first).match(/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g) ?? [];
    // The version, the stage, two rules, and the stage again in its escalation rule's name.
    expect([ids.length, new Set(ids).size]).toEqual([5, 4]);
    expect(JSON.stringify(first)).toMatch(/"id":"esc-[0-9a-f-]{36}-0"/);
  });
});
