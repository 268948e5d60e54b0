/**
 * A stage is overdue and others are asked as well: people are added, never seats.
 * Implements docs/spec/engine.md R-SLA-5 and R-QUORUM-10.
 */
import { findCandidates, isResolutionFailure, type ResolutionFailure } from "./candidates.ts";
import { CLOCK } from "./event.ts";
import { expressionData } from "./facts.ts";
import { placeOf } from "./groups.ts";
import { overdueSeats } from "./overdue.ts";
import type { Person } from "./person.ts";
import type { Stage } from "./policy.ts";
import { invitation, tellSkippedDelegations } from "./progress.ts";
import type { StageRun, Task } from "./request.ts";
import { nextAttemptAt } from "./retry-schedule.ts";
import { planAdded, type Petitioned, type SeatPlan } from "./seats.ts";
import { barredBecause } from "./separation-of-duties.ts";
import { emit, patchStage, stageRun, type Setting, type Step } from "./step.ts";

const HOUR = 3_600_000;

/** The holders can still decide meanwhile (R-SLA-5). */
export function escalateStage(step: Step, rule: Stage, setting: Setting): Step {
  const run = stageRun(step, rule.order);
  if (run.escalationRound >= rule.escalationsMax || overdueSeats(run).length === 0) {
    return patchStage(step, rule.order, (stage) => ({ ...stage, escalationRetryAt: null }));
  }
  const place = placeOf(setting.policy, rule.order);
  const where: Petitioned = {
    stage: rule,
    policyKey: step.request.policy.key,
    artifactType: step.request.artifactType,
    now: setting.now,
    barred: (person) => barredBecause(setting.policy, step.request, person, place),
  };
  const found = findCandidates(rule.escalationRules, expressionData(step.request), setting.facts, where.barred);
  if (isResolutionFailure(found)) return retryLater(step, run, found, setting);
  const { seats, skippedDelegations } = planAdded(found.approvers, setting.facts, where);
  const added = seats.filter(({ holder }) => !takesPart(run, holder)).map((plan) => addedTask(plan, rule, setting));
  const holders = new Set(seats.map(({ holder }) => holder.id));
  const watchers = found.observers
    .filter((person) => !holders.has(person.id) && !takesPart(run, person))
    .map((person) => watchingTask(person, setting));
  const round = run.escalationRound + 1;
  const extended = patchStage(step, rule.order, (stage) => ({
    ...stage,
    tasks: [...stage.tasks, ...added, ...watchers],
    escalationRound: round,
    escalationRetryAt: null,
    escalationAttempts: 0,
  }));
  const told = tellSkippedDelegations(extended, rule.order, skippedDelegations);
  if (added.length === 0) return told;
  const body = { type: "stage_escalated", added, dueAt: added[0]?.dueAt ?? null, round } as const;
  return emit(told, body, { stageOrder: rule.order, actor: CLOCK });
}

/** Who holds or held a task, or decided as an administrator, is in the stage already. */
function takesPart(run: StageRun, person: Person): boolean {
  return [...run.tasks, ...run.decisions].some(({ personId }) => personId === person.id);
}

function addedTask(plan: SeatPlan, rule: Stage, { facts, now }: Setting): Task {
  const dueAt = rule.slaHours === null ? null : now + rule.slaHours * HOUR;
  const task = invitation({ ...plan, required: false }, { dueAt, now });
  return { ...task, id: facts.newId(), seatId: null, escalation: true };
}

function watchingTask(person: Person, { facts, now }: Setting): Task {
  const task = invitation({ holder: person, origins: [person], required: false }, { dueAt: null, now });
  return { ...task, id: facts.newId(), seatId: null, kind: "observer" };
}

function retryLater(step: Step, run: StageRun, failure: ResolutionFailure, { now }: Setting): Step {
  const attempt = run.escalationAttempts + 1;
  const next = nextAttemptAt(attempt, step.request.id, now);
  const waiting = patchStage(step, run.order, (stage) => ({
    ...stage,
    escalationAttempts: attempt,
    escalationRetryAt: next,
  }));
  if (attempt > 1) return waiting;
  const body = { type: "resolution_failed", ...failure, attempt, nextAttemptAt: next } as const;
  return emit(waiting, body, { stageOrder: run.order });
}
