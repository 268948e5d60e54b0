/**
 * Does the outcome follow from the policy and the decisions? The engine itself runs again over the entries: its own
 * functions judge every decision and complete every stage (engine R-QUORUM-14), while who was asked, which stage was
 * skipped and which due time passed is taken from the entries. Implements docs/spec/evidence.md section 6, step 6.
 */
import { ASSURANCES } from "../core/assurance-level.ts";
import type { Proven } from "../core/assurance.ts";
import { createRequest } from "../core/create-request.ts";
import { decideTask } from "../core/decide-task.ts";
import type { Settings } from "../core/facts.ts";
import { groupOf } from "../core/groups.ts";
import type { DecisionId, NewId, TaskId } from "../core/ids.ts";
import { mergePeople } from "../core/merge-people.ts";
import type { MergeCommand } from "../core/merge-people.ts";
import { skipIdleEscalation } from "../core/overdue.ts";
import type { Instant, Person } from "../core/person.ts";
import type { ApproverRule, Policy } from "../core/policy.ts";
import { ruleOf, settle, startNextGroup } from "../core/progress.ts";
import { needed, tally } from "../core/quorum.ts";
import { reassignTask } from "../core/reassign-task.ts";
import { Bug, isRefusal } from "../core/refusal.ts";
import { findTask, isLive, isOpenTask } from "../core/request.ts";
import type { DecisionAction, Request, RequestStatus, Seat, StageRun, Task } from "../core/request.ts";
import { patch, patchStage } from "../core/step.ts";
import type { Setting, Step } from "../core/step.ts";
import { applyTimers } from "../core/timers.ts";
import type { JsonValue } from "../ledger/canonical-json.ts";
import type { EntryFields } from "../ledger/entry.ts";
import { isRecord } from "../ledger/kind-schema.ts";
import {
  actorOf,
  addedTask,
  countingIds,
  idOf,
  isPersonName,
  listOf,
  personOf,
  seatsOf,
  taskOf,
} from "./recorded-people.ts";

export type ReplayedOutcome =
  | { readonly ok: true; readonly outcome: RequestStatus | "superseded"; readonly request: Request }
  | { readonly ok: false; readonly seq: number | null; readonly detail: string };

interface Replay {
  readonly policy: Policy;
  readonly newId: NewId;
  readonly asked: Map<number, EntryFields[]>;
  /** Which entry recorded a decision. */
  readonly recordedAt: Map<DecisionId, number>;
  step: Step;
  /** Seats were freed, and the engine has not looked at the quorum since. */
  unsettled: boolean;
  /** How the request ended without a vote. */
  ended: "cancelled" | "expired" | "superseded" | null;
}

/** Null, or why the entry does not follow from those before it. */
type EntryReader = (replay: Replay, entry: EntryFields, at: Instant) => string | null;

/** Nobody looks anybody up again: every stage waits until the entries say who was asked. */
const WAITS: ApproverRule = {
  match: { type: "role", role: "as recorded", client: null },
  kind: "approver",
  required: false,
};

/** What the policy leaves to the installation is allowed here; entries say whether it happened. */
const SETTINGS: Settings = { adminOverride: "allow", defaultTtlHours: 1, enforceArtifactType: false };

const DECISIONS: ReadonlySet<string> = new Set<DecisionAction>(["approve", "reject", "abstain"]);

const READERS: ReadonlyMap<string, EntryReader> = new Map<string, EntryReader>([
  ["request.created", () => "the request is created twice"],
  ["request.revised", () => "revised requests are not known to this version"],
  ["request.resolved", readResolved],
  ["request.stage_started", readStarted],
  ["request.stage_skipped", readSkipped],
  ["request.stage_escalated", readEscalated],
  ["request.stage_completed", readCompleted],
  ["task.expired", readOverdue],
  ["task.reassigned", readReassigned],
  ["decision.recorded", readDecision],
  ["decision.withdrawn", () => "withdrawn decisions are not known to this version"],
  ["person.merged", readMerged],
  ["decision.voided", readVoided],
  ["request.approved", readApproved],
  ["request.rejected", readRejected],
  ["request.cancelled", endsAs("cancelled")],
  ["request.expired", endsAs("expired")],
  ["request.superseded", endsAs("superseded")],
]);

