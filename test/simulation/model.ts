/**
 * What must be true of a request after every command, said from docs/spec/engine.md and not from the code: the engine is
 * run, this only watches. Names of invariants: terminal I1, live I2, approved I3, votes I4, barred I5, digest I6,
 * timers I11, refusals I16, pinned I17; beside them events (R-EVENT-1, 2), tasks and seats (sections 8 and 9).
 */
import type { Command } from "../../src/core/decide.ts";
import type { EngineEvent } from "../../src/core/event.ts";
import type { Settings } from "../../src/core/facts.ts";
import type { PersonId, TaskId } from "../../src/core/ids.ts";
import { foldName, type Actor, type Instant, type Person } from "../../src/core/person.ts";
import type { Policy, Stage } from "../../src/core/policy.ts";
import type { Refusal } from "../../src/core/refusal.ts";
import type { Decision, Request, Seat, StageRun, Task } from "../../src/core/request.ts";
import { canComplete, metByTheBook, type Urn } from "../support/quorum-book.ts";

export interface Observation {
  readonly policy: Policy;
  readonly settings: Settings;
  /** As stored before the command, after the timers that were due, and after the command. */
  readonly before: Request;
  readonly due: Request;
  readonly after: Request;
  readonly command: Command;
  readonly refusal: Refusal | null;
  readonly events: readonly EngineEvent[];
  readonly history: readonly EngineEvent[];
  readonly person: (id: PersonId) => Person;
  readonly now: Instant;
}

const live = (request: Request): boolean => request.status === "pending" || request.status === "in_review";
const open = (task: Task): boolean => task.status === "open" || task.status === "claimed";
const ruleFor = (policy: Policy, run: StageRun): Stage | undefined => policy.stages.find((s) => s.order === run.order);
const counts = (decision: Decision): boolean => decision.seatId !== null;

function urn(policy: Policy, run: StageRun, reopen = false): Urn {
  const rule = ruleFor(policy, run);
  if (rule === undefined) throw new Error(`the policy has no stage ${String(run.order)}`);
  const reopened = (seat: Seat): Seat => (reopen && seat.state === "closed" ? { ...seat, state: "open" } : seat);
  return { rule, seats: run.seats.map(reopened) };
}

/** R-SOD-1, R-SOD-2: as this person, under any name, in this stage. Later stages hold no decisions yet. */
function barred(policy: Policy, request: Request, person: Person, order: number): boolean {
  const asked = person.foldedNames.includes(foldName(request.requester)) || request.creator.personId === person.id;
  const elsewhere = request.stages.filter((run) => run.order !== order).flatMap((run) => run.decisions);
  const approved = elsewhere.some((d) => d.personId === person.id && d.action === "approve" && counts(d));
  return person.machine || (policy.forbidSelfApproval && asked) || (policy.forbidRepeatApprovers && approved);
}

/** R-QUORUM-10: required first, then by seat order. */
function overdue(run: StageRun): readonly Seat[] {
  const late = (seat: Seat): boolean => run.tasks.some((t) => t.seatId === seat.id && open(t) && t.overdueAt !== null);
  const seats = run.seats.filter((seat) => seat.state === "open" && late(seat));
  return [...seats.filter((seat) => seat.required), ...seats.filter((seat) => !seat.required)];
}

function find(request: Request, id: TaskId): { readonly run: StageRun; readonly task: Task } | undefined {
  const run = request.stages.find((each) => each.tasks.some((task) => task.id === id));
  const task = run?.tasks.find((each) => each.id === id);
  return run === undefined || task === undefined ? undefined : { run, task };
}

type Ask = Pick<Extract<Command, { type: "decide" }>, "taskId" | "actor" | "action" | "comment" | "digest">;

