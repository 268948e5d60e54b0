/** What a policy would do with a context, stage by stage, writing nothing. Implements docs/spec/engine.md R-SIM-1 to 4. */
import { evaluateGroup, type Question, type StagePlan } from "./evaluate-group.ts";
import type { Facts } from "./facts.ts";
import { stageGroups } from "./groups.ts";
import type { JsonObject } from "./json.ts";
import type { Instant } from "./person.ts";
import type { Policy } from "./policy.ts";
import type { Creator, PolicyPin } from "./request.ts";

export interface SimulationInput {
  readonly pin: PolicyPin;
  readonly context: JsonObject;
  /** Null: nobody in particular asks, so nobody is barred as requester. */
  readonly requester: string | null;
}

export interface SimulatedStage {
  readonly group: number;
  readonly plan: StagePlan;
}

export interface Simulation {
  readonly stages: readonly SimulatedStage[];
  /** How the request would begin: what its creation would answer if every approver of a started stage approved. */
  readonly outcome: "in_review" | "approved" | "rejected" | "pending";
}

const NOBODY: Creator = {
  ...{ issuer: "", subject: "", clientId: null, assignee: "", personId: null, machine: true },
  standsFor: [],
};

/** The request that nobody made yet. */
export function nobodysQuestion(policy: Policy, input: SimulationInput): Question {
  return {
    requester: input.requester ?? "",
    creator: NOBODY,
    stages: [],
    artifactType: policy.artifactType,
    artifactId: "",
    policy: input.pin,
    revision: 1,
    context: input.context,
  };
}

export function simulate(
  policy: Policy,
  question: Question,
  at: { readonly facts: Facts; readonly now: Instant },
): Simulation {
  const stages = stageGroups(policy).flatMap((group, index) =>
    evaluateGroup(policy, question, group, at).map((plan) => ({ group: index + 1, plan })),
  );
  return { stages, outcome: outcomeOf(stages) };
}

/** Groups are looked at in order: the first one that does not simply pass decides. */
function outcomeOf(stages: readonly SimulatedStage[]): Simulation["outcome"] {
  for (const { plan, group } of stages) {
    if (plan.kind === "skip") continue;
    const kinds = new Set(stages.filter((stage) => stage.group === group).map((stage) => stage.plan.kind));
    if (kinds.has("unresolved")) return "pending";
    return kinds.has("blocked") || kinds.has("infeasible") ? "rejected" : "in_review";
  }
  return "approved";
}
