/** What a policy would do, as the wire shows it (engine R-SIM-2, R-SIM-3). */
import type { StagePlan, StartPlan } from "../../core/evaluate-group.ts";
import { isJsonObject } from "../../core/json.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { SimulatedStage, Simulation } from "../../core/simulate.ts";
import type { SimulateResponse } from "../../contract/policy.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { PolicyVersion } from "../../ports/change-set.ts";

type StageOut = SimulateResponse["stages"][number];

const HOUR_MS = 3_600_000;

/** `now` is the instant that the simulation was asked for. */
export function simulationOut(version: PolicyVersion, simulation: Simulation, now: number): SimulateResponse | Refusal {
  for (const { plan } of simulation.stages) {
    if (plan.kind === "unresolved") return refuse("resolver_failed", `Resolver failed: ${plan.failure.error}`);
  }
  return {
    policy_id: version.id,
    policy_version: version.version,
    stages: simulation.stages.map((stage) => stageOut(version, stage, now)),
    outcome: simulation.outcome,
    valid_context: true,
  };
}

function stageOut(version: PolicyVersion, { plan, group }: SimulatedStage, now: number): StageOut {
  const { stage } = plan;
  return {
    stage_order: stage.order,
    name: stage.name,
    mode: writtenMode(version, stage.order) ?? stage.mode,
    mode_value: stage.modeValue,
    skipped: plan.kind === "skip",
    skip_reason: plan.kind === "skip" ? plan.reason : null,
    excluded: excludedOf(plan),
    group,
    ...seatedPart(plan, now),
  };
}

type SeatedPart = Pick<
  StageOut,
  "resolved_approvers" | "observers" | "required" | "delegations" | "needed" | "feasible" | "due_at"
>;

const NOBODY: SeatedPart = {
  resolved_approvers: [],
  observers: [],
  required: [],
  delegations: [],
  needed: 0,
  feasible: false,
  due_at: null,
};

function seatedPart(plan: StagePlan, now: number): SeatedPart {
  if (plan.kind === "start" || plan.kind === "infeasible") return seatsOf(plan, now);
  return { ...NOBODY, feasible: plan.kind === "skip" };
}

function seatsOf(plan: StartPlan, now: number): SeatedPart {
  const { seats } = plan.seating;
  const { slaHours } = plan.stage;
  return {
    resolved_approvers: seats.map((seat) => seat.holder.assignee),
    observers: plan.observers.map((person) => person.assignee),
    required: seats.filter((seat) => seat.required).map((seat) => seat.holder.assignee),
    delegations: seats.flatMap((seat) =>
      seat.origins
        .filter((origin) => origin.id !== seat.holder.id)
        .map((origin) => ({ from: origin.assignee, to: seat.holder.assignee })),
    ),
    needed: plan.needed,
    feasible: plan.kind === "start",
    due_at: slaHours === null ? null : wireTime(now + slaHours * HOUR_MS),
  };
}

function excludedOf(plan: StagePlan): StageOut["excluded"] {
  return plan.kind === "unresolved" ? [] : plan.excluded.map(({ user, reason }) => ({ user, reason }));
}

/** `quorum` and `any-n` are one mode to the engine; the wire shows the word that was written. */
function writtenMode(version: PolicyVersion, order: number): StageOut["mode"] | null {
  const stages = version.document["stages"];
  if (!Array.isArray(stages)) return null;
  const stage = stages.filter(isJsonObject).find((candidate) => candidate["stage_order"] === order);
  return stage?.["mode"] === "quorum" ? "quorum" : null;
}