/** What happens in a stage, while the request is undecided. */
const IN_A_STAGE: ReadonlySet<string> = new Set([
  ...["request.resolved", "request.stage_started", "request.stage_skipped", "request.stage_escalated"],
  ...["task.expired", "task.reassigned", "decision.recorded"],
]);

/** `entries` are those of the request, in order; `policy` is the compiled one that it was decided under. */
export function replayOutcome(policy: Policy, entries: readonly EntryFields[]): ReplayedOutcome {
  const [created, ...rest] = entries;
  if (created?.kind !== "request.created") {
    return { ok: false, seq: null, detail: "the first entry does not create the request" };
  }
  let seq: number | null = created.seq;
  try {
    const replay = startReplay(policy, created);
    for (const entry of rest) {
      ({ seq } = entry);
      settleFreed(replay, entry);
      const read = READERS.get(entry.kind);
      const problem = outOfPlace(replay, entry) ?? read?.(replay, entry, Date.parse(entry.at)) ?? null;
      if (problem !== null) return { ok: false, seq, detail: problem };
    }
    settleFreed(replay, null);
    return finish(replay, rest);
  } catch (error) {
    // Entries that no engine wrote can lead where no engine goes.
    if (error instanceof Bug) return { ok: false, seq, detail: "the entries are of no possible request" };
    throw error;
  }
}

function finish({ step: { request }, ended }: Replay, entries: readonly EntryFields[]): ReplayedOutcome {
  const outcome = isLive(request.status) ? "pending" : (ended ?? request.status);
  if (outcome === "pending" || entries.some(({ kind }) => kind === `request.${outcome}`)) {
    return { ok: true, outcome, request };
  }
  return { ok: false, seq: null, detail: "the entry that ends the request is missing" };
}

function outOfPlace(replay: Replay, entry: EntryFields): string | null {
  if (!IN_A_STAGE.has(entry.kind)) return null;
  const { request } = replay.step;
  const run = runOf(replay, entry);
  if (run === undefined) return "the policy has no such stage";
  const { task } = entry.data;
  // One that two stages claim is of neither.
  const id = task === undefined ? null : idOf<"task">("task", task);
  const elsewhere = request.stages.filter((other) => other !== run).flatMap((other) => other.tasks);
  if (elsewhere.some((other) => other.id === id)) return "a task is of another stage";
  return isLive(request.status) ? null : "something happens after the end";
}

function startReplay(policy: Policy, created: EntryFields): Replay {
  const newId = countingIds();
  const waiting: Policy = {
    ...policy,
    requestTtlHours: null,
    stages: policy.stages.map((stage) => ({ ...stage, rules: [WAITS], escalationRules: [WAITS], skipIf: null })),
  };
  const now = Date.parse(created.at);
  const { requester, policy: digest } = created.data;
  const step = createRequest(
    {
      ...{ id: newId(), orgId: String(created.org), actor: actorOf(created, false), artifactType: "", artifactId: "" },
      ...{ gate: "generic", liveKey: null, requester: typeof requester === "string" ? requester : "" },
      ...{ context: {}, expiresInHours: null, salt: "", digest: created.resource?.digest ?? "" },
    },
    {
      policy: waiting,
      pin: { id: newId(), key: policy.key, version: 1, digest: typeof digest === "string" ? digest : "" },
      ...{ facts: factsOf([], newId), settings: SETTINGS, now },
    },
  );
  if (isRefusal(step)) throw new Bug(step.message);
  // Whether it expired is for the entries to say.
  const unending = patch(step, { expiresAt: Number.POSITIVE_INFINITY });
  return {
    policy: waiting,
    newId,
    asked: new Map(),
    recordedAt: new Map(),
    step: unending,
    unsettled: false,
    ended: null,
  };
}

