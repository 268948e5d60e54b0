/** Administrators cancel any live request, the requester and the caller that made it cancel theirs (R-CANCEL-1). */
import { eventActor } from "./event.ts";
import { endRequest } from "./finish-request.ts";
import type { RequestId } from "./ids.ts";
import type { Actor } from "./person.ts";
import { refuse, type Refusal } from "./refusal.ts";
import { isLive, type CancelCause, type Request } from "./request.ts";
import type { Setting, Step } from "./step.ts";
import { terminalRefusal } from "./task-access.ts";

export interface CancelCommand {
  readonly type: "cancel";
  readonly actor: Actor;
  readonly reason: string | null;
  /** A gate cancels by its own rules of who may; absent where a caller of the generic API does. */
  readonly gate?: GateCancel;
}

export interface GateCancel {
  readonly cause: CancelCause | null;
  /** The request that takes its place, and only with that cause. */
  readonly supersededBy: RequestId | null;
}

const BY_CALLER: GateCancel = { cause: null, supersededBy: null };

export function cancelRequest(step: Step, command: CancelCommand, { now }: Setting): Step | Refusal {
  const { actor, reason, gate } = command;
  if (gate === undefined && !actor.admin && !isRequester(step.request, actor) && !isCreator(step.request, actor)) {
    return refuse("forbidden", "Role `AWE_ADMIN` required");
  }
  if (!isLive(step.request.status)) return terminalRefusal(step.request, "cancel");
  return endRequest(
    step,
    { type: "request_cancelled", reason, ...(gate ?? BY_CALLER) },
    { actor: eventActor(actor), now },
  );
}

/** Permitting compares the exact name (R-AUTH-5); a machine is nobody's requester by name. */
export function isRequester(request: Request, actor: Actor): boolean {
  return actor.person !== null && request.requester === actor.assignee;
}

/** The same issuer and subject; for a machine another machine of the same client will do (R-AUTH-30). */
export function isCreator(request: Request, actor: Actor): boolean {
  const { creator } = request;
  if (creator.personId !== null && creator.personId === actor.person?.id) return true;
  if (creator.issuer !== actor.issuer) return false;
  if (creator.subject === actor.subject) return true;
  return creator.machine && actor.machine && creator.clientId !== null && creator.clientId === actor.clientId;
}
