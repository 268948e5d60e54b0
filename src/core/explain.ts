/**
 * Why a request stands where it stands, who it waits for, and what the asker may do about it.
 * Implements docs/spec/engine.md R-EXPLAIN-1 to R-EXPLAIN-3.
 */
import type { Proven } from "./assurance.ts";
import { checkDecision, type DecideSetting, type DecisionAttempt } from "./decide-task.ts";
import { forbiddenNames } from "./forbidden-people.ts";
import { placeOf, stageGroups } from "./groups.ts";
import { isId, type NewId, type PersonId, type TaskId } from "./ids.ts";
import type { Actor, Instant } from "./person.ts";
import { ruleOf } from "./progress.ts";
import { isFeasible, needed, tally } from "./quorum.ts";
import { invariant, isRefusal } from "./refusal.ts";
import { isLive, isOpenTask, type DecisionAction, type Request, type StageRun, type Task } from "./request.ts";
import { barredBecause } from "./separation-of-duties.ts";
import { standingRefusal } from "./task-access.ts";
import { applyTimers, nextTimerAt } from "./timers.ts";

export type ReasonCode =
  | "not_a_candidate"
  | "requester"
  | "forbidden_by_context"
  | "repeat_approver"
  | "already_decided"
  | "task_closed"
  | "stage_waiting"
  | "request_ended"
  | "machine"
  | "account_locked"
  | "delegated_away";

export interface Reason {
  readonly code: ReasonCode;
  readonly message: string;
}

export interface SeatView {
  readonly task: Task;
  readonly state: StageRun["seats"][number]["state"];
  readonly required: boolean;
  readonly overdue: boolean;
  /** Its holder cannot act at present, and keeps it (docs/spec/identity.md section 1). */
  readonly locked: boolean;
}

/** `locked`: the holders of seats whose accounts are locked. */
export type ExplainSetting = DecideSetting & { readonly locked?: ReadonlySet<PersonId> };

export interface StageView {
  readonly run: StageRun;
  /** 1, 2, 3 … in the order in which groups run. */
  readonly group: number;
  readonly needed: number | null;
  readonly approved: number;
  readonly remaining: number | null;
  readonly feasible: boolean;
  readonly requiredMissing: readonly string[];
  readonly seats: readonly SeatView[];
  readonly waitingFor: readonly Task[];
}

export interface You {
  readonly canDecide: boolean;
  readonly taskId: TaskId | null;
  readonly actions: readonly DecisionAction[];
  readonly reasons: readonly Reason[];
}

export interface Explanation {
  readonly summary: string;
  /** The policy's `forbidden_approvers`: where the context names nobody, nobody is barred (R-SOD-6). */
  readonly forbiddenApprovers: readonly { readonly path: string; readonly found: boolean }[];
  readonly stages: readonly StageView[];
  readonly you: You;
  readonly next:
    | { readonly kind: "decision"; readonly who: readonly string[]; readonly at: Instant | null }
    | { readonly kind: "timer"; readonly at: Instant }
    | { readonly kind: "nothing" };
}

const ACTIONS: readonly DecisionAction[] = ["approve", "reject", "abstain"];

/**
 * A decision applies the timers that are due before anything else (R-STAGE-1). So what the asker may do is told as if
 * they had fired, and so is the whole where they would end the request; else the stages are shown as they are stored.
 */
export function explain(stored: Request, actor: Actor, setting: ExplainSetting): Explanation {
  const facts = { ...setting.facts, newId: imaginedIds() };
  const due = applyTimers({ request: stored, events: [] }, { ...setting, facts }).request;
  const request = isLive(due.status) ? stored : due;
  const groups = stageGroups(setting.policy);
  const stages = request.stages.map((run) =>
    stageView(run, groups.findIndex((group) => group.some((stage) => stage.order === run.order)) + 1, setting),
  );
  const waiting = stages.flatMap((stage) => stage.waitingFor);
  const at = nextTimerAt(request);
  return {
    summary: summarize(request, stages),
    forbiddenApprovers: forbiddenNames(setting.policy.forbiddenApprovers, request.context).map(({ path, names }) => ({
      ...{ path, found: names !== null },
    })),
    stages,
    you: explainYou(due, ownTasks(stored, actor), actor, setting),
    next: !isLive(request.status)
      ? { kind: "nothing" }
      : waiting.length > 0
        ? { kind: "decision", who: waiting.map((task) => task.assignee), at }
        : { kind: "timer", at: at ?? request.expiresAt },
  };
}

