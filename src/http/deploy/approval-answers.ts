/**
 * How acts on deploy approvals are answered: with the request as it is now, or with a refusal in the gate's words, which is an
 * entry of the request's history as well (docs/spec/deploy.md R-REFUSE-1, R-AUDIT-2, R-STATE-4).
 */
import { findApproval, wireVersion } from "../../app/deploy/act-on-approval.ts";
import type { DeployCaller } from "../../app/deploy/deploy-caller.ts";
import { vcsFacts, type vcsFactsRefresher } from "../../app/deploy/effects/read-vcs-facts.ts";
import { isGateRefusal } from "../../app/deploy/refused-by-gate.ts";
import type { RefusalRecorder } from "../../app/record-refused-access.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import type { DeployApprovalView, DeployViewer } from "../../ports/deploy-reader.ts";
import { assuranceProblem } from "../authorized.ts";
import type { Outcome, RawExchange, Reply } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { deployApprovalOut, reviewedApprovalOut } from "../wire/deploy-approval-out.ts";
import { deployReply } from "./deploy-reply.ts";
import { rackOf } from "./rack-scope.ts";

type Call = Pick<RawExchange, "caller" | "params" | "requestId">;

/** The credential with what narrows it. */
export function deployCaller({ caller }: Pick<Call, "caller">): DeployCaller {
  const { actor, roles, limits, workload } = caller;
  return { actor, roles, limits, workload };
}

/** What the path names: an id, and the rack's scope where the address is of one rack. */
export function namedApproval({
  caller,
  params,
}: Call): { readonly id: string; readonly scope: string | null } | Refusal {
  const id = pathText(params, "id").toLowerCase();
  if (params["rack"] === undefined) return { id: UUID.test(id) ? id : NOBODY, scope: null };
  const rack = rackOf({ caller, params });
  return isRefusal(rack) ? rack : { id: UUID.test(id) ? id : NOBODY, scope: rack.info.name };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** What cannot be the id of anything is the id of nothing: 404 (docs/spec/deploy.md R-WIRE-1). */
const NOBODY = "00000000-0000-0000-0000-000000000000";

export async function approvalReply(
  { caller }: Pick<Call, "caller">,
  view: DeployApprovalView,
  { status = 200, look }: { readonly status?: number; readonly look?: ReturnType<typeof vcsFactsRefresher> } = {},
): Promise<Reply> {
  const outside = await vcsFacts(caller.app, view.record.id);
  look?.(caller.app, view, outside);
  return {
    status,
    body: reviewedApprovalOut(caller.app, view, { caller, outside }),
    headers: { ETag: `"${String(wireVersion(view))}"` },
  };
}

/** The request as the caller may see it now. */
export async function shownApproval(
  call: Call,
  named: { readonly id: string; readonly scope: string | null },
  status = 200,
): Promise<Outcome> {
  const view = await findApproval(call.caller.app, call.caller, named);
  return isRefusal(view) ? refusalReply(call, view) : approvalReply(call, view, { status });
}

const EVERYTHING: DeployViewer = { readsAll: true, personId: null, tokenId: null };
/** With these comes the request that is in the way (docs/spec/deploy.md R-REQ-4, R-STATE-2). */
const WITH_OBJECT: ReadonlySet<number> = new Set([409]);

export async function refusalReply({ caller, requestId }: Call, refusal: Refusal): Promise<Outcome> {
  if (refusal.refusal === "mfa_required") return assuranceProblem("fresh");
  if (!isGateRefusal(refusal)) return refusal;
  const { gate, about } = refusal;
  if (about === null || !WITH_OBJECT.has(gate.status)) return deployReply(gate, requestId);
  const view = await caller.app.reader.deployApproval(about, EVERYTHING);
  const object: JsonObject = view === undefined ? {} : deployApprovalOut(caller.app, view, caller);
  return deployReply({ ...gate, details: { ...object, ...gate.details } }, requestId);
}

/** A refused act is part of the request's history; what the caller may not see is not told of. */
export async function recordRefused(
  refusals: RefusalRecorder,
  { caller }: Call,
  about: { readonly refusal: Refusal; readonly id: string; readonly act: string },
): Promise<void> {
  const { refusal, id, act } = about;
  const code = isGateRefusal(refusal) ? refusal.gate.code : refusal.refusal;
  if (code === "deploy_approval_not_found") return;
  const view = await caller.app.reader.deployApproval(id, EVERYTHING);
  const of = view && { id: view.request.id, digest: view.request.digest, gate: view.request.gate };
  await refusals.record(caller.app, caller.actor, {
    ...{ code, route: `POST /deploy-approval-requests/{id}/${act}`, address: caller.client.address },
    ...(of === undefined ? {} : { request: of }),
  });
}

/** The version that the caller saw; null where they do not say, and one that nothing has where they say it wrongly. */
export function versionSeen({ header }: Pick<RawExchange, "header">): number | null {
  const text = header("if-match")?.trim() ?? "";
  if (text === "" || text === "*") return null;
  const [, digits] = /^(?:W\/)?"?([0-9]{1,15})"?$/.exec(text) ?? [];
  return digits === undefined ? UNKNOWN_VERSION : Number(digits);
}

const UNKNOWN_VERSION = -1;
