/** The checks that every act on a task starts with, in the order of docs/spec/engine.md R-DECIDE-2. */
import type { TaskId } from "./ids.ts";
import type { Actor, Person } from "./person.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { findTask, isLive, isOpenTask, type Request, type StageRun, type Task } from "./request.ts";

export interface OpenTask {
  readonly stage: StageRun;
  readonly task: Task;
  /** The actor acts in the holder's stead, as an administrator. */
  readonly override: boolean;
}

export function openTask(request: Request, taskId: TaskId, actor: Actor, verb: string): OpenTask | Refusal {
  const found = findTask(request, taskId);
  if (found === undefined) return refuse("task_not_found", `Task ${taskId} not found`);
  if (actor.machine || actor.person === null) return refuse("machine", "Machine credentials cannot decide");
  const standing = standingRefusal(actor.person);
  if (standing !== null) return standing;
  const override = found.task.personId !== actor.person.id;
  if (override && !actor.admin) return refuse("not_assignee", "Task is not assigned to you");
  if (!isLive(request.status)) return terminalRefusal(request, verb);
  if (!isOpenTask(found.task)) return closedTask(found.task, verb);
  return { ...found, override };
}

/** Locked people keep their tasks and cannot act on them; those who left have none (docs/spec/identity.md section 1). */
export function standingRefusal(person: Person): Refusal | null {
  return person.disabled ? refuse("person_locked", "This account is locked or no longer active") : null;
}

export function closedTask(task: Task, verb: string): Refusal {
  return refuse("wrong_state", `Task is in '${task.status}' state — cannot ${verb}`);
}

export function terminalRefusal(request: Request, verb: string): Refusal {
  return refuse("wrong_state", `Request is in terminal state '${request.status}' — cannot ${verb}`);
}
