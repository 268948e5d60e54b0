/** A person decides on a task. Implements docs/spec/engine.md section 7 and R-DECIDE-1 to R-DECIDE-10, identity R-ROLE-2. */
import { assuranceRefusal, SESSION_ALONE, type Proven } from "./assurance.ts";
import { eventActor } from "./event.ts";
import { rejectRequest } from "./finish-request.ts";
import { placeOf } from "./groups.ts";
import type { DecisionId, SeatId, TaskId } from "./ids.ts";
import type { Actor, Person } from "./person.ts";
import { failStage, giveUpSiblingSeats, ruleOf, settle, siblings } from "./progress.ts";
import { isFeasible, isGroupFeasible } from "./quorum.ts";
import { invariant, isRefusal, refuse, type Refusal } from "./refusal.ts";
import { overdueSeats, skipIdleEscalation } from "./overdue.ts";
import { findTask, type Decision, type DecisionAction, type Seat, type StageRun, type Task } from "./request.ts";
import { barredBecause, exclusionSentence } from "./separation-of-duties.ts";
import type { AdminOverride } from "./policy.ts";
import type { Settings } from "./facts.ts";
import { closeTasks, emit, patchSeat, patchStage, patchTask, type Setting, type Step } from "./step.ts";
import { openTask, type OpenTask } from "./task-access.ts";

export interface DecideCommand {
  readonly type: "decide";
  readonly taskId: TaskId;
  readonly decisionId: DecisionId;
  readonly actor: Actor;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly attachmentsRef: string | null;
  readonly reasonCode: string | null;
  /** The digest of what the person saw, if the caller names it (R-STAGE-6). */
  readonly digest: string | null;
  /** What the caller found proven about it; absent where nothing but the credential speaks. */
  readonly proven?: Proven;
  /** What a gate says of the grant at this moment, in the place of the policy; absent where no gate speaks (R-GRANT-7). */
  readonly grant?: { readonly ttlMinutes: number };
}

/** A decision before it has an identity: all that the checks look at. */
export type DecisionAttempt = Omit<DecideCommand, "decisionId">;

export interface DecideSetting extends Setting {
  readonly settings: Settings;
}

/** What one decision is about, once every check has passed. */
export interface Vote extends OpenTask {
  readonly person: Person;
  /** The seat the decision fills; null for observers and for an added person's abstention. */
  readonly seat: Seat | null;
}

export function decideTask(step: Step, command: DecideCommand, setting: DecideSetting): Step | Refusal {
  const vote = checkDecision(step, command, setting);
  return isRefusal(vote) ? vote : record(step, vote, command, granting(setting, command));
}

function granting(setting: DecideSetting, { grant }: DecideCommand): DecideSetting {
  if (grant === undefined) return setting;
  const { policy } = setting;
  return { ...setting, policy: { ...policy, grant: { ...policy.grant, ttlMinutes: grant.ttlMinutes } } };
}

/** Every check and nothing else, so that explain says what the decision would answer (R-EXPLAIN-3). */
export function checkDecision(step: Step, command: DecisionAttempt, setting: DecideSetting): Vote | Refusal {
  const mode = overrideMode(step, command, setting);
  const actor = mode === "off" ? { ...command.actor, admin: false } : command.actor;
  const found = openTask(step.request, command.taskId, actor, "decide");
  if (isRefusal(found)) return found;
  const { person } = actor;
  invariant(person !== null, "openTask lets only people through");
  if (command.digest !== null && command.digest !== step.request.digest) {
    return refuse("digest_mismatch", "What you saw has changed: reload the request and decide again");
  }
  const vote: Vote = { ...found, person, seat: seatFor(found, command.action) };
  const refusal = found.task.kind === "observer" ? null : approverRefusal(step, vote, command, setting);
  return refusal ?? reasonRefusal(vote, command, mode) ?? proofRefusal(vote, command, setting) ?? vote;
}

/** Nobody signs in the place of somebody else (identity R-ROLE-2). */
function overrideMode(
  { request }: Step,
  { taskId }: DecisionAttempt,
  { policy, settings }: DecideSetting,
): AdminOverride {
  if (findTask(request, taskId)?.stage.assurance === "signed") return "off";
  return policy.adminOverride ?? settings.adminOverride;
}

function proofRefusal({ stage, task }: Vote, command: DecisionAttempt, { policy, now }: Setting): Refusal | null {
  const { action, proven = SESSION_ALONE } = command;
  return assuranceRefusal({ stage: ruleOf(policy, stage), kind: task.kind, action, proven, now });
}

/** R-DECIDE-6: an override may need a reason; it is asked for last (R-DECIDE-2). */
function reasonRefusal({ override }: Vote, { comment }: DecisionAttempt, mode: AdminOverride): Refusal | null {
  if (!override || mode !== "reason" || (comment ?? "").trim() !== "") return null;
  const message = "A comment is required to decide on somebody else's task";
  return refuse("comment_required", message, [{ path: ["body", "comment"], message, code: "comment_required" }]);
}

/** People added by an escalation fill an overdue seat: required ones first, then by seat order (R-QUORUM-10). */
function seatFor({ stage, task }: OpenTask, action: DecisionAction): Seat | null {
  if (task.kind === "observer") return null;
  if (!task.escalation) return stage.seats.find((seat) => seat.id === task.seatId) ?? null;
  if (action === "abstain") return null;
  return overdueSeats(stage)[0] ?? null;
}

