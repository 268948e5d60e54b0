/** Reading deploy approvals: what is asked of a list, and what the caller may do with each (docs/spec/deploy.md 11.1, R-UI-9). */
import { barredThroughout } from "../../core/separation-of-duties.ts";
import { tryCompilePolicy } from "../../core/compile-policy.ts";
import { permits } from "../../core/permission.ts";
import type { Policy } from "../../core/policy.ts";
import { needed, tally } from "../../core/quorum.ts";
import { isOpenTask, type StageRun } from "../../core/request.ts";
import { selfApprovals } from "../../gates/deploy/request-refusals.ts";
import type { DeployStatus } from "../../gates/deploy/deploy-status.ts";
import type { DeployApprovalView } from "../../ports/deploy-reader.ts";
import { selfApprovalOf } from "./approval-exclusions.ts";
import { isRelated } from "./approval-relation.ts";
import { ownTask } from "./approve-deploy.ts";
import { mayApprove, type DeployIdentity } from "./deploy-caller.ts";

export interface ViewerRights {
  readonly canApprove: boolean;
  readonly canReject: boolean;
  readonly canExtend: boolean;
  readonly canCancel: boolean;
  /** Why not approve; null where they can. */
  readonly whyNot: string | null;
}

export function viewerRights(caller: DeployIdentity, view: DeployApprovalView, status: DeployStatus): ViewerRights {
  const { actor } = caller;
  const isApprover = mayApprove(actor);
  const isOpen = status === "pending" || status === "approved";
  const isOwn = permits(actor.permissions, "gateway:deploy_approval_request:cancel") && isRelated(caller, view);
  const whyNot = whyNotApprove(caller, view, status);
  return {
    canApprove: whyNot === null,
    canReject: isApprover && isOpen,
    canExtend: isApprover && status === "approved" && !isBarred(caller, view),
    canCancel: isOpen && (isOwn || isApprover),
    whyNot,
  };
}

function whyNotApprove(caller: DeployIdentity, view: DeployApprovalView, status: DeployStatus): string | null {
  const { actor } = caller;
  if (actor.machine || actor.person === null) return "API tokens cannot decide deploy approval requests";
  if (!mayApprove(actor)) return "you do not have permission to approve";
  if (status !== "pending") return `the request is ${status}`;
  if (ownTask(view.request, actor.person) !== undefined && !isBarred(caller, view)) return null;
  const own = selfApprovalOf(view.request, actor.person);
  if (own !== null) return `you ${selfApprovals[own]}`;
  const { id } = actor.person;
  const hasDecided = view.request.stages.some((run) => run.decisions.some(({ personId }) => personId === id));
  return hasDecided ? "you have decided already" : "you are not an approver of this request";
}

function isBarred({ actor }: DeployIdentity, { request, policy }: DeployApprovalView): boolean {
  const compiled = compiledOf(policy);
  return actor.person === null || compiled === null || barredThroughout(compiled, request, actor.person) !== null;
}

function compiledOf(document: DeployApprovalView["policy"]): Policy | null {
  const compiled = tryCompilePolicy(document);
  return compiled.ok ? compiled.policy : null;
}

export interface ApprovalProgress {
  readonly stage: string | null;
  readonly required: number;
  readonly given: number;
  readonly remaining: readonly { readonly kind: "person"; readonly label: string }[];
}

/** Of the stage that is open, else of the last one that was. */
export function approvalProgress({ request, policy }: DeployApprovalView): ApprovalProgress {
  const run =
    request.stages.find(({ state }) => state === "open") ??
    request.stages.findLast(({ startedAt }) => startedAt !== null);
  if (run === undefined) return { stage: null, required: 0, given: 0, remaining: [] };
  const votes = tally(run.seats);
  const waiting = run.tasks.filter((task) => isOpenTask(task) && task.kind === "approver");
  return {
    stage: run.name,
    required: needed(ruleOf(policy, run), votes),
    given: votes.approved,
    remaining: waiting.map(({ assigneeName, assignee }) => ({ kind: "person", label: assigneeName ?? assignee })),
  };
}

function ruleOf(policy: DeployApprovalView["policy"], run: StageRun): Parameters<typeof needed>[0] {
  const stage = compiledOf(policy)?.stages.find(({ order }) => order === run.order);
  if (stage !== undefined) return stage;
  return { mode: run.mode, modeValue: run.modeValue, minApprovals: 1, abstain: "neutral", reject: "veto" };
}
