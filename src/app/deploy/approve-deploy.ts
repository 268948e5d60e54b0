/**
 * A person approves a deployment: on their own task, with a factor that is proven in this very call, about what they saw. Implements
 * docs/spec/deploy.md R-STATE-2 (approve), R-STATE-4, R-REQ-10 and R-MFA-3.
 */
import type { JsonValue } from "../../core/json.ts";
import type { Person } from "../../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { isOpenTask, type Decision, type Request, type Task } from "../../core/request.ts";
import { refuseDeploy } from "../../gates/deploy/deploy-refusal.ts";
import { notPending, selfApproval, tokenCannotDecide } from "../../gates/deploy/request-refusals.ts";
import type { DeployApprovalView } from "../../ports/deploy-reader.ts";
import type { SessionRecord } from "../../ports/identity-records.ts";
import type { Application } from "../application.ts";
import { decideTask, type BoundFactor } from "../decide-task.ts";
import type { Proof } from "../proof.ts";
import { proveFactor } from "../prove-factor.ts";
import { findApproval, onVersion, settled, statusOf, type ApprovalAsk } from "./act-on-approval.ts";
import { approvalAct } from "./approval-act.ts";
import { selfApprovalOf } from "./approval-exclusions.ts";
import type { DeployCaller } from "./deploy-caller.ts";
import { refusedByGate } from "./refused-by-gate.ts";

export interface Approving extends ApprovalAsk {
  readonly notes: string | null;
  /** For policies that ask for signatures: the statement, and what the passkey answered. */
  readonly signature: { readonly statement: string; readonly response: JsonValue } | null;
  readonly session: SessionRecord | null;
  readonly proof: Proof | null;
  /** The route with its id, as a proof is bound to it. */
  readonly route: string;
}

/** Null when it is done, or was before. */
export async function approveDeploy(app: Application, caller: DeployCaller, ask: Approving): Promise<Refusal | null> {
  const view = await findApproval(app, caller, ask);
  if (isRefusal(view)) return view;
  const { person } = caller.actor;
  if (person === null) return refusedByGate(tokenCannotDecide());
  const status = statusOf(app, view);
  if (hasApproved(view.request, person) && STANDS.has(status)) return null;
  if (status !== "pending") return refusedByGate(notPending(status), view.record.id);
  const task = ownTask(view.request, person);
  if (task === undefined) return ineligible(view, person);
  const answer = await onVersion(app, { view, version: ask.version }, (guardedApp) =>
    decide(guardedApp, caller, { view, ask, task }),
  );
  const outcome = await settled(app, view, answer);
  if (!isRefusal(outcome)) return null;
  return outcome.refusal === "separation_of_duties" ? ineligible(view, person) : missingFactor(outcome);
}

/** An approval by the same person that still holds: the same again changes nothing. */
const STANDS: ReadonlySet<string> = new Set(["pending", "approved", "deployed"]);

function hasApproved({ stages }: Request, { id }: Person): boolean {
  const isOwn = (decision: Decision): boolean =>
    decision.personId === id && decision.action === "approve" && decision.voidedAt === null;
  const open = stages.filter(({ state }) => state === "open");
  const isWaiting = open.some(({ tasks }) => tasks.some((task) => isOpenTask(task) && task.personId === id));
  return !isWaiting && stages.some((run) => run.decisions.some(isOwn));
}

export function ownTask({ stages }: Request, { id }: Person): Task | undefined {
  return stages
    .filter(({ state }) => state === "open")
    .flatMap(({ tasks }) => tasks)
    .find((task) => isOpenTask(task) && task.kind === "approver" && task.personId === id);
}

/** Whoever holds the permission and no task is barred, or the policy asks others. */
export function ineligible({ request, record }: DeployApprovalView, person: Person): Refusal {
  const own = selfApprovalOf(request, person);
  const who = approversSentence(request);
  if (own !== null) return refusedByGate(selfApproval(own, who), record.id);
  const message = "you are not an approver of this request";
  return refusedByGate(refuseDeploy("permission_denied", message, [who]), record.id);
}

function approversSentence({ stages }: Request): string {
  const names = stages
    .flatMap(({ tasks }) => tasks)
    .filter((task) => isOpenTask(task) && task.kind === "approver")
    .map(({ assigneeName, assignee }) => assigneeName ?? assignee);
  return names.length === 0
    ? "Nobody is asked at present."
    : `It can be approved by: ${[...new Set(names)].join(", ")}.`;
}

interface Deciding {
  readonly view: DeployApprovalView;
  readonly ask: Approving;
  readonly task: Task;
}

async function decide(app: Application, caller: DeployCaller, { view, ask, task }: Deciding): Promise<object> {
  const factor = await provenFor(app, caller, { view, ask, task });
  if (factor !== null && isRefusal(factor)) return factor;
  const said = { comment: ask.notes, attachmentsRef: null, reasonCode: null, digest: view.request.digest };
  const { session, signature } = ask;
  return decideTask(
    app,
    caller.actor,
    { taskId: task.id, action: "approve", ...said, session, factor, signature },
    null,
  );
}

/** A signature is a proof of its own. */
async function provenFor(
  app: Application,
  { actor }: DeployCaller,
  { view, ask }: Deciding,
): Promise<BoundFactor | Refusal | null> {
  const { proof, session, signature, route } = ask;
  if (signature !== null) return null;
  if (proof === null || actor.person === null) return factorMissing();
  const { revision, digest } = view.request;
  const prover = { personId: actor.person.id, sessionId: session?.id ?? null };
  const proven = await proveFactor(app, prover, approvalAct(route, view.request), proof);
  return isRefusal(proven) ? proven : { ...proven, revision, digest };
}

export function factorMissing(): Refusal {
  return refuse("mfa_required", "This act needs a factor with the call itself: a passkey, a code or a backup code");
}

/** Sessions that carry no factor of ours. */
function missingFactor(refusal: Refusal): Refusal {
  return refusal.refusal === "step_up_required" ? factorMissing() : refusal;
}
