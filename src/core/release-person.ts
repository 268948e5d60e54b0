/**
 * Somebody left: who decides instead? Their open tasks close, the seats are freed and the stage's rules are asked again; a
 * seat that nobody new may take is removed, and the quorum is looked at anew.
 * Implements the rows `suspended` and `erased` of docs/spec/identity.md section 1, and docs/spec/engine.md R-QUORUM-13.
 */
import { findCandidates, isResolutionFailure, type Candidate } from "./candidates.ts";
import { expressionData, type Facts, type Lookup } from "./facts.ts";
import { placeOf } from "./groups.ts";
import type { PersonId } from "./ids.ts";
import type { Delegation, Person } from "./person.ts";
import { skipIdleEscalation } from "./overdue.ts";
import type { Stage } from "./policy.ts";
import { invitation, ruleOf, settle } from "./progress.ts";
import { isLive, isOpenTask, type Request, type Seat, type StageRun, type Task } from "./request.ts";
import { planAdded, type Petitioned, type SeatPlan } from "./seats.ts";
import { barredBecause } from "./separation-of-duties.ts";
import { emit, patchSeat, patchStage, patchTask, stageRun, type Setting, type Step } from "./step.ts";

const HOUR = 3_600_000;

export type LeavingCause = "suspended" | "erased";

export interface LeaveCommand {
  readonly type: "leave";
  readonly personId: PersonId;
  readonly cause: LeavingCause;
}

/** Nobody decided anything: what completes because a seat went away completes without an actor. */
export function releasePerson(step: Step, command: LeaveCommand, given: Setting): Step {
  if (!isLive(step.request.status)) return step;
  const setting = { ...given, facts: withoutPerson(given.facts, command.personId) };
  const freed = openStagesOf(step.request, command.personId).reduce(
    (current, run) =>
      tasksOf(run, command.personId).reduce(
        (before, task) => freeTask(before, { order: run.order, task, ...command }, setting),
        current,
      ),
    step,
  );
  return freed === step ? step : settle(freed, setting, null);
}

/** The open stages whose rules are asked again when this person leaves. */
export function openStagesOf(request: Request, personId: PersonId): readonly StageRun[] {
  return request.stages.filter((run) => run.state === "open" && tasksOf(run, personId).length > 0);
}

/** The person's own open tasks, and those that others hold in the person's stead only. */
function tasksOf(run: StageRun, personId: PersonId): readonly Task[] {
  return run.tasks.filter((task) => {
    if (!isOpenTask(task)) return false;
    if (task.personId === personId) return true;
    const seat = run.seats.find(({ id }) => id === task.seatId);
    return task.delegatorId === personId && seat?.origins.every((origin) => origin === personId) === true;
  });
}

interface Leaving {
  readonly order: number;
  readonly task: Task;
  readonly personId: PersonId;
  readonly cause: LeavingCause;
}

function freeTask(step: Step, leaving: Leaving, setting: Setting): Step {
  const { order, task } = leaving;
  const run = stageRun(step, order);
  const seat = run.seats.find(({ id, state }) => id === task.seatId && state === "open");
  if (seat === undefined) return closeFreed(step, leaving, null, setting);
  const successor = successorOf(step, run, seat, setting);
  // A lookup that did not answer is no empty list (R-RESOLVE-6): the seat waits, and an administrator can reassign it.
  if (successor === "unknown") return step;
  return successor === null
    ? closeFreed(step, leaving, { ...seat, state: "removed" }, setting)
    : seatSuccessor(step, leaving, { seat, successor }, setting);
}

function closeFreed(step: Step, { order, task, cause }: Leaving, seat: Seat | null, { now }: Setting): Step {
  const closed: Task = { ...task, status: "skipped", completedAt: now };
  const freed = patchStage(step, order, (run) => {
    const without = patchTask(run, closed);
    const counted = seat === null ? without : patchSeat(without, seat);
    const excluded = [...run.excluded, { user: task.assignee, reason: "disabled" } as const];
    return skipIdleEscalation({ ...counted, excluded }, now);
  });
  return emit(freed, { type: "seat_freed", task: closed, newTask: null, cause }, { stageOrder: order });
}

