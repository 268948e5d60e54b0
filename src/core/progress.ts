/**
 * How a request moves on: the next group starts, stages complete or fail, the request ends.
 * Implements docs/spec/engine.md sections 4 and 5.
 */
import { evaluateGroup, isStart, type StagePlan, type StartPlan } from "./evaluate-group.ts";
import type { EventActor } from "./event.ts";
import { approveRequest, rejectRequest, type EndedBy } from "./finish-request.ts";
import { groupOf, stageGroups } from "./groups.ts";
import type { PersonId } from "./ids.ts";
import { nextAttemptAt } from "./retry-schedule.ts";
import type { Policy, Stage } from "./policy.ts";
import { isFeasible, isGroupFeasible, isMet, needed, possible, tally } from "./quorum.ts";
import { Bug } from "./refusal.ts";
import { skipIdleEscalation } from "./overdue.ts";
import { isLive, isOpenTask, type Seat, type StageRun, type Task } from "./request.ts";
import type { SeatPlan, Seating } from "./seats.ts";
import {
  closeSeats,
  closeTasks,
  emit,
  patch,
  patchSeat,
  patchStage,
  stageRun,
  type Setting,
  type Step,
} from "./step.ts";

const HOUR = 3_600_000;

/**
 * Starts the next group that has not run yet; groups whose stages are all skipped are passed over. Without any left the
 * request is approved (R-STAGE-14).
 */
export function startNextGroup(step: Step, setting: Setting, actor: EventActor | null): Step {
  let current = step;
  for (const group of stageGroups(setting.policy)) {
    const runs = group.map((stage) => stageRun(current, stage.order));
    if (runs.every((run) => run.state === "approved" || run.state === "skipped")) continue;
    if (runs.some((run) => run.state !== "waiting" && run.state !== "resolving" && run.state !== "skipped"))
      return current;
    const plans = evaluateGroup(setting.policy, current.request, group, setting);
    const unresolved = plans.find((plan) => plan.kind === "unresolved");
    if (unresolved?.kind === "unresolved") return awaitResolution(current, group, unresolved, setting);
    current = patch(current, { resolution: null });
    const dead = plans.find(isDead);
    current = skipStages(current, plans, setting);
    if (dead !== undefined) return rejectUnstartable(current, dead, setting);
    const starting = plans.filter(isStart);
    if (starting.length > 0) return startStages(current, starting, setting);
  }
  return approveRequest(current, setting, actor);
}

/** R-RESOLVE-7: the group stays `resolving`, with the next attempt as its timer. */
function awaitResolution(
  step: Step,
  group: readonly Stage[],
  plan: Extract<StagePlan, { kind: "unresolved" }>,
  setting: Setting,
): Step {
  const before = step.request.resolution;
  const again = before !== null && group.some((stage) => stage.order === before.stageOrder);
  const attempt = again ? before.attempt + 1 : 1;
  const { rule, error } = plan.failure;
  const next = nextAttemptAt(attempt, step.request.id, setting.now);
  let current = patch(step, {
    resolution: { stageOrder: plan.stage.order, rule, attempt, lastError: error, nextAttemptAt: next },
  });
  for (const stage of group) {
    current = patchStage(current, stage.order, (run) => ({ ...run, state: "resolving" }));
  }
  if (again && before.lastError === error) return current;
  const body = { type: "resolution_failed", rule, error, attempt, nextAttemptAt: next } as const;
  return emit(current, body, { stageOrder: plan.stage.order });
}

function skipStages(step: Step, plans: readonly StagePlan[], { now }: Setting): Step {
  let current = step;
  for (const plan of plans) {
    if (plan.kind !== "skip") continue;
    const { reason, excluded } = plan;
    current = patchStage(current, plan.stage.order, (run) => ({
      ...run,
      state: "skipped",
      skipReason: reason,
      excluded,
      completedAt: now,
    }));
    current = emit(current, { type: "stage_skipped", reason, excluded }, { stageOrder: plan.stage.order });
  }
  return current;
}

type DeadPlan = Extract<StagePlan, { kind: "blocked" }> | StartPlan;

function isDead(plan: StagePlan): plan is DeadPlan {
  return plan.kind === "blocked" || plan.kind === "infeasible";
}