/** Who is asked when a stage starts; in a stage that runs, who is asked in the place of somebody who left. */
function readResolved(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const run = runOf(replay, entry);
  if (run?.state === "open") return readFreed(replay, run, entry, at);
  if (run?.state !== "resolving") return "people are asked before it is a stage's turn";
  // People may be many: their list is spread over several entries before the stage starts.
  replay.asked.set(run.order, [...(replay.asked.get(run.order) ?? []), entry]);
  return null;
}

function readFreed(replay: Replay, run: StageRun, { data }: EntryFields, at: Instant): string | null {
  const [left] = listOf(data["excluded"]);
  const personId = isRecord(left) ? personOf(left["person"]).id : null;
  const [successor] = listOf(data["tasks"]).map((item) => taskOf(item, at));
  const freed = run.tasks.find(
    (task) => isOpenTask(task) && task.personId === personId && (successor?.seatId ?? task.seatId) === task.seatId,
  );
  if (freed === undefined) return "somebody leaves a stage who was not asked";
  const seats = run.seats.map((seat): Seat => {
    if (seat.id !== freed.seatId || seat.state !== "open") return seat;
    if (successor === undefined) return { ...seat, state: "removed" };
    return { ...seat, holder: successor.personId, required: seat.required || successor.required };
  });
  const closed: Task = { ...freed, status: "skipped", completedAt: at };
  const tasks = [
    ...run.tasks.map((task) => (task === freed ? closed : task)),
    ...(successor === undefined ? [] : [successor]),
  ];
  replay.step = patchStage(replay.step, run.order, (stage) => skipIdleEscalation({ ...stage, seats, tasks }, at));
  replay.unsettled = true;
  return null;
}

/** All that one departure freed stands in neighbouring entries; the engine counts after the last of them. */
function settleFreed(replay: Replay, next: EntryFields | null): void {
  if (!replay.unsettled || next?.kind === "request.resolved") return;
  replay.unsettled = false;
  replay.step = settle(replay.step, settingOf(replay, replay.step.request.updatedAt), null);
}

function readMerged(replay: Replay, { data }: EntryFields, at: Instant): string | null {
  const command: MergeCommand = {
    type: "merge",
    from: personOf(data["person"]).id,
    into: personOf(data["into"]),
    recordedAt: (decision) => replay.recordedAt.get(decision) ?? 0,
  };
  replay.step = mergePeople(replay.step, command, settingOf(replay, at));
  return null;
}

function readVoided({ step, recordedAt }: Replay, { data }: EntryFields): string | null {
  const decisions = step.request.stages.flatMap((run) => run.decisions);
  const isVoid = decisions.some(
    (decision) => decision.voidedAt !== null && recordedAt.get(decision.id) === data["decision_seq"],
  );
  return isVoid ? null : "a decision is void that nothing made void";
}

function readStarted(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const run = runOf(replay, entry);
  if (run?.state !== "resolving") return "a stage starts before its turn";
  const asked = (replay.asked.get(run.order) ?? []).flatMap(({ data }) => listOf(data["tasks"]));
  const tasks = asked.map((item) => taskOf(item, at));
  const seats = seatsOf(asked);
  const rule = ruleOf(replay.policy, run);
  const isAsSaid =
    seats.length === entry.data["seats"] &&
    rule.mode === entry.data["mode"] &&
    needed(rule, tally(seats)) === entry.data["needed"];
  if (!isAsSaid) return "a stage starts with other votes than the policy and the people asked give";
  replay.step = patchStage(replay.step, run.order, (stage) => ({
    ...stage,
    state: "open",
    startedAt: at,
    seats,
    tasks,
  }));
  replay.step = patch(replay.step, { status: "in_review", resolution: null });
  return null;
}