/** The seat stays the same seat: only who holds it, and whom it stands for, changes. */
function seatSuccessor(
  step: Step,
  { order, task, cause }: Leaving,
  { seat, successor }: { readonly seat: Seat; readonly successor: SeatPlan },
  { policy, facts, now }: Setting,
): Step {
  const { slaHours } = ruleOf(policy, stageRun(step, order));
  const dueAt = slaHours === null ? null : now + slaHours * HOUR;
  const required = seat.required || successor.required;
  const newTask: Task = {
    ...invitation({ ...successor, required }, { dueAt, now }),
    id: facts.newId(),
    seatId: seat.id,
    reassignedFrom: task.assignee,
  };
  const oldTask: Task = { ...task, status: "reassigned", completedAt: now };
  const held: Seat = {
    ...seat,
    holder: successor.holder.id,
    origins: successor.origins.map(({ id }) => id),
    required,
  };
  const moved = patchStage(step, order, (run) => {
    const replaced = patchSeat(patchTask(run, oldTask), held);
    return skipIdleEscalation({ ...replaced, tasks: [...replaced.tasks, newTask] }, now);
  });
  return emit(moved, { type: "seat_freed", task: oldTask, newTask, cause }, { stageOrder: order });
}

/**
 * Who takes a freed seat: somebody the rules find now who takes no part in the stage yet; first those whom the seat stood
 * for already, then in rule order. Only somebody required may take the seat of somebody required.
 */
function successorOf(step: Step, run: StageRun, seat: Seat, setting: Setting): SeatPlan | "unknown" | null {
  const { policy, facts, now } = setting;
  const rule: Stage = ruleOf(policy, run);
  const place = placeOf(policy, run.order);
  const where: Petitioned = {
    stage: rule,
    policyKey: step.request.policy.key,
    artifactType: step.request.artifactType,
    now,
    barred: (person) => barredBecause(policy, step.request, person, place),
  };
  const found = findCandidates(rule.rules, expressionData(step.request), facts, where.barred);
  if (isResolutionFailure(found)) return "unknown";
  const stoodFor = ({ person }: Candidate): boolean => seat.origins.includes(person.id);
  const ordered = [...found.approvers.filter(stoodFor), ...found.approvers.filter((one) => !stoodFor(one))];
  const fresh = ordered.filter(({ person, required }) => !takesPart(run, person) && (required || !seat.required));
  const alike = [...fresh.filter(({ required }) => required === seat.required), ...fresh];
  const plans = alike.flatMap((candidate) => planAdded([candidate], facts, where).seats);
  return plans.find(({ holder }) => !takesPart(run, holder)) ?? null;
}

function takesPart(run: StageRun, { id }: Person): boolean {
  return (
    run.tasks.some((task) => task.personId === id) ||
    run.seats.some((seat) => seat.holder === id) ||
    run.decisions.some((decision) => decision.personId === id)
  );
}

/** The same facts, in which this person is nobody to ask any more: they were looked up before the person left. */
function withoutPerson(facts: Facts, personId: PersonId): Facts {
  const gone = (person: Person): Person => (person.id === personId ? { ...person, disabled: true } : person);
  const left = (lookup: Lookup): Lookup => (lookup.ok ? { ok: true, members: lookup.members.map(gone) } : lookup);
  const away = (delegation: Delegation): Delegation => ({ ...delegation, to: gone(delegation.to) });
  return {
    ...facts,
    people: new Map([...facts.people].map(([name, person]) => [name, gone(person)])),
    lookups: new Map([...facts.lookups].map(([key, lookup]) => [key, left(lookup)])),
    delegations: new Map([...facts.delegations].map(([from, list]) => [from, list.map(away)])),
  };
}