/** Barred, already decided, dead end for a sibling, required: in the order of R-DECIDE-2. */
function approverRefusal(step: Step, vote: Vote, command: DecisionAttempt, setting: Setting): Refusal | null {
  const { stage, person } = vote;
  const barred = barredBecause(setting.policy, step.request, person, placeOf(setting.policy, stage.order));
  if (barred !== null) {
    const message = `Separation of duties: ${exclusionSentence(barred)}`;
    return barred.reason === "machine" ? refuse("machine", message) : refuse("separation_of_duties", message);
  }
  if (hasVoted(stage, person)) {
    return refuse("quorum_conflict", "You have already decided in this stage");
  }
  if (vote.override && stage.seats.some((seat) => seat.holder === person.id && seat.state === "open")) {
    return refuse("quorum_conflict", "You hold a seat in this stage yourself: decide on your own task");
  }
  if (command.action === "approve") return deadEnd(step, vote, setting);
  if (command.action === "abstain" && vote.seat?.required === true) {
    return refuse("quorum_conflict", "You are a required approver: approve, reject or hand over");
  }
  return null;
}

/** R-SOD-4. What somebody said as an observer is no vote; an added person's abstention is one, although it fills no seat. */
function hasVoted(stage: StageRun, person: Person): boolean {
  const invited = (decision: Decision): boolean =>
    stage.tasks.some((task) => task.id === decision.taskId && task.kind === "approver");
  return stage.decisions.some((decision) => decision.personId === person.id && invited(decision));
}

/** R-SOD-5: an approval that would leave a sibling stage without enough approvers is refused. */
function deadEnd(step: Step, vote: Vote, setting: Setting): Refusal | null {
  if (!setting.policy.forbidRepeatApprovers || vote.seat === null) return null;
  const { seat } = vote;
  const filled = patchStage(step, vote.stage.order, (stage) => patchSeat(stage, { ...seat, state: "approved" }));
  const after = giveUpSiblingSeats(filled, vote.stage.order, vote.person.id, setting);
  const open = after.request.stages.filter((stage) => stage.state === "open");
  const lost = open.find((stage) => !isFeasible(ruleOf(setting.policy, stage), stage.seats));
  const starved =
    lost ??
    (isGroupFeasible(siblings(setting.policy, open))
      ? undefined
      : open.find((stage) => stage.order !== vote.stage.order));
  if (starved === undefined) return null;
  const message = `Approving here would leave stage ${String(starved.order)} without enough approvers; decide there first`;
  return refuse("quorum_conflict", message);
}

function record(step: Step, vote: Vote, command: DecideCommand, setting: Setting): Step {
  const { now } = setting;
  const decision = decisionOf(step, vote, command, now);
  const task: Task = { ...vote.task, status: "completed", completedAt: now, decisionId: decision.id };
  const actor = eventActor(command.actor);
  const about = { stageOrder: vote.stage.order, actor };
  let current = patchStage(step, vote.stage.order, (stage) =>
    fillSeat({ ...patchTask(stage, task), decisions: [...stage.decisions, decision] }, vote, command.action, now),
  );
  current = emit(current, { type: "task_decided", task, decision }, about);
  if (vote.task.kind === "observer" || vote.seat === null) return current;
  if (command.action === "reject" && ruleOf(setting.policy, vote.stage).reject === "veto") {
    const body = { type: "request_rejected", reason: null, comment: command.comment } as const;
    return failStage(current, vote.stage.order, (failed) => rejectRequest(failed, body, { ...about, now }), {
      setting,
      actor,
    });
  }
  if (command.action === "approve" && setting.policy.forbidRepeatApprovers) {
    current = giveUpSiblingSeats(current, vote.stage.order, vote.person.id, setting);
  }
  return settle(current, setting, actor);
}

function decisionOf(step: Step, vote: Vote, command: DecideCommand, now: number): Decision {
  return {
    id: command.decisionId,
    taskId: vote.task.id,
    seatId: vote.seat?.id ?? null,
    personId: vote.person.id,
    actor: command.actor.displayName,
    actorId: command.actor.assignee,
    action: command.action,
    comment: command.comment,
    attachmentsRef: command.attachmentsRef,
    reasonCode: command.reasonCode,
    onBehalfOf: vote.override ? vote.task.assignee : vote.task.delegatedFrom,
    override: vote.override,
    ...(command.proven ?? SESSION_ALONE),
    digest: step.request.digest,
    revision: step.request.revision,
    createdAt: now,
    voidedAt: null,
  };
}

const FILLED = { approve: "approved", reject: "rejected", abstain: "abstained" } as const;

/** The seat takes the vote; whoever else was invited to it, or wherever else its voter was, need not answer any more. */
function fillSeat(stage: StageRun, vote: Vote, action: DecisionAction, now: number): StageRun {
  if (vote.seat === null) return stage;
  const seatId: SeatId = vote.seat.id;
  const filled = patchSeat(stage, { ...vote.seat, state: FILLED[action] });
  const answered = (task: Task): boolean =>
    task.seatId === seatId || (task.escalation && task.personId === vote.person.id);
  return skipIdleEscalation(closeTasks(filled, "skipped", now, answered), now);
}
