/** A seat gets another holder. The seat stays the same seat: same kind, required, leaves (R-REASSIGN-1, R-REASSIGN-2). */
import { eventActor } from "./event.ts";
import { placeOf } from "./groups.ts";
import type { TaskId } from "./ids.ts";
import { isMachineName, type Actor, type Person } from "./person.ts";
import { skipIdleEscalation } from "./overdue.ts";
import { ruleOf, siblings } from "./progress.ts";
import { isGroupFeasible } from "./quorum.ts";
import { invariant, refuse, type Refusal } from "./refusal.ts";
import { findTask, isLive, isOpenTask, type StageRun, type Task } from "./request.ts";
import { barredBecause, exclusionSentence } from "./separation-of-duties.ts";
import { emit, patchStage, patchTask, type Setting, type Step } from "./step.ts";
import { closedTask, terminalRefusal } from "./task-access.ts";

const HOUR = 3_600_000;

export interface ReassignCommand {
  readonly type: "reassign";
  readonly taskId: TaskId;
  readonly newTaskId: TaskId;
  readonly actor: Actor;
  readonly newAssignee: string;
  readonly reason: string | null;
}

export function reassignTask(step: Step, command: ReassignCommand, setting: Setting): Step | Refusal {
  const found = findTask(step.request, command.taskId);
  if (found === undefined) return refuse("task_not_found", `Task ${command.taskId} not found`);
  const { stage, task } = found;
  const own = command.actor.person?.id === task.personId;
  if (!command.actor.admin && !(own && setting.policy.allowHandover)) {
    return refuse("forbidden", "Role `AWE_ADMIN` required");
  }
  if (!isLive(step.request.status)) return terminalRefusal(step.request, "reassign");
  if (!isOpenTask(task)) return closedTask(task, "reassign");
  const target = setting.facts.people.get(command.newAssignee);
  invariant(target !== undefined, "the new assignee was looked up");
  const refusal = targetRefusal(step, { stage, task }, target, setting);
  if (refusal !== null) return refusal;
  return handOver(step, { stage, task, target }, command, setting);
}

interface Held {
  readonly stage: StageRun;
  readonly task: Task;
}

function targetRefusal(step: Step, { stage, task }: Held, target: Person, setting: Setting): Refusal | null {
  if (target.id === task.personId) return refuse("wrong_state", "new_assignee equals the current assignee");
  if (target.machine || isMachineName(target.assignee)) {
    return refuse("wrong_state", `${target.assignee} is a machine: machines do not approve`);
  }
  if (target.disabled) return refuse("wrong_state", `${target.assignee} is disabled`);
  const takesPart =
    stage.tasks.some((other) => other.personId === target.id) ||
    stage.seats.some((seat) => seat.holder === target.id) ||
    stage.decisions.some((decision) => decision.personId === target.id);
  if (takesPart) return refuse("wrong_state", `${target.assignee} already takes part in this stage`);
  if (task.kind === "observer") return null;
  const barred = barredBecause(setting.policy, step.request, target, placeOf(setting.policy, stage.order));
  return barred === null ? null : refuse("wrong_state", `Separation of duties: ${exclusionSentence(barred)}`);
}

function handOver(
  step: Step,
  { stage, task, target }: Held & { readonly target: Person },
  command: ReassignCommand,
  setting: Setting,
): Step | Refusal {
  const { now } = setting;
  const newTask: Task = {
    ...task,
    id: command.newTaskId,
    personId: target.id,
    assignee: target.assignee,
    assigneeName: target.displayName,
    delegatedFrom: null,
    delegatorId: null,
    reassignedFrom: task.assignee,
    status: "open",
    claimedAt: null,
    dueAt: renewedDue(task, ruleOf(setting.policy, stage).slaHours, now),
    overdueAt: null,
    createdAt: now,
  };
  const oldTask: Task = { ...task, status: "reassigned", completedAt: now };
  const moved = patchStage(step, stage.order, (run) => {
    const replaced = patchTask(run, oldTask);
    const held = {
      ...replaced,
      seats: run.seats.map((seat) => (seat.id === task.seatId ? { ...seat, holder: target.id } : seat)),
      tasks: [...replaced.tasks, newTask],
    };
    return skipIdleEscalation(held, now);
  });
  if (starvesSibling(moved, stage.order, setting)) {
    return refuse("quorum_conflict", `${target.assignee} is needed in another stage that runs beside this one`);
  }
  const body = { type: "task_reassigned", task: oldTask, newTask, reason: command.reason } as const;
  return emit(moved, body, { stageOrder: stage.order, actor: eventActor(command.actor) });
}

/** Under forbid_repeat_approvers a person serves one stage of a group only: the others must still find enough people. */
function starvesSibling(step: Step, order: number, { policy }: Setting): boolean {
  if (!policy.forbidRepeatApprovers) return false;
  const group = placeOf(policy, order).group;
  const open = step.request.stages.filter((run) => run.state === "open" && group.includes(run.order));
  return open.length > 1 && !isGroupFeasible(siblings(policy, open));
}

/** The due time is kept, or counted anew if it has already passed. */
function renewedDue(task: Task, slaHours: number | null, now: number): number | null {
  if (task.dueAt === null || task.dueAt > now) return task.dueAt;
  return slaHours === null ? null : now + slaHours * HOUR;
}
