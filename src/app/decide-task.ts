/** A person approves, rejects or abstains, with whatever proves it (docs/spec/identity.md sections 6 and 7). */
import { SESSION_ALONE, type Proven } from "../core/assurance.ts";
import type { DecisionId, TaskId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { Bug, isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import {
  findTask,
  type Decision,
  type DecisionAction,
  type Request,
  type StageRun,
  type Task,
} from "../core/request.ts";
import type { ViewRecord } from "../ports/ceremony-records.ts";
import type { AuditRecord, ChangeSet } from "../ports/change-set.ts";
import type { Carried, Needs, StoreCommand, World } from "../ports/command-store.ts";
import type { FactorRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordChanges } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { coolingDown, decidingMethods } from "./deciding-factors.ts";
import { deployDecision } from "./deploy/gate-decision.ts";
import type { SignedEvidence } from "./event-entry.ts";
import { factorUnknown, isLiveFactor } from "./factor-used.ts";
import type { GrantWindow } from "./grant-window.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { isOwnView } from "./mint-statement.ts";
import type { ProvenFactor } from "./proof.ts";
import { refusalEntries, requestCommand, type RequestAct } from "./request-command.ts";
import { changedSinceView, viewStale } from "./show-task.ts";
import {
  failedChanges,
  lookAtSignature,
  signatureNeeds,
  verifySigned,
  type LookedAtSignature,
  type SentSignature,
} from "./verify-signed.ts";
import { readable } from "./visibility.ts";

export interface DecideTaskInput {
  readonly taskId: TaskId;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly attachmentsRef: string | null;
  readonly reasonCode: string | null;
  readonly digest: string | null;
  /** Id of the view that the decision is about. */
  readonly view?: string | null;
  /** How long the approval lasts, as its gate says at the deciding moment (deploy R-EXPIRY-1); absent where none speaks. */
  readonly grantWindow?: GrantWindow;
}

/** What stands behind a decision besides the credential; absent where nothing does. */
export interface DecisionProof {
  /** Views and statements belong to one session. */
  readonly session: SessionRecord | null;
  /** A factor proven for this decision, and what the proof was bound to. */
  readonly factor: BoundFactor | null;
  readonly signature: SentSignature | null;
}

export interface BoundFactor extends ProvenFactor {
  readonly revision: number;
  readonly digest: string;
}

export interface DecisionMade {
  readonly request: Request;
  readonly stage: StageRun;
  readonly task: Task;
  readonly decision: Decision;
}

const NO_PROOF: DecisionProof = { session: null, factor: null, signature: null };

export async function decideTask(
  app: Application,
  actor: Actor,
  input: DecideTaskInput & Partial<DecisionProof>,
  call: Once<DecisionMade> | null,
): Promise<DecisionMade | Refusal | Replay> {
  const { session, factor, signature } = { ...NO_PROOF, ...input };
  // Without a rack nothing is asked, and commands keep the order in which they came.
  const gate = app.deploy.racks.all().length === 0 ? null : await deployDecision(app, input);
  if (gate !== null && isRefusal(gate)) return gate;
  const looked = signature === null ? null : await lookAtSignature(app, signature);
  const viewId = looked?.viewId ?? input.view ?? null;
  const [view] = viewId === null ? [] : await app.reader.records(recordsBy("view", "id", [viewId]));
  const granted = gate === null ? input : { ...input, grantWindow: gate };
  const deciding: Deciding = { app, actor, input: granted, session, factor, looked, viewId, view };
  const answer = await app.store.submit(once(decideCommand(deciding), call, ({ request }) => request.id));
  return isRefusal(answer) ? withMethods(app, actor, answer) : answer;
}

/** Everything about one decision that is known before its transaction. */
interface Deciding {
  readonly app: Application;
  readonly actor: Actor;
  readonly input: DecideTaskInput;
  readonly session: SessionRecord | null;
  readonly factor: BoundFactor | null;
  readonly looked: LookedAtSignature | null;
  readonly viewId: string | null;
  /** As it was read before; it never changes. */
  readonly view: ViewRecord | undefined;
}

function decideCommand(deciding: Deciding): StoreCommand<DecisionMade | Refusal> {
  const { app, actor, input } = deciding;
  const plain = requestCommand(app, decisionAct(deciding, NOTHING_PROVEN));
  return {
    ...plain,
    needs: merged([plain.needs, ...proofNeeds(deciding)]),
    carryOut(world, facts) {
      const request = world.requestOfTask(input.taskId);
      // Unknown and not theirs to see are answered before anything is said about proofs.
      if (request === undefined || !readable(request, actor, app.settings)) return plain.carryOut(world, facts);
      const assessed = assess(deciding, world, request);
      if ("refusal" in assessed) return refused(deciding, request, assessed);
      const carried = requestCommand(app, decisionAct(deciding, assessed)).carryOut(world, facts);
      return completed(withGateRecords(carried, input, { world, before: request }), assessed, request);
    },
  };
}

/** What proves the decision, as the transaction finds it. */
interface Assessed {
  readonly proven: Proven;
  readonly signed: SignedEvidence | null;
  /** What the person was shown, kept where the decision is signed. */
  readonly view: ViewRecord | null;
  /** Written with the decision. */
  readonly counted: RecordChanges;
  /** Written whatever the engine answers. */
  readonly spent: RecordChanges;
  /** The refusal in the place of "not proven enough". */
  readonly unripe: Refusal | null;
}

interface Unproven {
  readonly refusal: Refusal;
  readonly changes: Pick<ChangeSet, "entries" | "records">;
}

const NOTHING_PROVEN: Assessed = {
  ...{ proven: SESSION_ALONE, signed: null, view: null, counted: {}, spent: {}, unripe: null },
};

function decisionAct({ actor, input }: Deciding, { proven, signed }: Assessed): RequestAct<DecisionMade> {
  return {
    name: "decide_task",
    target: { taskId: input.taskId },
    actor,
    signed,
    command: (world) => {
      const decisionId: DecisionId = world.newId();
      const { taskId, action, comment, attachmentsRef, reasonCode, digest } = input;
      const said = { taskId, action, comment, attachmentsRef, reasonCode, digest };
      const { grantWindow } = input;
      const grant = grantWindow === undefined ? {} : { grant: { ttlMinutes: grantWindow.minutes(world) } };
      return { type: "decide", actor, decisionId, ...said, proven, ...grant };
    },
    answer: ({ request }) => decisionMade(request, input.taskId),
    audit: ({ request }, _before, { world, entryOf }) => {
      const made = decisionMade(request, input.taskId);
      return made.decision.override ? [overrideRecord(actor, made, { entry: entryOf("task_decided"), world })] : [];
    },
  };
}

function proofNeeds({ app, actor, input, session, factor, looked, viewId, view }: Deciding): readonly Needs[] {
  const key = view?.policy["key"];
  const decider = { ...input, view: input.view ?? null, actor, session };
  return [
    ...(viewId === null ? [] : [{ records: [recordsBy("view", "id", [viewId])] }]),
    ...(typeof key === "string" && view?.orgId === app.orgId ? [{ activePolicyKeys: [key] }] : []),
    ...(factor?.factorId == null ? [] : [{ records: [recordsBy("factor", "id", [factor.factorId])] }]),
    ...(looked === null ? [] : [signatureNeeds(looked, decider)]),
    ...(input.grantWindow === undefined ? [] : [input.grantWindow.needs]),
  ];
}

function merged(needs: readonly Needs[]): Needs {
  return {
    ...needs[0],
    records: needs.flatMap(({ records = [] }) => records),
    activePolicyKeys: needs.flatMap(({ activePolicyKeys = [] }) => activePolicyKeys),
    personIds: needs.flatMap(({ personIds = [] }) => personIds),
  };
}

function assess(deciding: Deciding, world: World, request: Request): Assessed | Unproven {
  if (deciding.looked !== null) return assessSigned(deciding, deciding.looked, { world, request });
  const view = viewInForce(deciding, world, request);
  if (view !== null && isRefusal(view)) return unproven(view);
  const shownAt = view?.shownAt ?? null;
  const { factor } = deciding;
  if (factor !== null) return assessFactor(factor, shownAt, { world, request });
  return { ...NOTHING_PROVEN, proven: { ...SESSION_ALONE, shownAt } };
}

function assessFactor(
  factor: BoundFactor,
  shownAt: Instant | null,
  { world, request }: { readonly world: World; readonly request: Request },
): Assessed | Unproven {
  if (factor.digest !== request.digest || factor.revision !== request.revision) {
    return unproven(refuse("digest_mismatch", "What you confirmed has changed: reload the request and decide again"));
  }
  const [record] = factor.factorId === null ? [] : world.records("factor", "id", factor.factorId);
  if (factor.factorId !== null && (record === undefined || !isLiveFactor(record))) return unproven(factorUnknown());
  const usableAt = record?.usableAt ?? factor.usableAt;
  if (usableAt > world.now) {
    return { ...NOTHING_PROVEN, proven: { ...SESSION_ALONE, shownAt }, unripe: coolingDown(usableAt) };
  }
  const { method, factorId } = factor;
  return { ...NOTHING_PROVEN, proven: { assurance: "mfa", method, factorId, shownAt } };
}

function assessSigned(
  { app, actor, input, session }: Deciding,
  looked: LookedAtSignature,
  { world, request }: { readonly world: World; readonly request: Request },
): Assessed | Unproven {
  const decider = { ...input, view: input.view ?? null, actor, session };
  const verified = verifySigned({ app, world, request, decider, looked });
  if ("refusal" in verified) {
    return { refusal: verified.refusal, changes: failedChanges(app, verified, { world, session }) };
  }
  const { proven, signed, statement, factor, view } = verified;
  const factors: readonly FactorRecord[] = [factor];
  return { proven, signed, view, counted: { factor: factors }, spent: { statement: [statement] }, unripe: null };
}

/** The view that an unsigned decision names; null when it names none. */
function viewInForce(
  { input, session, viewId }: Deciding,
  world: World,
  request: Request,
): ViewRecord | Refusal | null {
  if (viewId === null) return null;
  const [view] = world.records("view", "id", viewId);
  if (session === null || !isOwnView(view, { session }, input.taskId, world.now)) {
    return refuse("view_required", "Open the request again: this view is not yours, or its time is over");
  }
  const activeVersion = world.activePolicy(request.policy.key)?.version.version ?? null;
  const changed = changedSinceView(view, request, activeVersion);
  return changed.length === 0 ? view : viewStale(changed);
}

function unproven(refusal: Refusal): Unproven {
  return { refusal, changes: { entries: [] } };
}

function refused({ app, actor }: Deciding, request: Request, { refusal, changes }: Unproven): Carried<Refusal> {
  const told = refusalEntries(app, actor, request, refusal);
  return { answer: refusal, changes: { ...changes, entries: [...changes.entries, ...told] } };
}

/** The decision that completed the approval takes along what its gate remembers of this moment. */
function withGateRecords(
  carried: Carried<DecisionMade | Refusal>,
  { grantWindow }: DecideTaskInput,
  { world, before }: { readonly world: World; readonly before: Request },
): Carried<DecisionMade | Refusal> {
  const { answer, changes } = carried;
  if (grantWindow === undefined || isRefusal(answer)) return carried;
  if (before.grant !== null || answer.request.grant === null) return carried;
  const records = { ...changes.records, ...grantWindow.approved(world) };
  return { answer, changes: { ...changes, records } };
}

function completed(
  { answer, changes }: Carried<DecisionMade | Refusal>,
  { view, counted, spent, signed, unripe }: Assessed,
  request: Request,
): Carried<DecisionMade | Refusal> {
  if (isRefusal(answer)) {
    const isUnripe = unripe !== null && answer.refusal === "step_up_required";
    return { answer: isUnripe ? unripe : answer, changes: { ...changes, records: { ...changes.records, ...spent } } };
  }
  const displays =
    signed === null || view === null
      ? []
      : [{ digest: view.displayDigest, requestId: request.id, document: view.display }];
  return { answer, changes: { ...changes, records: { ...changes.records, ...spent, ...counted }, displays } };
}

/** Tells what the person could prove the decision with (engine R-DECIDE-10). */
async function withMethods(app: Application, { person }: Actor, refusal: Refusal): Promise<Refusal> {
  const needed = NEEDED.get(refusal.refusal);
  if (needed === undefined || person === null) return refusal;
  const methods = [...(await decidingMethods(app, person.id, needed))];
  return { ...refusal, members: { step_up: { needed, methods } } };
}

const NEEDED: ReadonlyMap<string, "mfa" | "signed"> = new Map([
  ["step_up_required", "mfa"],
  ["signature_required", "signed"],
]);

function decisionMade(request: Request, taskId: TaskId): DecisionMade {
  const found = findTask(request, taskId);
  const decision = found?.stage.decisions.find((candidate) => candidate.taskId === taskId);
  if (found === undefined || decision === undefined) throw new Bug("a recorded decision cannot be found");
  return { request, ...found, decision };
}

function overrideRecord(
  actor: Actor,
  { request, task, decision }: DecisionMade,
  at: { readonly entry: number; readonly world: World },
): AuditRecord {
  return auditRecord(actor, at, {
    action: "task.override",
    resourceType: "task",
    resourceId: task.id,
    summary: `${actor.assignee} decided ${decision.action} on the task of ${task.assignee}`,
    before: { assignee: task.assignee, status: "open" },
    after: { decision: decision.action, status: task.status },
    metadata: { request_id: request.id, comment: decision.comment },
  });
}
