/**
 * Whoever asked, the token it is for, its owner, or somebody who may approve calls a deployment off; an approval is taken back.
 * Implements docs/spec/deploy.md R-STATE-2 (cancel) and R-STATE-9.
 */
import { permits, type Permission } from "../../core/permission.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { notPending } from "../../gates/deploy/request-refusals.ts";
import type { Application } from "../application.ts";
import { cancelCommand } from "../cancel-request.ts";
import { revokeGrantCommand } from "../grant-act.ts";
import { findApproval, onVersion, settled, statusOf, type ApprovalAsk } from "./act-on-approval.ts";
import { mayApprove, type DeployCaller } from "./deploy-caller.ts";
import { isRelated } from "./approval-relation.ts";
import { refuseDeploy } from "../../gates/deploy/deploy-refusal.ts";
import { refusedByGate } from "./refused-by-gate.ts";

const CANCEL: Permission = "gateway:deploy_approval_request:cancel";

export interface Cancelling extends ApprovalAsk {
  readonly notes: string | null;
}

/** Null when it is done, or was before. */
export async function cancelDeploy(app: Application, caller: DeployCaller, ask: Cancelling): Promise<Refusal | null> {
  const view = await findApproval(app, caller, ask);
  if (isRefusal(view)) return view;
  const { actor } = caller;
  const isOwn = permits(actor.permissions, CANCEL) && isRelated(caller, view);
  if (!isOwn && !mayApprove(actor)) {
    return refusedByGate(refuseDeploy("permission_denied", "you may not cancel this request"), view.record.id);
  }
  const status = statusOf(app, view);
  if (status === "cancelled") return null;
  if (status !== "pending" && status !== "approved") return refusedByGate(notPending(status), view.record.id);
  const requestId = view.request.id;
  const { notes } = ask;
  const answer = await onVersion(app, { view, version: ask.version }, (guardedApp): Promise<object> => {
    const command =
      status === "approved"
        ? revokeGrantCommand(guardedApp, actor, { requestId, by: "gate", reason: "cancelled", comment: notes })
        : cancelCommand(guardedApp, actor, { requestId, reason: notes, gate: { cause: null, supersededBy: null } });
    return guardedApp.store.submit(command);
  });
  const outcome = await settled(app, view, answer);
  return isRefusal(outcome) ? outcome : null;
}
