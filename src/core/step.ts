/**
 * A request on its way through one command: the state so far and the events so far. Every helper answers a new step.
 * Implements docs/spec/engine.md R-EVENT-1 and R-EVENT-2.
 */
import type { EngineEvent, EventActor, EventBody } from "./event.ts";
import type { Facts } from "./facts.ts";
import type { Instant } from "./person.ts";
import type { Policy } from "./policy.ts";
import { Bug } from "./refusal.ts";
import { isOpenTask, type Request, type Seat, type StageRun, type Task, type TaskStatus } from "./request.ts";

export interface Step {
  readonly request: Request;
  readonly events: readonly EngineEvent[];
}

/** What stays the same while a command runs. */
export interface Setting {
  readonly policy: Policy;
  readonly facts: Facts;
  readonly now: Instant;
}

export function emit(
  step: Step,
  body: EventBody,
  about: { readonly stageOrder?: number; readonly actor?: EventActor | null } = {},
): Step {
  const sequence = step.request.eventCount + 1;
  const event: EngineEvent = {
    ...body,
    sequence,
    status: step.request.status,
    stageOrder: about.stageOrder ?? step.request.currentStageOrder,
    actor: about.actor ?? null,
  };
  return { request: { ...step.request, eventCount: sequence }, events: [...step.events, event] };
}

export function patch(step: Step, change: Partial<Request>): Step {
  return { request: { ...step.request, ...change }, events: step.events };
}

export function stageRun(step: Step, order: number): StageRun {
  const stage = step.request.stages.find((candidate) => candidate.order === order);
  if (stage === undefined) throw new Bug(`the request has no stage ${String(order)}`);
  return stage;
}

export function patchStage(step: Step, order: number, change: (stage: StageRun) => StageRun): Step {
  const stages = step.request.stages.map((stage) => (stage.order === order ? change(stage) : stage));
  return patch(step, { stages });
}

/** Open tasks get this status; closed ones stay as they are, and so does the array when nothing was open. */
export function closeTasks(
  stage: StageRun,
  status: Extract<TaskStatus, "skipped" | "expired">,
  now: Instant,
  which: (task: Task) => boolean = () => true,
): StageRun {
  const close = (task: Task): boolean => isOpenTask(task) && which(task);
  if (!stage.tasks.some(close)) return stage;
  return { ...stage, tasks: stage.tasks.map((task) => (close(task) ? { ...task, status, completedAt: now } : task)) };
}

export function closeSeats(stage: StageRun): StageRun {
  if (!stage.seats.some((seat) => seat.state === "open")) return stage;
  return { ...stage, seats: stage.seats.map((seat) => (seat.state === "open" ? { ...seat, state: "closed" } : seat)) };
}

export function patchTask(stage: StageRun, task: Task): StageRun {
  return { ...stage, tasks: stage.tasks.map((candidate) => (candidate.id === task.id ? task : candidate)) };
}

export function patchSeat(stage: StageRun, seat: Seat): StageRun {
  return { ...stage, seats: stage.seats.map((candidate) => (candidate.id === seat.id ? seat : candidate)) };
}