/** R-DECIDE-2: the code of the first check that fails, or null where the decision is to be accepted. */
export function answerTo(ask: Ask, policy: Policy, settings: Settings, request: Request): Refusal["refusal"] | null {
  const found = find(request, ask.taskId);
  if (found === undefined) return "task_not_found";
  const { run, task } = found;
  const { person } = ask.actor;
  if (ask.actor.machine || person === null) return "machine";
  const own = task.personId === person.id;
  const override = policy.adminOverride ?? settings.adminOverride;
  if (!own && !(ask.actor.admin && override !== "off")) return "not_assignee";
  if (!live(request) || !open(task)) return "wrong_state";
  if (ask.digest !== null && ask.digest !== request.digest) return "digest_mismatch";
  const conflict = task.kind === "approver" ? voteConflict(ask, policy, request, { run, task, person, own }) : null;
  if (conflict !== null) return conflict;
  return !own && override === "reason" && (ask.comment ?? "").trim() === "" ? "comment_required" : null;
}

interface Voting {
  readonly run: StageRun;
  readonly task: Task;
  readonly person: Person;
  readonly own: boolean;
}

function voteConflict(ask: Ask, policy: Policy, request: Request, vote: Voting): Refusal["refusal"] | null {
  const { run, task, person, own } = vote;
  if (barred(policy, request, person, run.order)) return person.machine ? "machine" : "separation_of_duties";
  const isVote = (d: Decision): boolean => run.tasks.some((t) => t.id === d.taskId && t.kind === "approver");
  if (run.decisions.some((d) => d.personId === person.id && isVote(d))) return "quorum_conflict";
  if (!own && run.seats.some((seat) => seat.holder === person.id && seat.state === "open")) return "quorum_conflict";
  const seat = task.escalation ? overdue(run)[0] : run.seats.find((each) => each.id === task.seatId);
  if (ask.action === "abstain") return seat?.required === true && !task.escalation ? "quorum_conflict" : null;
  if (ask.action !== "approve" || !policy.forbidRepeatApprovers) return null;
  const after = request.stages
    .filter((each) => each.state === "open")
    .map((each) => urn(policy, each))
    .map(({ rule, seats }) => ({
      rule,
      seats: seats.map((each): Urn["seats"][number] => {
        if (run.seats.some((own) => own === each)) return each === seat ? { ...each, state: "approved" } : each;
        return each.holder === person.id && each.state === "open" ? { ...each, state: "removed" } : each;
      }),
    }));
  return canComplete(after, true) ? null : "quorum_conflict";
}

/** Whether any other command is to be accepted. */
function accepts(command: Exclude<Command, { type: "decide" }>, o: Observation): boolean {
  const { policy, due } = o;
  if (command.type === "tick") return true;
  const { actor } = command;
  if (command.type === "resolve") return actor.admin && live(due) && due.resolution !== null;
  if (command.type === "cancel") return live(due) && (actor.admin || asksOrMade(due, actor));
  const found = find(due, command.taskId);
  if (found === undefined || !live(due) || !open(found.task)) return false;
  const own = actor.person !== null && actor.person.id === found.task.personId;
  if (command.type === "claim" || command.type === "release") {
    const wanted = command.type === "claim" ? "open" : "claimed";
    return actor.person !== null && !actor.machine && (own || actor.admin) && found.task.status === wanted;
  }
  if (!actor.admin && !(own && policy.allowHandover)) return false;
  const target = [...o.after.stages.flatMap((run) => run.tasks)].find((t) => t.id === command.newTaskId)?.personId;
  if (target === undefined) return false;
  const { run, task } = found;
  const there = [...run.tasks, ...run.decisions].some((each) => each.personId === target);
  const person = o.person(target);
  return !there && !person.disabled && (task.kind === "observer" || !barred(policy, due, person, run.order));
}

function asksOrMade({ requester, creator }: Request, { person, assignee, issuer, subject }: Actor): boolean {
  if (person !== null && (requester === assignee || creator.personId === person.id)) return true;
  return creator.issuer === issuer && creator.subject === subject;
}

/** Every sentence that is not true; none is the right answer. */
export function violations(o: Observation): readonly string[] {
  const broken: string[] = [];
  const must = (holds: boolean, sentence: string): void => void (holds || broken.push(sentence));
  checkCommand(o, must);
  checkEvents(o, must);
  for (const run of o.after.stages) checkStage(o, run, must);
  if (live(o.after)) checkLive(o, must);
  return broken;
}

type Must = (holds: boolean, sentence: string) => void;