/** Nobody did this: whoever completed the stage before wanted it to go on (R-STAGE-12, R-STAGE-13). */
function rejectUnstartable(step: Step, plan: DeadPlan, { now }: Setting): Step {
  const by: EndedBy = { actor: null, stageOrder: plan.stage.order, now };
  if (plan.kind === "infeasible") {
    const { needed: wanted, possible: reach } = plan;
    const body = { reason: "quorum_unreachable", comment: null, needed: wanted, possible: reach } as const;
    return rejectRequest(step, { type: "request_rejected", ...body }, by);
  }
  return rejectRequest(step, { type: "request_rejected", reason: "no_approvers_resolved", comment: null }, by);
}

function startStages(step: Step, plans: readonly StartPlan[], setting: Setting): Step {
  const started = plans.reduce(
    (current, plan) => patchStage(current, plan.stage.order, (run) => openStage(run, plan, setting)),
    patch(step, { status: "in_review" }),
  );
  const lowest = Math.min(...plans.map((plan) => plan.stage.order));
  let current = patch(started, { currentStageOrder: lowest });
  for (const plan of plans) {
    const run = stageRun(current, plan.stage.order);
    const named = (tasks: readonly Task[]): readonly string[] => tasks.map((task) => task.assignee).sort();
    current = emit(
      current,
      {
        type: "stage_started",
        stage: run,
        needed: plan.needed,
        approvers: named(run.tasks.filter((task) => task.kind === "approver")),
        observers: named(run.tasks.filter((task) => task.kind === "observer")),
        requiredApprovers: named(run.tasks.filter((task) => task.required)),
        skipIfError: plan.skipIfError,
      },
      { stageOrder: plan.stage.order },
    );
    current = tellSkippedDelegations(current, plan.stage.order, plan.seating.skippedDelegations);
  }
  return current;
}

export function tellSkippedDelegations(step: Step, stageOrder: number, skipped: Seating["skippedDelegations"]): Step {
  return skipped.reduce(
    (current, { user, delegate, reason }) =>
      emit(
        current,
        {
          type: "delegation_skipped",
          user: user.assignee,
          userId: user.id,
          delegate: delegate.assignee,
          delegateId: delegate.id,
          reason,
        },
        { stageOrder },
      ),
    step,
  );
}

function openStage(run: StageRun, plan: StartPlan, { facts, now }: Setting): StageRun {
  const dueAt = plan.stage.slaHours === null ? null : now + plan.stage.slaHours * HOUR;
  const seats = seatsOf(plan.seating, facts.newId);
  const approverTasks = plan.seating.seats.map((seatPlan, index): Task => {
    const seat = seats[index];
    if (seat === undefined) throw new Bug("a planned seat was not made");
    return { ...invitation(seatPlan, { dueAt, now }), id: facts.newId(), seatId: seat.id };
  });
  const observerTasks = plan.observers.map((person): Task => ({
    ...invitation({ holder: person, origins: [person], required: false }, { dueAt: null, now }),
    id: facts.newId(),
    seatId: null,
    kind: "observer",
  }));
  return {
    ...run,
    state: "open",
    startedAt: now,
    dueAt,
    excluded: plan.excluded,
    seats,
    tasks: [...approverTasks, ...observerTasks],
  };
}

function seatsOf(seating: Seating, newId: Setting["facts"]["newId"]): readonly Seat[] {
  return seating.seats.map((plan, position) => ({
    id: newId(),
    position,
    origins: plan.origins.map((person) => person.id),
    holder: plan.holder.id,
    required: plan.required,
    state: "open",
  }));
}

/** A fresh open task for the holder of a seat; the id and the seat are the caller's to give. */
export function invitation(
  plan: SeatPlan,
  times: { readonly dueAt: number | null; readonly now: number },
): Omit<Task, "id" | "seatId"> {
  const delegator = plan.origins.find((person) => person.id !== plan.holder.id);
  return {
    escalation: false,
    personId: plan.holder.id,
    assignee: plan.holder.assignee,
    assigneeName: plan.holder.displayName,
    kind: "approver",
    required: plan.required,
    delegatedFrom: delegator?.assignee ?? null,
    delegatorId: delegator?.id ?? null,
    reassignedFrom: null,
    status: "open",
    claimedAt: null,
    completedAt: null,
    dueAt: times.dueAt,
    overdueAt: null,
    decisionId: null,
    createdAt: times.now,
  };
}

/**
 * After a change to the seats of open stages: completes what is met, ends the request where something became
 * unreachable, and starts the next group when this one is done (R-QUORUM-4, R-QUORUM-12, R-STAGE-14).
 */
