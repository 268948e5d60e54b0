/** A proof for approving a deployment is made for what is approved now, whatever the client says (docs/spec/deploy.md R-MFA-3). */
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { Application } from "../application.ts";
import { findApproval } from "./act-on-approval.ts";
import { approvalAct, approvedBy } from "./approval-act.ts";
import type { DeployIdentity } from "./deploy-caller.ts";

/** Every other act stays what it is. */
export async function boundAct(app: Application, caller: DeployIdentity, act: string): Promise<string | Refusal> {
  const id = approvedBy(act);
  if (id === null) return act;
  const view = await findApproval(app, caller, { id, scope: null });
  return isRefusal(view) ? refuse("not_found", view.message) : approvalAct(act, view.request);
}