function checkCommand(o: Observation, must: Must): void {
  const { before, due, after, command, refusal } = o;
  must(live(before) || (after === before && o.events.length === 0), "I1 a terminal request never changes");
  must(after.policy === before.policy && after.digest === before.digest, "I17 policy and digest stay pinned");
  must(refusal === null || refusal.message.length > 0, "I16 every refusal says why");
  must(refusal === null || due !== before || after === before, "I16 a refused command changes nothing");
  if (command.type === "decide") {
    const code = answerTo(command, o.policy, o.settings, due);
    must((refusal?.refusal ?? null) === code, `I5 a decision answers ${String(code)}, not ${String(refusal?.refusal)}`);
  } else if (command.type !== "reassign" || refusal === null) {
    must(accepts(command, o) === (refusal === null), `section 9: ${command.type} is accepted only where it may be`);
  }
  const kept = (run: StageRun, index: number): boolean =>
    (before.stages[index]?.decisions ?? []).every((decision, place) => run.decisions[place] === decision);
  must(after.stages.every(kept), "I3 decisions are never taken back or changed");
}

function checkEvents({ after, history, now, events }: Observation, must: Must): void {
  const ends = ["request_approved", "request_rejected", "request_cancelled", "request_expired"];
  const last = history.filter((event) => ends.includes(event.type));
  must(
    history.every((event, index) => event.sequence === index + 1),
    "R-EVENT-1 no gap in the sequence",
  );
  must(after.eventCount === history.length, "R-EVENT-1 the request knows its number of events");
  must(last.length === (live(after) ? 0 : 1), "R-STAGE-3 exactly one terminal event");
  must(live(after) || last[0] === history.at(-1), "R-STAGE-3 nothing follows the terminal event");
  must(!events.some((event) => ends.includes(event.type)) || after.completedAt === now, "R-STAGE-3 completed_at");
  const started = history.findIndex((event) => event.type === "stage_started");
  const told = history.every((event, index) => {
    const final = event === last[0] || (event.type === "stage_completed" && event.outcome === "rejected");
    return event.status === (final ? after.status : started >= 0 && index >= started ? "in_review" : "pending");
  });
  must(told, "R-EVENT-2 the status that events tell");
}

function checkStage(o: Observation, run: StageRun, must: Must): void {
  const { policy, after, now } = o;
  const at = `in stage ${String(run.order)}`;
  const rule = ruleFor(policy, run);
  const filled = { approved: "approve", rejected: "reject", abstained: "abstain" } as const;
  for (const seat of run.seats) {
    const votes = run.decisions.filter((decision) => decision.seatId === seat.id);
    const voted = seat.state === "approved" || seat.state === "rejected" || seat.state === "abstained";
    must(votes.length === (voted ? 1 : 0), `I4 one decision for each filled seat ${at}`);
    const usedUp = barred(policy, after, o.person(seat.holder), run.order);
    must(seat.state !== "open" || !usedUp, `R-SOD-2 nobody barred holds an open seat ${at}`);
    must(seat.state !== "removed" || (usedUp && policy.forbidRepeatApprovers), `R-QUORUM-13 a seat is removed ${at}`);
    must(!voted || votes[0]?.action === filled[seat.state], `I4 a seat is what its decision says ${at}`);
    const invited = run.tasks.filter((task) => task.seatId === seat.id && open(task));
    const holding = invited.length === 1 && invited[0]?.personId === seat.holder;
    must(seat.state === "open" ? holding : invited.length === 0, `R-STAGE-4 an open seat has its holder's task ${at}`);
  }
  const votes = run.decisions.filter(counts);
  const voters = votes.flatMap((decision) => decision.personId ?? []);
  must(new Set(voters).size === voters.length, `R-SOD-4 one person votes once ${at}`);
  must(
    !voters.some((id) => barred({ ...policy, forbidRepeatApprovers: false }, after, o.person(id), run.order)),
    `I5 ${at}`,
  );
  must(
    !policy.forbidRepeatApprovers || !approvers(run).some((id) => barred(policy, after, o.person(id), run.order)),
    `R-SOD-2 ${at}`,
  );
  must(
    run.decisions.every((decision) => decision.digest === after.digest),
    `I6 ${at}`,
  );
  must(
    votes.every((d) => d.personId !== null || rule?.onBreach === "auto_approve"),
    `R-SLA-6 the clock votes ${at}`,
  );
  const tasks = run.tasks.filter(open);
  must(run.state === "open" || tasks.length === 0, `section 9: no open task after the end ${at}`);
  must(
    run.state === "open" || !run.seats.some((seat) => seat.state === "open"),
    `section 8: no open seat after it ${at}`,
  );
  must(new Set(tasks.map((task) => task.personId)).size === tasks.length, `one open task for each person ${at}`);
  must(new Set(run.seats.map((seat) => seat.holder)).size === run.seats.length, `R-SOD-4 one seat each ${at}`);
  must(overdue(run).length > 0 || !tasks.some((task) => task.escalation), `R-QUORUM-10 nothing is left to fill ${at}`);
  const done = run.tasks.filter((task) => task.status === "completed").map((task) => task.decisionId);
  must(
    run.decisions.filter((d) => d.personId !== null).every((d) => done.includes(d.id)),
    `I4 tasks of decisions ${at}`,
  );
  const late = (task: Task): boolean => task.overdueAt !== null && task.overdueAt >= (task.dueAt ?? Infinity);
  must(
    run.tasks.every((task) => task.overdueAt === null || late(task)),
    `I11 no due time fires early ${at}`,
  );
  must(
    !tasks.some((t) => t.kind === "approver" && (t.dueAt ?? Infinity) <= now && !late(t)),
    `I11 none is missed ${at}`,
  );
  if (run.state === "approved") must(metByTheBook(urn(policy, run).rule, run.seats), `I3 the quorum is met ${at}`);
  if (run.state === "rejected") must(lost(o, run), `R-QUORUM-2, 4: a stage is rejected for a reason ${at}`);
}