function readSkipped(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const run = runOf(replay, entry);
  if (run?.state !== "resolving") return "a stage is skipped before its turn";
  const reason = entry.data["reason_code"];
  if (reason !== "skip_if" && reason !== "no_approvers") return "a stage is skipped for no known reason";
  if (reason === "no_approvers" && ruleOf(replay.policy, run).onEmpty !== "skip") {
    return "a stage is skipped that the policy does not skip";
  }
  replay.step = patchStage(replay.step, run.order, (stage) => ({ ...stage, state: "skipped", skipReason: reason }));
  const group = groupOf(replay.policy, run.order).map((stage) => stage.order);
  const rest = replay.step.request.stages.filter(({ order }) => group.includes(order));
  if (rest.every(({ state }) => state === "skipped")) {
    replay.step = startNextGroup(replay.step, settingOf(replay, at), null);
  }
  return null;
}

/** Those added have no seat of their own; the ids of their tasks become known when they decide. */
function readEscalated(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const run = runOf(replay, entry);
  if (run?.state !== "open") return "a stage that is not open is escalated";
  const added = listOf(entry.data["added"]).map((person) => addedTask(person, replay.newId(), at));
  replay.step = patchStage(replay.step, run.order, (stage) => ({ ...stage, tasks: [...stage.tasks, ...added] }));
  return null;
}

function readOverdue(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const run = runOf(replay, entry);
  const id = knownTask(replay, entry, entry.data["from"]);
  if (run === undefined || id === null) return null;
  replay.step = patchStage(replay.step, run.order, (stage) => ({
    ...stage,
    tasks: stage.tasks.map((task) => (task.id === id ? { ...task, dueAt: at } : task)),
  }));
  replay.step = applyTimers(replay.step, settingOf(replay, at));
  return null;
}

function readReassigned(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const { from, to, new_task: newTask } = entry.data;
  const taskId = knownTask(replay, entry, from);
  const target = personOf(to);
  const newTaskId = idOf<"task">("task", newTask);
  if (taskId === null) return null;
  const setting = settingOf(replay, at, [target]);
  const command = { type: "reassign", taskId, newTaskId, newAssignee: target.assignee, reason: null } as const;
  const after = reassignTask(replay.step, { ...command, actor: actorOf(entry, true) }, setting);
  if (isRefusal(after)) return after.message;
  replay.step = after;
  return null;
}

function readDecision(replay: Replay, entry: EntryFields, at: Instant): string | null {
  const { data } = entry;
  const run = runOf(replay, entry);
  const problem = strayDecision(replay, run, entry);
  if (problem !== null) return problem;
  const override = data["override"] === true;
  const taskId = knownTask(replay, entry, override ? data["on_behalf_of"] : entry.actor);
  // Who was added to watch is not named by any entry, and what they say changes nothing.
  if (taskId === null) return null;
  const action = data["decision"];
  const proven = provenBy(entry);
  if (!isAction(action) || proven === null) return "a decision is none that the policy counts";
  const decisionId: DecisionId = replay.newId();
  replay.recordedAt.set(decisionId, entry.seq);
  const after = decideTask(
    replay.step,
    {
      ...{ type: "decide", taskId, decisionId, actor: actorOf(entry, override), action, proven },
      comment: data["reason"] === null ? null : "given",
      ...{ attachmentsRef: null, reasonCode: null, digest: null },
    },
    { ...settingOf(replay, at), settings: SETTINGS },
  );
  if (isRefusal(after)) return after.message;
  replay.step = after;
  return null;
}

/** What the entry says; that a signed decision is signed was checked before. */
function provenBy({ data }: EntryFields): Proven | null {
  const { assurance, shown_at: shownAt } = data;
  const known = ASSURANCES.find((word) => word === assurance);
  if (known === undefined) return null;
  return {
    ...{ assurance: known, method: null, factorId: null },
    shownAt: typeof shownAt === "string" ? Date.parse(shownAt) : null,
  };
}

