/**
 * Somebody who may approve says no: as their own decision while it is theirs to make, else as an administrator; what was approved
 * already is taken back. It needs no factor. Implements docs/spec/deploy.md R-STATE-2 (reject), R-STATE-4 and R-STATE-9.
 */
import type { Actor } from "../admitted-actor.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import type { Decision, Request } from "../../core/request.ts";
import { notPending, tokenCannotDecide } from "../../gates/deploy/request-refusals.ts";
import type { DeployApprovalView } from "../../ports/deploy-reader.ts";
import type { Application } from "../application.ts";
import { cancelCommand } from "../cancel-request.ts";
import { decideTask } from "../decide-task.ts";
import { revokeGrantCommand } from "../grant-act.ts";
import { findApproval, onVersion, settled, statusOf, type ApprovalAsk } from "./act-on-approval.ts";
import { ownTask } from "./approve-deploy.ts";
import type { DeployCaller } from "./deploy-caller.ts";
import { refusedByGate } from "./refused-by-gate.ts";

export interface Rejecting extends ApprovalAsk {
  readonly notes: string | null;
}

const NO_REASON = "no reason given";

/** Null when it is done, or was before. */
export async function rejectDeploy(app: Application, caller: DeployCaller, ask: Rejecting): Promise<Refusal | null> {
  const view = await findApproval(app, caller, ask);
  if (isRefusal(view)) return view;
  const { actor } = caller;
  if (actor.person === null) return refusedByGate(tokenCannotDecide());
  const status = statusOf(app, view);
  if (status === "rejected" && wasRejectedBy(view, actor)) return null;
  if (status !== "pending" && status !== "approved") return refusedByGate(notPending(status), view.record.id);
  const notes = ask.notes ?? NO_REASON;
  const answer = await onVersion(app, { view, version: ask.version }, (guardedApp) =>
    status === "approved"
      ? takeBack(guardedApp, actor, view.request, notes)
      : reject(guardedApp, actor, view.request, notes),
  );
  const outcome = await settled(app, view, answer);
  return isRefusal(outcome) ? outcome : null;
}

function wasRejectedBy({ request, end }: DeployApprovalView, { person, assignee }: Actor): boolean {
  const isOwn = (decision: Decision): boolean => decision.personId === person?.id && decision.action === "reject";
  return end?.actorId === assignee || request.stages.some((run) => run.decisions.some(isOwn));
}

function takeBack(app: Application, actor: Actor, { id }: Request, comment: string): Promise<Request | Refusal> {
  const about = { requestId: id, by: "gate", reason: "rejected", comment } as const;
  return app.store.submit(revokeGrantCommand(app, actor, about));
}

/** Where one's own task asks for more than a session, an administrator's word does: stopping must be easy (R-MFA-1). */
async function reject(app: Application, actor: Actor, request: Request, comment: string): Promise<object> {
  const task = actor.person === null ? undefined : ownTask(request, actor.person);
  if (task !== undefined) {
    const said = { comment, attachmentsRef: null, reasonCode: null, digest: null };
    const decided = await decideTask(app, actor, { taskId: task.id, action: "reject", ...said }, null);
    if (!isRefusal(decided) || !PROOF_MISSING.has(decided.refusal)) return decided;
  }
  const gate = { cause: "rejected", supersededBy: null } as const;
  return app.store.submit(cancelCommand(app, actor, { requestId: request.id, reason: comment, gate }));
}

const PROOF_MISSING: ReadonlySet<string> = new Set([
  ...["step_up_required", "signature_required", "view_required", "separation_of_duties", "not_assignee"],
]);