function stageView(run: StageRun, group: number, setting: ExplainSetting): StageView {
  const rule = ruleOf(setting.policy, run);
  const votes = tally(run.seats);
  const started = run.startedAt !== null;
  const wanted = started ? needed(rule, votes) : null;
  const seats = run.seats.flatMap((seat): SeatView[] => {
    const task = run.tasks.findLast((candidate) => candidate.seatId === seat.id);
    if (task === undefined) return [];
    const locked = isOpenTask(task) && setting.locked?.has(task.personId) === true;
    return [{ task, state: seat.state, required: seat.required, overdue: isOverdue(task, setting.now), locked }];
  });
  return {
    run,
    group,
    needed: wanted,
    approved: votes.approved,
    remaining: wanted === null ? null : Math.max(0, wanted - votes.approved),
    feasible: run.state === "open" ? isFeasible(rule, run.seats) : run.state !== "rejected",
    requiredMissing: seats.filter((seat) => seat.required && seat.state === "open").map((seat) => seat.task.assignee),
    seats,
    waitingFor: run.tasks.filter((task) => isOpenTask(task) && task.kind === "approver"),
  };
}

export function isOverdue(task: Task, now: Instant): boolean {
  return isOpenTask(task) && task.dueAt !== null && task.dueAt <= now;
}

function summarize(request: Request, stages: readonly StageView[]): string {
  if (!isLive(request.status)) return `The request is ${request.status}.`;
  if (request.resolution !== null) {
    return `Approvers of stage ${String(request.resolution.stageOrder)} could not be looked up: ${request.resolution.lastError}.`;
  }
  const open = stages.filter((stage) => stage.run.state === "open");
  const parts = open.map((stage) => {
    const isLocked = (task: Task): boolean => stage.seats.some((seat) => seat.task === task && seat.locked);
    const names = stage.waitingFor
      .map((task) => (isLocked(task) ? `${task.assignee} (locked)` : task.assignee))
      .join(", ");
    const missing = stage.requiredMissing.length > 0 ? `, among them ${stage.requiredMissing.join(", ")}` : "";
    const more = Math.max(stage.remaining ?? 0, stage.requiredMissing.length);
    return `stage ${String(stage.run.order)} (${stage.run.name}) needs ${String(more)} more of ${names}${missing}`;
  });
  return `Waiting: ${parts.join("; ")}.`;
}

/** For what a due timer is about to make: nothing of it is stored, and nobody can act on it yet. */
function imaginedIds(): NewId {
  let last = 0;
  return <Name extends string>() => {
    last += 1;
    const text = `00000000-0000-4000-8000-${last.toString(16).padStart(12, "0")}`;
    invariant(isId<Name>(text), "a counted id is well formed");
    return text;
  };
}

/** Ids of the asker's own tasks. Those that a timer is only about to make cannot be decided yet. */
function ownTasks(stored: Request, { person }: Actor): ReadonlySet<TaskId> {
  const own = stored.stages.flatMap((run) => run.tasks).filter((task) => task.personId === person?.id);
  return new Set(own.map((task) => task.id));
}

/** About the asker's own invitations; that an administrator could override somebody else's is not told here. */
function explainYou(request: Request, ids: ReadonlySet<TaskId>, actor: Actor, setting: DecideSetting): You {
  const own = request.stages.flatMap((run) => run.tasks).filter((task) => ids.has(task.id));
  for (const task of own.filter(isOpenTask)) {
    const actions = acceptedActions(request, task, actor, setting);
    if (actions.length > 0) return { canDecide: true, taskId: task.id, actions, reasons: [] };
  }
  const task = own.findLast(isOpenTask) ?? own.at(-1);
  const reasons = [
    ...standingReasons(request, actor),
    ...(task === undefined ? strangerReasons(request, actor) : closedReasons(task)),
    ...dutyReasons(request, actor, setting),
  ];
  return { canDecide: false, taskId: task?.id ?? null, actions: [], reasons };
}

