/** An approval lasts longer: a bounded number of times, never beyond a bound, by nobody who could not have approved. Implements docs/spec/deploy.md R-EXPIRY-4. */
import type { ExtendGrantCommand } from "../../core/grant-command.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import type { Request } from "../../core/request.ts";
import { approvalExpired, notPending, tokenCannotDecide } from "../../gates/deploy/request-refusals.ts";
import type { World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import type { Application } from "../application.ts";
import { extendGrantCommand } from "../grant-act.ts";
import { findApproval, onVersion, settled, statusOf, type ApprovalAsk } from "./act-on-approval.ts";
import { ineligible } from "./approve-deploy.ts";
import type { DeployCaller } from "./deploy-caller.ts";
import { refusedByGate } from "./refused-by-gate.ts";

const MINUTE = 60_000;

export async function extendDeploy(app: Application, caller: DeployCaller, ask: ApprovalAsk): Promise<Refusal | null> {
  const view = await findApproval(app, caller, ask);
  if (isRefusal(view)) return view;
  const { actor } = caller;
  if (actor.person === null) return refusedByGate(tokenCannotDecide());
  const status = statusOf(app, view);
  if (status !== "approved") {
    const isOver = status === "expired" && view.request.grant !== null;
    return refusedByGate(isOver ? approvalExpired() : notPending(status), view.record.id);
  }
  const desk = app.deploy.settings;
  const bounds = (request: Request, world: World): Bounds => boundsOf(app, world, { request, record: view.record });
  const asked = { requestId: view.request.id, needs: { records: [desk.needs(app)] }, bounds };
  const answer = await onVersion(app, { view, version: ask.version }, (guardedApp): Promise<object> =>
    guardedApp.store.submit(extendGrantCommand(guardedApp, actor, asked)),
  );
  const outcome = await settled(app, view, answer);
  if (!isRefusal(outcome)) return null;
  return outcome.refusal === "separation_of_duties" ? ineligible(view, actor.person) : outcome;
}

type Bounds = Omit<ExtendGrantCommand, "type" | "actor">;

function boundsOf(
  app: Application,
  world: World,
  { request, record }: { readonly request: Request; readonly record: DeployApprovalRecord },
): Bounds {
  const settings = app.deploy.settings.at(world, app, { scope: record.scope, app: record.app });
  const since = request.grant?.notBefore ?? world.now;
  return {
    expiresAt: world.now + settings.app.windowMinutes.value * MINUTE,
    most: settings.global.maxExtensions.value,
    latest: since + settings.global.maxWindowMinutes.value * MINUTE,
  };
}
