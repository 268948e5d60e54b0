/** A claim is a marker: it excludes nobody and deciding needs none (R-TASK-1). */
import { eventActor } from "./event.ts";
import type { TaskId } from "./ids.ts";
import type { Actor } from "./person.ts";
import { isRefusal, refuse, type Refusal } from "./refusal.ts";
import { emit, patchStage, patchTask, type Setting, type Step } from "./step.ts";
import { openTask } from "./task-access.ts";

export interface ClaimCommand {
  readonly type: "claim";
  readonly taskId: TaskId;
  readonly actor: Actor;
}

export interface ReleaseCommand {
  readonly type: "release";
  readonly taskId: TaskId;
  readonly actor: Actor;
}

export function claimTask(step: Step, command: ClaimCommand, { now }: Setting): Step | Refusal {
  const found = openTask(step.request, command.taskId, command.actor, "claim");
  if (isRefusal(found)) return found;
  if (found.task.status === "claimed") return refuse("wrong_state", "Task is in 'claimed' state — cannot claim");
  const task = { ...found.task, status: "claimed", claimedAt: now } as const;
  const claimed = patchStage(step, found.stage.order, (stage) => patchTask(stage, task));
  const about = { stageOrder: found.stage.order, actor: eventActor(command.actor) };
  return emit(claimed, { type: "task_claimed", task }, about);
}

export function releaseTask(step: Step, command: ReleaseCommand): Step | Refusal {
  const found = openTask(step.request, command.taskId, command.actor, "release");
  if (isRefusal(found)) return found;
  if (found.task.status === "open") return refuse("wrong_state", "Task is in 'open' state — cannot release");
  const task = { ...found.task, status: "open", claimedAt: null } as const;
  const released = patchStage(step, found.stage.order, (stage) => patchTask(stage, task));
  const about = { stageOrder: found.stage.order, actor: eventActor(command.actor) };
  return emit(released, { type: "task_released", task }, about);
}