function acceptedActions(
  request: Request,
  task: Task,
  actor: Actor,
  setting: DecideSetting,
): readonly DecisionAction[] {
  return ACTIONS.filter(
    (action) => !isRefusal(checkDecision({ request, events: [] }, attempt(task, action, actor), setting)),
  );
}

/** Whatever a stage may ask for: what is missing here can be brought, and the answer to the decision names it. */
const FULLY_PROVEN: Proven = { assurance: "signed", method: "passkey", factorId: null, shownAt: 0 };

/** The decision as it would be sent, with a comment and a proof, so that a missing one is not the reason found. */
function attempt(task: Task, action: DecisionAction, actor: Actor): DecisionAttempt {
  return {
    type: "decide",
    taskId: task.id,
    actor,
    action,
    comment: "–",
    attachmentsRef: null,
    reasonCode: null,
    digest: null,
    proven: FULLY_PROVEN,
  };
}

function standingReasons(request: Request, actor: Actor): readonly Reason[] {
  const reasons: Reason[] = [];
  if (actor.machine) reasons.push({ code: "machine", message: "Machine credentials cannot decide" });
  const standing = actor.person === null ? null : standingRefusal(actor.person);
  if (standing !== null) reasons.push({ code: "account_locked", message: standing.message });
  if (!isLive(request.status)) reasons.push({ code: "request_ended", message: `The request is ${request.status}` });
  return reasons;
}

function closedReasons(task: Task): readonly Reason[] {
  return isOpenTask(task) ? [] : [{ code: "task_closed", message: `Your task is ${task.status}` }];
}

function strangerReasons(request: Request, { person }: Actor): readonly Reason[] {
  const reasons: Reason[] = [];
  const delegated = request.stages.some((run) =>
    run.seats.some((seat) => person !== null && seat.origins.includes(person.id) && seat.holder !== person.id),
  );
  if (delegated) reasons.push({ code: "delegated_away", message: "Your seat is held by your delegate" });
  const waiting = request.stages.filter((run) => run.state === "waiting" || run.state === "resolving");
  if (waiting.length > 0) {
    const names = waiting.map((run) => `${String(run.order)} (${run.name})`).join(", ");
    reasons.push({ code: "stage_waiting", message: `Approvers of stage ${names} are not invited yet` });
  }
  if (!delegated) reasons.push({ code: "not_a_candidate", message: "No rule of an open stage names you" });
  return reasons;
}

/** What the person did or is, whatever the invitations say; about the open stages, and the current one if none is. */
function dutyReasons(request: Request, { person }: Actor, setting: DecideSetting): readonly Reason[] {
  if (person === null) return [];
  const open = request.stages.filter((run) => run.state === "open");
  const decided = open.some((run) => run.decisions.some((decision) => decision.personId === person.id));
  const orders = open.length > 0 ? open.map((run) => run.order) : [request.currentStageOrder];
  const barred = orders.map((order) => barredBecause(setting.policy, request, person, placeOf(setting.policy, order)));
  const reasons: Reason[] = [];
  if (decided) reasons.push({ code: "already_decided", message: "You have already decided in this stage" });
  const bars = new Map(barred.flatMap((bar) => (bar === null ? [] : [[bar.reason, bar] as const])));
  if (bars.has("requester")) reasons.push({ code: "requester", message: "You asked for this" });
  const forbidden = bars.get("forbidden");
  if (forbidden !== undefined) {
    const message = `You are named in '${forbidden.path ?? ""}', whose people may not approve this`;
    reasons.push({ code: "forbidden_by_context", message });
  }
  if (bars.has("repeat_approver")) {
    reasons.push({ code: "repeat_approver", message: "You have already approved another stage" });
  }
  return reasons;
}
