/** Whose request is it? Who made it, the token it is for, and that token's owners (docs/spec/deploy.md R-STATE-2). */
import type { DeployApprovalView } from "../../ports/deploy-reader.ts";
import { callingToken, type DeployIdentity } from "./deploy-caller.ts";

export function isRelated(caller: DeployIdentity, view: DeployApprovalView): boolean {
  const { record, tokens } = view;
  const token = callingToken(caller);
  if (token !== null) return token === record.createdByTokenId || token === record.targetTokenId;
  const id = caller.actor.person?.id;
  if (id === undefined) return false;
  const owners = tokens.find((one) => one.id === record.targetTokenId)?.owners ?? [];
  return id === record.createdByPersonId || id === record.targetPersonId || owners.includes(id);
}