/** Is the decision about this request as it stands, by somebody whom the stage does not exclude? */
function strayDecision(
  replay: Replay,
  run: StageRun | undefined,
  { data, actor, resource }: EntryFields,
): string | null {
  const { request } = replay.step;
  if (run?.state !== "open") return "a decision is in a stage that is not open";
  const isOfThis =
    data["revision"] === request.revision &&
    data["policy"] === request.policy.digest &&
    resource?.digest === request.digest;
  if (!isOfThis) return "a decision is about another revision, policy or payload";
  return isExcluded(replay, run.order, actor) ? "somebody decides who was excluded from the stage" : null;
}

function readCompleted(replay: Replay, entry: EntryFields): string | null {
  const run = runOf(replay, entry);
  return run?.state === entry.data["outcome"] ? null : "a stage completes that the decisions do not complete so";
}

function readApproved({ step: { request } }: Replay, { data }: EntryFields): string | null {
  if (request.status !== "approved") return "the decisions do not give an approval";
  const decisions = request.stages.reduce((sum, run) => sum + run.decisions.length, 0);
  const stages = request.stages.filter((run) => run.state === "approved").length;
  const isComplete = decisions === data["decisions"] && stages === data["stages"];
  return isComplete ? null : "the approval counts other decisions than those shown";
}

/** A rejection follows from a vote, or from a stage that nobody could decide. */
function readRejected(replay: Replay, { data }: EntryFields): string | null {
  const { request } = replay.step;
  if (request.status === "rejected") return null;
  const waiting = request.stages.filter((run) => run.state === "resolving");
  const isBlocked = waiting.some((run) => ruleOf(replay.policy, run).onEmpty === "block");
  const { reason_code: reason } = data;
  const isStuck =
    (reason === "no_approvers_resolved" && isBlocked) || (reason === "quorum_unreachable" && waiting.length > 0);
  if (!isStuck || !isLive(request.status)) return "the decisions do not give a rejection";
  replay.step = patch(replay.step, { status: "rejected" });
  return null;
}

function endsAs(status: "cancelled" | "expired" | "superseded"): EntryReader {
  return (replay) => {
    if (!isLive(replay.step.request.status)) return "a request ends that had ended";
    // No request of the engine is superseded; to what may follow it is like a cancelled one.
    replay.step = patch(replay.step, { status: status === "superseded" ? "cancelled" : status });
    replay.ended = status;
    return null;
  };
}

function runOf(replay: Replay, { data }: EntryFields): StageRun | undefined {
  return replay.step.request.stages.find((run) => run.order === data["stage"]);
}

/** The task that the entry is about, or null when no entry said that there is one. */
function knownTask(replay: Replay, entry: EntryFields, holder: JsonValue | undefined): TaskId | null {
  const id = idOf<"task">("task", entry.data["task"]);
  if (findTask(replay.step.request, id) !== undefined) return id;
  const run = runOf(replay, entry);
  const personId = isPersonName(holder) ? personOf(holder).id : null;
  const added = run?.tasks.find((task) => task.escalation && isOpenTask(task) && task.personId === personId);
  if (run === undefined || added === undefined) return null;
  replay.step = patchStage(replay.step, run.order, (stage) => ({
    ...stage,
    tasks: stage.tasks.map((task) => (task === added ? { ...added, id } : task)),
  }));
  return id;
}

function isExcluded(replay: Replay, order: number, actor: string | null): boolean {
  const excluded = (replay.asked.get(order) ?? []).flatMap(({ data }) => listOf(data["excluded"]));
  return excluded.some((item) => isRecord(item) && item["person"] === actor);
}

function isAction(action: JsonValue | undefined): action is DecisionAction {
  return typeof action === "string" && DECISIONS.has(action);
}

function settingOf(replay: Replay, now: Instant, people: readonly Person[] = []): Setting {
  return { policy: replay.policy, facts: factsOf(people, replay.newId), now };
}

function factsOf(people: readonly Person[], newId: NewId): Setting["facts"] {
  return {
    people: new Map(people.map((person) => [person.assignee, person])),
    ...{ lookups: new Map(), delegations: new Map(), newId },
  };
}