export function settle(step: Step, setting: Setting, actor: EventActor | null): Step {
  let current = step;
  for (;;) {
    const open = current.request.stages.filter((run) => run.state === "open");
    const met = open.find((run) => isMet(ruleOf(setting.policy, run), run.seats));
    if (met !== undefined) {
      current = completeStage(current, met, setting, actor);
      continue;
    }
    const lost = open.find((run) => !isFeasible(ruleOf(setting.policy, run), run.seats));
    if (lost !== undefined) return rejectUnreachable(current, lost, setting, actor);
    if (setting.policy.forbidRepeatApprovers && open.length > 1 && !isGroupFeasible(siblings(setting.policy, open))) {
      return rejectUnreachable(current, open[0] ?? null, setting, actor);
    }
    if (open.length > 0) return patch(current, { currentStageOrder: Math.min(...open.map((run) => run.order)) });
    return isLive(current.request.status) ? startNextGroup(current, setting, actor) : current;
  }
}

export function siblings(
  policy: Policy,
  runs: readonly StageRun[],
): readonly { readonly rule: Stage; readonly seats: readonly Seat[] }[] {
  return runs.map((run) => ({ rule: ruleOf(policy, run), seats: run.seats }));
}

export function ruleOf(policy: Policy, run: StageRun): Stage {
  const stage = policy.stages.find((candidate) => candidate.order === run.order);
  if (stage === undefined) throw new Bug(`the policy has no stage ${String(run.order)}`);
  return stage;
}

function completeStage(step: Step, run: StageRun, { now }: Setting, actor: EventActor | null): Step {
  const skipped = run.tasks.filter((task) => isOpenTask(task) && task.kind === "approver");
  let current = patchStage(step, run.order, (stage) => ({
    ...closeSeats(closeTasks(stage, "skipped", now)),
    state: "approved",
    completedAt: now,
    escalationRetryAt: null,
  }));
  if (skipped.length > 0) {
    const body = { type: "stage_quorum_skipped", name: run.name, skipped } as const;
    current = emit(current, body, { stageOrder: run.order, actor });
  }
  return emit(current, { type: "stage_completed", outcome: "approved" }, { stageOrder: run.order, actor });
}

function rejectUnreachable(step: Step, run: StageRun | null, setting: Setting, actor: EventActor | null): Step {
  if (run === null) throw new Bug("no stage is unreachable");
  const votes = { needed: needed(ruleOf(setting.policy, run), tally(run.seats)), possible: possible(run.seats) };
  const body = { type: "request_rejected", reason: "quorum_unreachable", comment: null, ...votes } as const;
  return failStage(
    step,
    run.order,
    (closed) => rejectRequest(closed, body, { actor, stageOrder: run.order, now: setting.now }),
    {
      setting,
      actor,
    },
  );
}

/** The stage is rejected, its event tells the final status, then the request ends (R-EVENT-2). */
export function failStage(
  step: Step,
  order: number,
  end: (step: Step) => Step,
  by: { readonly setting: Setting; readonly actor: EventActor | null },
): Step {
  const { now } = by.setting;
  const before = step.request.status;
  const failed = patchStage(patch(step, { status: "rejected" }), order, (stage) => ({
    ...closeSeats(closeTasks(stage, "skipped", now)),
    state: "rejected",
    completedAt: now,
    escalationRetryAt: null,
  }));
  const told = emit(failed, { type: "stage_completed", outcome: "rejected" }, { stageOrder: order, actor: by.actor });
  return end(patch(told, { status: before }));
}

/**
 * R-SOD-2 inside a group: whoever approved in one stage gives up the seats in its siblings (R-QUORUM-13), and the
 * invitations to share overdue ones. A seat held under a delegation is given up too: the person would approve twice.
 */
export function giveUpSiblingSeats(step: Step, order: number, personId: PersonId, setting: Setting): Step {
  const group = groupOf(setting.policy, order).map((stage) => stage.order);
  return step.request.stages
    .filter((run) => run.order !== order && group.includes(run.order) && run.state === "open")
    .reduce((current, run) => {
      const own = (task: Task): boolean => task.kind === "approver" && task.personId === personId;
      return patchStage(current, run.order, (stage) => {
        const uninvited = closeTasks(stage, "skipped", setting.now, own);
        const seat = stage.seats.find((candidate) => candidate.holder === personId && candidate.state === "open");
        if (seat === undefined) return uninvited;
        return skipIdleEscalation(patchSeat(uninvited, { ...seat, state: "removed" }), setting.now);
      });
    }, step);
}
