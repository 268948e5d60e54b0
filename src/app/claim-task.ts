/** Marking a task as one's own, and taking the mark back. */
import type { TaskId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { Bug, type Refusal } from "../core/refusal.ts";
import { findTask, type Request, type StageRun, type Task } from "../core/request.ts";
import type { Application } from "./application.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { requestCommand } from "./request-command.ts";

export interface TaskChanged {
  readonly request: Request;
  readonly stage: StageRun;
  readonly task: Task;
}

export function claimTask(
  app: Application,
  actor: Actor,
  taskId: TaskId,
  call: Once<TaskChanged> | null,
): Promise<TaskChanged | Refusal | Replay> {
  return mark(app, { type: "claim", actor, taskId }, call);
}

export function releaseTask(
  app: Application,
  actor: Actor,
  taskId: TaskId,
  call: Once<TaskChanged> | null,
): Promise<TaskChanged | Refusal | Replay> {
  return mark(app, { type: "release", actor, taskId }, call);
}

interface Mark {
  readonly type: "claim" | "release";
  readonly actor: Actor;
  readonly taskId: TaskId;
}

function mark(app: Application, act: Mark, call: Once<TaskChanged> | null): Promise<TaskChanged | Refusal | Replay> {
  const command = requestCommand<TaskChanged>(app, {
    name: `${act.type}_task`,
    target: { taskId: act.taskId },
    actor: act.actor,
    command: () => act,
    answer: ({ request }) => taskChanged(request, act.taskId),
  });
  return app.store.submit(once(command, call, ({ request }) => request.id));
}

export function taskChanged(request: Request, taskId: TaskId): TaskChanged {
  const found = findTask(request, taskId);
  if (found === undefined) throw new Bug("a changed task cannot be found");
  return { request, ...found };
}
