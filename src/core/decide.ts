/**
 * The one way in: a request, a command, facts and the time give the next state and what happened, or a refusal.
 * Timers that are due are applied first, so the outcome never depends on how late a worker is (R-STAGE-1).
 */
import { cancelRequest, type CancelCommand } from "./cancel-request.ts";
import { claimTask, releaseTask, type ClaimCommand, type ReleaseCommand } from "./claim-task.ts";
import { decideTask, type DecideCommand } from "./decide-task.ts";
import type { EngineEvent } from "./event.ts";
import type { Settings } from "./facts.ts";
import { carryOutOnGrant, isGrantCommand, type GrantCommand } from "./grant-command.ts";
import type { Actor } from "./person.ts";
import { startNextGroup } from "./progress.ts";
import { mergePeople, type MergeCommand } from "./merge-people.ts";
import { reassignTask, type ReassignCommand } from "./reassign-task.ts";
import { releasePerson, type LeaveCommand } from "./release-person.ts";
import { isRefusal, refuse, type Refusal } from "./refusal.ts";
import { isLive, type Request } from "./request.ts";
import type { Setting, Step } from "./step.ts";
import { terminalRefusal } from "./task-access.ts";
import { applyTimers } from "./timers.ts";

/** An administrator asks for a failed lookup to be tried now (R-RESOLVE-8). */
export interface ResolveCommand {
  readonly type: "resolve";
  readonly actor: Actor;
}

/** Nothing but the clock: applies what is due. */
export interface TickCommand {
  readonly type: "tick";
}

export type Command =
  | DecideCommand
  | ClaimCommand
  | ReleaseCommand
  | ReassignCommand
  | CancelCommand
  | GrantCommand
  | ResolveCommand
  | TickCommand
  | LeaveCommand
  | MergeCommand;

export interface CommandSetting extends Setting {
  readonly settings: Settings;
}

/** A refused command changes nothing by itself; timers that were due have still fired. */
export interface Outcome {
  readonly request: Request;
  readonly events: readonly EngineEvent[];
  readonly refusal: Refusal | null;
}

export function decide(request: Request, command: Command, setting: CommandSetting): Outcome {
  const due = applyTimers({ request, events: [] }, setting);
  const after = carryOut(due, command, setting);
  const step = isRefusal(after) ? due : after;
  const changed = step.request !== request;
  return {
    request: changed ? { ...step.request, updatedAt: setting.now } : request,
    events: step.events,
    refusal: isRefusal(after) ? after : null,
  };
}

function carryOut(step: Step, command: Command, setting: CommandSetting): Step | Refusal {
  if (isGrantCommand(command)) return carryOutOnGrant(step, command, setting);
  switch (command.type) {
    case "decide":
      return decideTask(step, command, setting);
    case "claim":
      return claimTask(step, command, setting);
    case "release":
      return releaseTask(step, command);
    case "reassign":
      return reassignTask(step, command, setting);
    case "cancel":
      return cancelRequest(step, command, setting);
    case "resolve":
      return resolveNow(step, command, setting);
    case "leave":
      return releasePerson(step, command, setting);
    case "merge":
      return mergePeople(step, command, setting);
    case "tick":
      return step;
  }
}

function resolveNow(step: Step, command: ResolveCommand, setting: Setting): Step | Refusal {
  if (!command.actor.admin) return refuse("forbidden", "Role `AWE_ADMIN` required");
  if (!isLive(step.request.status)) return terminalRefusal(step.request, "resolve");
  if (step.request.resolution === null) {
    return refuse("wrong_state", "Nothing is waiting for a lookup — there is nothing to resolve");
  }
  return startNextGroup(step, setting, null);
}
