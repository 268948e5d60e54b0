/** What every act on a deploy approval has in common: finding it, the version it was seen in, and refusals in the gate's words (docs/spec/deploy.md R-STATE-2, R-STATE-4). */
import { isRefusal, type Refusal, type RefusalCode } from "../../core/refusal.ts";
import { deployStatus, type DeployStatus } from "../../gates/deploy/deploy-status.ts";
import { refuseDeploy, type DeployRefusal } from "../../gates/deploy/deploy-refusal.ts";
import {
  approvalExpired,
  approvalNotFound,
  extensionLimit,
  extensionNotLater,
  notPending,
  requestChanged,
} from "../../gates/deploy/request-refusals.ts";
import type { DeployApprovalView } from "../../ports/deploy-reader.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { approvalStanding } from "./approval-standing.ts";
import { deployViewer, type DeployIdentity } from "./deploy-caller.ts";
import { guarded } from "./guarded.ts";
import { isGateRefusal, refusedByGate, type GateRefusal } from "./refused-by-gate.ts";

export interface ApprovalAsk {
  readonly id: string;
  /** The rack of the path; null where it names none. */
  readonly scope: string | null;
  /** The version that the caller saw; null where they do not say. */
  readonly version: number | null;
}

/** The approval as the caller may see it. */
export async function findApproval(
  app: Application,
  caller: DeployIdentity,
  { id, scope }: Pick<ApprovalAsk, "id" | "scope">,
): Promise<DeployApprovalView | GateRefusal> {
  const view = await app.reader.deployApproval(id, deployViewer(caller));
  const isHere = view !== undefined && (scope === null || view.record.scope === scope);
  return isHere ? view : refusedByGate(approvalNotFound());
}

export function wireVersion({ record, request }: Pick<DeployApprovalView, "record" | "request">): number {
  return record.version + request.eventCount;
}

export function statusOf(
  app: Application,
  { request, record }: Pick<DeployApprovalView, "record" | "request">,
): DeployStatus {
  return deployStatus(approvalStanding(request, record), app.clock());
}

/** Done on the version that the caller saw, or not at all. */
export function onVersion<Answer>(
  app: Application,
  { view, version }: { readonly view: DeployApprovalView; readonly version: number | null },
  act: (app: Application) => Promise<Answer>,
): Promise<Answer | Refusal> {
  if (version === null) return act(app);
  const { id } = view.record;
  const changed = refusedByGate(requestChanged(), id);
  if (version !== wireVersion(view)) return Promise.resolve(changed);
  return guarded(
    app,
    {
      needs: { requestIds: [view.request.id], records: [recordsBy("deployApproval", "id", [id])] },
      refusal(world) {
        const [record] = world.records("deployApproval", "id", id);
        const request = world.request(view.request.id);
        const isSame = record !== undefined && request !== undefined && wireVersion({ record, request }) === version;
        return isSame ? null : changed;
      },
    },
    act,
  );
}

/** The engine's refusal in the words of this API; `status` is what the request is by now. */
function inGateWords(
  refusal: Refusal,
  { id, status }: { readonly id: string; readonly status: DeployStatus },
): Refusal {
  if (isGateRefusal(refusal)) return refusal;
  const gate = gateRefusal(refusal, status);
  return gate === null ? refusal : refusedByGate(gate, id);
}

const GATE_WORDS: Partial<Readonly<Record<RefusalCode, (status: DeployStatus, message: string) => DeployRefusal>>> = {
  wrong_state: (status) => notPending(status),
  grant_unusable: (status) => notPending(status),
  grant_expired: () => approvalExpired(),
  extension_limit: () => extensionLimit(),
  extension_not_later: () => extensionNotLater(),
  digest_mismatch: () => requestChanged(),
  request_not_found: () => approvalNotFound(),
  task_not_found: () => approvalNotFound(),
  grant_not_supported: (_status, message) => refuseDeploy("approval_stale", message),
};

function gateRefusal({ refusal, message }: Refusal, status: DeployStatus): DeployRefusal | null {
  return GATE_WORDS[refusal]?.(status, message) ?? null;
}

/** Settles what an act answered: in the gate's words where it was refused. */
export async function settled<Answer extends object>(
  app: Application,
  view: DeployApprovalView,
  answer: Answer | Refusal,
): Promise<Answer | Refusal> {
  if (!isRefusal(answer)) return answer;
  const now = await app.reader.deployApproval(view.record.id, { readsAll: true, personId: null, tokenId: null });
  return inGateWords(answer, { id: view.record.id, status: statusOf(app, now ?? view) });
}
