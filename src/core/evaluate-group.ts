/**
 * What would happen if this group of stages started now: each stage skipped, started, blocked, out of reach, or unknown.
 * Creation, progress, simulation and explain ask the same question here. Implements docs/spec/engine.md R-STAGE-11 to 13.
 */
import { findCandidates, isResolutionFailure, type Candidates, type ResolutionFailure } from "./candidates.ts";
import { expressionData, type Facts } from "./facts.ts";
import type { PersonId } from "./ids.ts";
import { evaluateLogic, isTruthy } from "./logic.ts";
import type { Instant } from "./person.ts";
import type { Policy, Stage } from "./policy.ts";
import { isFeasible, isGroupFeasible, needed, possible, tally, type HeldVote } from "./quorum.ts";
import type { Exclusion, Request } from "./request.ts";
import { planSeats, type Petitioned, type SeatPlan, type Seating } from "./seats.ts";
import { barredBecause } from "./separation-of-duties.ts";

/** The part of a request that decides who may approve it; simulation has no more than this. */
export type Question = Pick<
  Request,
  "requester" | "creator" | "stages" | "artifactType" | "artifactId" | "policy" | "revision" | "context"
>;

export type StagePlan =
  | {
      readonly kind: "skip";
      readonly stage: Stage;
      readonly reason: "skip_if" | "no_approvers";
      readonly excluded: readonly Exclusion[];
    }
  | { readonly kind: "unresolved"; readonly stage: Stage; readonly failure: ResolutionFailure }
  | { readonly kind: "blocked"; readonly stage: Stage; readonly excluded: readonly Exclusion[] }
  | StartPlan;

export interface StartPlan {
  readonly kind: "start" | "infeasible";
  readonly stage: Stage;
  readonly seating: Seating;
  readonly observers: Candidates["observers"];
  readonly excluded: readonly Exclusion[];
  readonly needed: number;
  readonly possible: number;
  readonly skipIfError: string | null;
}

export function evaluateGroup(
  policy: Policy,
  question: Question,
  group: readonly Stage[],
  at: { readonly facts: Facts; readonly now: Instant },
): readonly StagePlan[] {
  const planKeeping = (keeping: ReadonlySet<PersonId>): readonly StagePlan[] =>
    group.map((stage) => planStage(policy, question, { stage, group, keeping }, at));
  const plans = planKeeping(new Set());
  if (!policy.forbidRepeatApprovers || canStartTogether(plans)) return plans;
  const keeping = new Set<PersonId>();
  for (const delegator of delegatorsIn(plans)) {
    keeping.add(delegator);
    const kept = planKeeping(keeping);
    if (canStartTogether(kept)) return kept;
  }
  const first = plans.find(isStart);
  return plans.map((plan) => (plan === first ? { ...first, kind: "infeasible" } : plan));
}

/** Each person approves in one stage of a group only, so stages that could start alone may starve each other (R-SOD-2). */
function canStartTogether(plans: readonly StagePlan[]): boolean {
  const starting = plans.filter(isStart);
  if (starting.length < 2) return true;
  return isGroupFeasible(starting.map((plan) => ({ rule: plan.stage, seats: plan.seating.seats.map(asOpenSeat) })));
}

/**
 * Who handed a seat on, in the order in which those delegations are given up so that the group can start (R-DELEG-4):
 * first those whose delegate is wanted in several stages, the last ones before the first.
 */
function delegatorsIn(plans: readonly StagePlan[]): readonly PersonId[] {
  const seats = plans.filter(isStart).flatMap((plan) => plan.seating.seats);
  const wanted = (seat: SeatPlan): boolean => seats.filter(({ holder }) => holder.id === seat.holder.id).length > 1;
  return [...seats.filter((seat) => !wanted(seat)), ...seats.filter(wanted)]
    .flatMap((seat) => seat.origins.map(({ id }) => id).filter((id) => id !== seat.holder.id))
    .reverse();
}

export function isStart(plan: StagePlan): plan is StartPlan {
  return plan.kind === "start";
}

interface Place {
  readonly stage: Stage;
  readonly group: readonly Stage[];
  /** Candidates whose delegations are not applied. */
  readonly keeping: ReadonlySet<PersonId>;
}

function planStage(
  policy: Policy,
  question: Question,
  { stage, group, keeping }: Place,
  { facts, now }: { readonly facts: Facts; readonly now: Instant },
): StagePlan {
  const data = expressionData(question);
  const skip = stage.skipIf === null ? null : evaluateLogic(stage.skipIf, data);
  if (skip?.ok === true && isTruthy(skip.value)) return { kind: "skip", stage, reason: "skip_if", excluded: [] };
  const place = { order: stage.order, group: group.map((member) => member.order) };
  const where: Petitioned = {
    stage,
    policyKey: question.policy.key,
    artifactType: question.artifactType,
    now,
    barred: (person) => barredBecause(policy, question, person, place),
  };
  const candidates = findCandidates(stage.rules, data, facts, where.barred);
  if (isResolutionFailure(candidates)) return { kind: "unresolved", stage, failure: candidates };
  const { excluded } = candidates;
  if (candidates.approvers.length === 0) {
    if (stage.onEmpty === "skip") return { kind: "skip", stage, reason: "no_approvers", excluded };
    return { kind: "blocked", stage, excluded };
  }
  const seating = planSeats(candidates.approvers, facts, where, keeping);
  const seats = seating.seats.map(asOpenSeat);
  const holders = new Set(seating.seats.map(({ holder }) => holder.id));
  return {
    kind: isFeasible(stage, seats) ? "start" : "infeasible",
    stage,
    seating,
    // R-RULE-1: an observer to whom a seat was delegated is an approver only.
    observers: candidates.observers.filter(({ id }) => !holders.has(id)),
    excluded,
    needed: needed(stage, tally(seats)),
    possible: possible(seats),
    skipIfError: skip?.ok === false ? skip.fault : null,
  };
}

/** A seat that exists on paper only: enough to count with. */
function asOpenSeat(plan: SeatPlan): HeldVote {
  return { holder: plan.holder.id, required: plan.required, state: "open" };
}
