/**
 * What the clock does: requests expire, due times pass, lookups are tried again. Late rather than early, each once.
 * Implements docs/spec/engine.md section 9 (R-SLA-3 to R-SLA-6, R-TTL-1, R-TTL-2) and R-RESOLVE-7.
 */
import { SESSION_ALONE } from "./assurance.ts";
import { CLOCK } from "./event.ts";
import { escalateStage } from "./escalate-stage.ts";
import { endRequest, rejectRequest } from "./finish-request.ts";
import { expireGrant } from "./grant-command.ts";
import { grantTimer } from "./grant.ts";
import type { Instant } from "./person.ts";
import type { Stage } from "./policy.ts";
import { failStage, ruleOf, settle, startNextGroup } from "./progress.ts";
import { invariant } from "./refusal.ts";
import { isLive, isOpenTask, type Decision, type Request, type StageRun, type Task } from "./request.ts";
import { emit, patchStage, stageRun, type Setting, type Step } from "./step.ts";

/** When this request next needs the clock; null once it has ended, and its grant has none. */
export function nextTimerAt(request: Request): Instant | null {
  if (!isLive(request.status)) return grantTimer(request.grant);
  const times = request.stages.filter((run) => run.state === "open").map(stageTimer);
  return Math.min(request.expiresAt, request.resolution?.nextAttemptAt ?? Infinity, ...times);
}

function stageTimer(run: StageRun): Instant {
  return Math.min(
    run.escalationRetryAt ?? Infinity,
    ...run.tasks.filter(isWaitingForDue).map((task) => task.dueAt ?? Infinity),
  );
}

function isWaitingForDue(task: Task): boolean {
  return isOpenTask(task) && task.kind === "approver" && task.overdueAt === null && task.dueAt !== null;
}

/** Applies every timer that is due, the earliest first, until none is left. */
export function applyTimers(step: Step, setting: Setting): Step {
  let current = step;
  for (;;) {
    const at = nextTimerAt(current.request);
    if (at === null || at > setting.now) return current;
    current = fire(current, at, setting);
  }
}

function fire(step: Step, at: Instant, setting: Setting): Step {
  const { request } = step;
  if (!isLive(request.status)) return expireGrant(step, setting);
  if (request.expiresAt <= at) {
    const body = { type: "request_expired", expiresAt: request.expiresAt } as const;
    return endRequest(step, body, { actor: null, now: setting.now });
  }
  if (request.resolution !== null && request.resolution.nextAttemptAt <= at) return startNextGroup(step, setting, null);
  const run = request.stages.find((stage) => stage.state === "open" && stageTimer(stage) <= at);
  invariant(run !== undefined, "a timer is due and nothing waits for it");
  return breach(step, run, at, setting);
}

/** The due time of some tasks passed: each is told once, then the stage does what its policy says. */
function breach(step: Step, run: StageRun, at: Instant, setting: Setting): Step {
  const due = run.tasks.filter((task) => isWaitingForDue(task) && (task.dueAt ?? Infinity) <= at);
  let current = patchStage(step, run.order, (stage) => ({
    ...stage,
    tasks: stage.tasks.map((task) => (due.includes(task) ? { ...task, overdueAt: setting.now } : task)),
  }));
  for (const task of due) {
    const told = { type: "task_expired", task: { ...task, overdueAt: setting.now } } as const;
    current = emit(current, told, { stageOrder: run.order, actor: CLOCK });
  }
  const rule = ruleOf(setting.policy, run);
  switch (rule.onBreach) {
    case "notify":
      return current;
    case "escalate":
      return escalateStage(current, rule, setting);
    case "auto_approve":
    case "auto_reject":
      return isWhollyOverdue(stageRun(current, run.order)) ? actOnBreach(current, rule, setting) : current;
  }
}

/** The clock acts only when every open seat is past due (R-SLA-6). */
function isWhollyOverdue(run: StageRun): boolean {
  return run.seats
    .filter((seat) => seat.state === "open")
    .every((seat) => run.tasks.some((task) => task.seatId === seat.id && task.overdueAt !== null && isOpenTask(task)));
}

function actOnBreach(step: Step, rule: Stage, setting: Setting): Step {
  if (rule.onBreach === "auto_reject") {
    const body = { type: "request_rejected", reason: "sla_breach", comment: "SLA breach auto-reject" } as const;
    const expired = expireTasks(step, rule.order, setting.now);
    const by = { actor: CLOCK, stageOrder: rule.order, now: setting.now };
    return failStage(expired, rule.order, (failed) => rejectRequest(failed, body, by), { setting, actor: CLOCK });
  }
  const filled = patchStage(step, rule.order, (run) => fillByClock(run, step.request, setting));
  return settle(filled, setting, CLOCK);
}

function expireTasks(step: Step, order: number, now: Instant): Step {
  return patchStage(step, order, (run) => ({
    ...run,
    tasks: run.tasks.map((task) =>
      isOpenTask(task) && task.kind === "approver" ? { ...task, status: "expired", completedAt: now } : task,
    ),
  }));
}

/** Every open seat, required ones too, is approved in the clock's name, with a decision that says so. */
function fillByClock(run: StageRun, request: Request, { facts, now }: Setting): StageRun {
  const decisions = run.seats
    .filter((seat) => seat.state === "open")
    .flatMap((seat): Decision[] => {
      const task = run.tasks.find((candidate) => candidate.seatId === seat.id && isOpenTask(candidate));
      return task === undefined ? [] : [clockDecision(request, task, { id: facts.newId(), now })];
    });
  return {
    ...run,
    seats: run.seats.map((seat) => (seat.state === "open" ? { ...seat, state: "approved" } : seat)),
    tasks: run.tasks.map((task) => {
      const decision = decisions.find((candidate) => candidate.taskId === task.id);
      if (decision === undefined) return task;
      return { ...task, status: "expired", completedAt: now, decisionId: decision.id };
    }),
    decisions: [...run.decisions, ...decisions],
  };
}

function clockDecision(
  request: Request,
  task: Task,
  by: { readonly id: Decision["id"]; readonly now: Instant },
): Decision {
  return {
    id: by.id,
    taskId: task.id,
    seatId: task.seatId,
    personId: null,
    actor: CLOCK.name,
    actorId: CLOCK.id,
    action: "approve",
    comment: "SLA breach auto-approve",
    attachmentsRef: null,
    reasonCode: null,
    onBehalfOf: task.assignee,
    override: false,
    ...SESSION_ALONE,
    digest: request.digest,
    revision: request.revision,
    createdAt: by.now,
    voidedAt: null,
  };
}