function approvers(run: StageRun): readonly PersonId[] {
  return run.decisions.filter((d) => d.action === "approve" && counts(d)).flatMap((d) => d.personId ?? []);
}

function lost({ policy, after, now }: Observation, run: StageRun): boolean {
  const rule = ruleFor(policy, run);
  const vetoed = rule?.reject === "veto" && run.decisions.some((d) => counts(d) && d.action === "reject");
  const breached = rule?.onBreach === "auto_reject" && run.dueAt !== null && run.dueAt <= now;
  const beside = after.stages.filter((each) => each.startedAt !== null && ["rejected", "closed"].includes(each.state));
  const stuck = !canComplete(
    beside.map((each) => urn(policy, each, true)),
    policy.forbidRepeatApprovers,
  );
  return vetoed || breached || stuck;
}

function checkLive({ policy, settings, after, now, person }: Observation, must: Must): void {
  const running = after.stages.filter((run) => run.state === "open");
  const waiting = after.stages.filter((run) => run.state === "resolving");
  const started = after.stages.some((run) => run.startedAt !== null);
  must(after.status === (started ? "in_review" : "pending"), "section 6: pending until a stage starts");
  must(running.length + waiting.length > 0, "R-STAGE-4 a live request waits for somebody or something");
  must(waiting.length === 0 || (after.resolution?.nextAttemptAt ?? 0) > now, "R-STAGE-4 a retry is planned");
  must(after.expiresAt > now, "R-TTL-2 a request that lives has not expired");
  must(
    canComplete(
      running.map((run) => urn(policy, run)),
      policy.forbidRepeatApprovers,
    ),
    "R-QUORUM-4 feasible",
  );
  for (const run of running) {
    must(!metByTheBook(urn(policy, run).rule, run.seats), "R-QUORUM-12 a stage that is met is completed at once");
    const can = run.tasks.some((task) => open(task) && task.kind === "approver" && mayAct(task));
    must(can, `R-STAGE-4 somebody can act in stage ${String(run.order)}`);
  }
  function mayAct(task: Task): boolean {
    const holder = person(task.personId);
    const actor: Actor = {
      ...{ person: holder, assignee: holder.assignee, displayName: "", issuer: "", subject: "", clientId: null },
      ...{ email: null, credential: null, machine: false, admin: false, viewer: false },
    };
    const ask = { taskId: task.id, actor, comment: null, digest: null };
    return (["approve", "reject"] as const).some(
      (action) => answerTo({ ...ask, action }, policy, settings, after) === null,
    );
  }
}
