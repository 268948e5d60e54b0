/**
 * What must be true of a request after every command, said from docs/spec/engine.md and not from the code: the engine is
 * run, this only watches. Names of invariants: terminal I1, live I2, approved I3, votes I4, barred I5, digest I6,
 * timers I11, refusals I16, pinned I17, grants I18; beside them events (R-EVENT-1, 2), tasks and seats (sections 6 and 7).
 */
import type { Command } from "../../src/core/decide.ts";
import type { EngineEvent } from "../../src/core/event.ts";
import type { Settings } from "../../src/core/facts.ts";
import type { Grant } from "../../src/core/grant.ts";
import type { PersonId } from "../../src/core/ids.ts";
import type { Instant, Person } from "../../src/core/person.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Refusal } from "../../src/core/refusal.ts";
import type { Request, Seat, StageRun, Task } from "../../src/core/request.ts";
import { actor, FULLY_PROVEN } from "../support/engine-world.ts";
import { canComplete, metByTheBook } from "../support/quorum-book.ts";
import { answerTo, counts, isAccepted, isBarred, isLive, isOpen, overdueSeats, urnOf } from "./answer.ts";

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
  /** Whom a reassignment names, if anybody is known by that name. */
  readonly target: Person | null;
  /** Some role that a rule may ask for cannot be looked up now. */
  readonly lookupsFail: boolean;
  /** Who has left, ever: their seats may be gone (identity section 1). */
  readonly left: ReadonlySet<PersonId>;
  readonly now: Instant;
}

/** Every sentence that is not true; none is the right answer. */
export function violations(o: Observation): readonly string[] {
  const broken: string[] = [];
  const must: Must = (holds, sentence) => {
    if (!holds) broken.push(sentence);
  };
  checkCommand(o, must);
  checkEvents(o, must);
  checkGrant(o, must);
  for (const run of o.after.stages) {
    checkSeats(o, run, must);
    checkVotes(o, run, must);
    checkTasks(o, run, must);
  }
  if (isLive(o.after)) checkLive(o, must);
  return broken;
}

type Must = (holds: boolean, sentence: string) => void;

function checkCommand(o: Observation, must: Must): void {
  const { before, due, after, command, refusal } = o;
  must(isLive(before) || isOnlyGrant(o), "I1 a terminal request never changes, but for its grant");
  must(after.policy === before.policy && after.digest === before.digest, "I17 policy and digest stay pinned");
  must(refusal?.message !== "", "I16 every refusal says why");
  must(refusal === null || due !== before || after === before, "I16 a refused command changes nothing");
  checkAnswer(o, must);
  if (command.type === "leave") checkLeft(o, command.personId, must);
  const kept = (run: StageRun, index: number): boolean =>
    (before.stages[index]?.decisions ?? []).every((decision, place) => run.decisions[place] === decision);
  must(after.stages.every(kept), `I3 decisions are never taken back or changed by ${command.type}`);
}

function checkAnswer({ policy, settings, due, command, refusal, target, now }: Observation, must: Must): void {
  const world = { policy, settings, request: due, now };
  const given = refusal?.refusal ?? null;
  if (command.type === "decide") {
    const code = answerTo(command, world);
    must(given === code, `R-DECIDE-2 the decision is answered with ${String(given)}, not ${String(code)}`);
  } else {
    const accepted = isAccepted(command, world, target);
    must(accepted === (given === null), `section 7: ${command.type} is accepted exactly where it may be`);
  }
}

const GRANT_EVENT = /^grant_(?:used|extended|revoked|expired)$/;

function isOnlyGrant({ before, after, events }: Observation): boolean {
  const grown: ReadonlySet<string> = new Set(["grant", "eventCount", "updatedAt"]);
  const kept = Object.entries(before).filter(([name]) => !grown.has(name));
  return (
    events.every((event) => GRANT_EVENT.test(event.type)) &&
    kept.every(([name, value]) => Reflect.get(after, name) === value)
  );
}

/** Section 11, from the events alone: what was counted, how it ended, and that it ended once. */
function checkGrant({ policy, before, after, history, now }: Observation, must: Must): void {
  const { grant } = after;
  must((grant !== null) === (after.status === "approved"), "I18 an approval, and nothing else, yields a grant");
  if (grant === null) return;
  const told = (type: string): number => history.filter((event) => event.type === type).length;
  const [used, ends] = [told("grant_used"), told("grant_revoked") + told("grant_expired")];
  must(grant.uses === used && used <= (policy.grant.uses ?? Infinity), "R-GRANT-1 uses are counted, and not exceeded");
  must((grant.state === "used") === (used === policy.grant.uses), "R-GRANT-1 the last use ends the grant");
  must(ends === (grant.state === "revoked" || grant.state === "expired" ? 1 : 0), "I18 a grant ends once");
  must(grant.extensions === told("grant_extended"), "R-GRANT-6 extensions are counted");
  must(before.grant?.endedAt == null || before.grant === grant, "I18 a grant that ended never changes");
  checkGrantTimes(grant, now, must);
}

function checkGrantTimes({ state, endedAt, expiresAt }: Grant, now: Instant, must: Must): void {
  const end = expiresAt ?? Infinity;
  must((endedAt === null) === (state === "active"), "I18 what ended says when");
  must(state !== "active" || now < end, "I18 no end is missed");
  must(state !== "expired" || (endedAt ?? 0) >= end, "I18 no end comes early");
}

/** identity section 1: a seat waits for somebody who left only while nobody can be looked up. */
function checkLeft({ after, due, lookupsFail }: Observation, id: PersonId, must: Must): void {
  const held = after.stages.flatMap((run) => run.tasks.filter((task) => task.personId === id && isOpen(task)));
  must(held.length === 0 || lookupsFail, "identity section 1: who left holds no open task");
  const decisions = (request: Request): number => request.stages.flatMap((run) => run.decisions).length;
  must(decisions(after) >= decisions(due), "identity section 1: what was decided by who left stays");
}

const ENDS: ReadonlySet<string> = new Set(
  ["approved", "rejected", "cancelled", "expired"].map((end) => `request_${end}`),
);

function checkEvents({ after, history, now, events }: Observation, must: Must): void {
  const last = history.filter((event) => ENDS.has(event.type));
  must(
    history.every((event, index) => event.sequence === index + 1),
    "R-EVENT-1 no gap in the sequence",
  );
  must(after.eventCount === history.length, "R-EVENT-1 the request knows its number of events");
  must(last.length === (isLive(after) ? 0 : 1), "R-STAGE-3 exactly one terminal event");
  const end = history.findIndex((event) => event === last[0]);
  const since = history.slice(end + 1);
  must(
    isLive(after) || since.every((event) => GRANT_EVENT.test(event.type)),
    "R-STAGE-3 nothing but uses follows the terminal event",
  );
  must(!events.some((event) => ENDS.has(event.type)) || after.completedAt === now, "R-STAGE-3 completed_at");
  const started = history.findIndex((event) => event.type === "stage_started");
  const told = history.every((event, index) => {
    const final =
      (!isLive(after) && index >= end) || (event.type === "stage_completed" && event.outcome === "rejected");
    const running = started >= 0 && index >= started ? "in_review" : "pending";
    return event.status === (final ? after.status : running);
  });
  must(told, "R-EVENT-2 the status that events tell");
}

const FILLED: Partial<Record<Seat["state"], string>> = {
  approved: "approve",
  rejected: "reject",
  abstained: "abstain",
};

function checkSeats({ policy, after, person, left }: Observation, run: StageRun, must: Must): void {
  const at = `in stage ${String(run.order)}`;
  for (const seat of run.seats) {
    const votes = run.decisions.filter((decision) => decision.seatId === seat.id).map((decision) => decision.action);
    must(votes.join() === (FILLED[seat.state] ?? ""), `I4 a seat is what its one decision says ${at}`);
    const usedUp = isBarred(policy, after, person(seat.holder), run.order);
    must(seat.state !== "open" || !usedUp, `R-SOD-2 nobody barred holds an open seat ${at}`);
    const gone = left.has(seat.holder) || seat.origins.every((origin) => left.has(origin));
    const given = gone || (usedUp && policy.forbidRepeatApprovers);
    must(seat.state !== "removed" || given, `R-QUORUM-13 a seat is removed ${at}`);
    const invited = run.tasks.filter((task) => task.seatId === seat.id && isOpen(task)).map((task) => task.personId);
    must(invited.join() === (seat.state === "open" ? seat.holder : ""), `R-STAGE-4 an open seat is its holder's ${at}`);
  }
  must(
    run.state === "open" || !run.seats.some((seat) => seat.state === "open"),
    `section 6: no open seat at the end ${at}`,
  );
  must(new Set(run.seats.map((seat) => seat.holder)).size === run.seats.length, `R-SOD-4 one seat each ${at}`);
}

function checkVotes(o: Observation, run: StageRun, must: Must): void {
  const { policy, after, person } = o;
  const at = `in stage ${String(run.order)}`;
  const votes = run.decisions.filter(counts);
  const voters = votes.flatMap((decision) => decision.personId ?? []);
  const approvers = votes.filter((decision) => decision.action === "approve").flatMap((d) => d.personId ?? []);
  const once = { ...policy, forbidRepeatApprovers: false };
  must(new Set(voters).size === voters.length, `R-SOD-4 one person votes once ${at}`);
  must(!voters.some((id) => isBarred(once, after, person(id), run.order)), `I5 nobody barred votes ${at}`);
  must(!approvers.some((id) => isBarred(policy, after, person(id), run.order)), `R-SOD-2 one approval each ${at}`);
  must(
    run.decisions.every((decision) => decision.digest === after.digest),
    `I6 what was decided on ${at}`,
  );
  const { rule, seats } = urnOf(policy, run);
  const byClock = policy.stages.find((stage) => stage.order === run.order)?.onBreach === "auto_approve";
  must(byClock || votes.length === voters.length, `R-SLA-6 the clock votes where it may ${at}`);
  must(run.state !== "approved" || metByTheBook(rule, seats), `I3 the quorum is met ${at}`);
  must(run.state !== "rejected" || isLost(o, run), `R-QUORUM-2, 4: a stage is rejected for a reason ${at}`);
}

function checkTasks({ now }: Observation, run: StageRun, must: Must): void {
  const at = `in stage ${String(run.order)}`;
  const open = run.tasks.filter(isOpen);
  must(run.state === "open" || open.length === 0, `section 7: no open task at the end ${at}`);
  must(new Set(open.map((task) => task.personId)).size === open.length, `one open task for each person ${at}`);
  must(overdueSeats(run).length > 0 || !open.some((task) => task.escalation), `R-QUORUM-10 nothing left to fill ${at}`);
  const done = run.tasks.filter((task) => task.status === "completed").map((task) => task.decisionId);
  const said = run.decisions.filter((decision) => decision.personId !== null).map((decision) => decision.id);
  must([...done].sort().join() === [...said].sort().join(), `I4 each completed task has its decision ${at}`);
  const late = (task: Task): boolean => task.overdueAt !== null && task.overdueAt >= (task.dueAt ?? Infinity);
  must(
    run.tasks.every((task) => task.overdueAt === null || late(task)),
    `I11 no due time fires early ${at}`,
  );
  const due = open.filter((task) => task.kind === "approver" && (task.dueAt ?? Infinity) <= now);
  must(due.every(late), `I11 no due time is missed ${at}`);
}

function isLost({ policy, after, now }: Observation, run: StageRun): boolean {
  const rule = policy.stages.find((stage) => stage.order === run.order);
  const vetoed = rule?.reject === "veto" && run.decisions.some((d) => counts(d) && d.action === "reject");
  const breached = rule?.onBreach === "auto_reject" && (run.dueAt ?? Infinity) <= now;
  const beside = after.stages.filter((each) => each.startedAt !== null && ["rejected", "closed"].includes(each.state));
  const urns = beside.map((each) => urnOf(policy, each, true));
  return vetoed || breached || !canComplete(urns, policy.forbidRepeatApprovers);
}

function checkLive(o: Observation, must: Must): void {
  const { policy, after, now } = o;
  const running = after.stages.filter((run) => run.state === "open");
  const waiting = after.stages.filter((run) => run.state === "resolving");
  const started = after.stages.some((run) => run.startedAt !== null);
  must(after.status === (started ? "in_review" : "pending"), "section 4: pending until a stage starts");
  must(running.length + waiting.length > 0, "R-STAGE-4 a live request waits for somebody or something");
  must(waiting.length === 0 || (after.resolution?.nextAttemptAt ?? 0) > now, "R-STAGE-4 a retry is planned");
  must(after.expiresAt > now, "R-TTL-2 a request that lives has not expired");
  const urns = running.map((run) => urnOf(policy, run));
  must(canComplete(urns, policy.forbidRepeatApprovers), "R-QUORUM-4 what is open can be completed");
  must(!urns.some(({ rule, seats }) => metByTheBook(rule, seats)), "R-QUORUM-12 what is met is completed at once");
  for (const run of running) {
    must(
      run.tasks.some((task) => mayAct(o, task)),
      `R-STAGE-4 somebody can act in stage ${String(run.order)}`,
    );
  }
}

/** A locked person keeps the task and acts again once unlocked. */
function unlocked(person: Person): Person {
  return { ...person, disabled: false };
}

function mayAct({ policy, settings, after, person, now }: Observation, task: Task): boolean {
  if (task.kind === "observer") return false;
  const ask = { taskId: task.id, actor: actor(unlocked(person(task.personId))), comment: null, digest: null };
  const world = { policy, settings, request: after, now };
  return (["approve", "reject"] as const).some(
    (action) => answerTo({ ...ask, action, proven: FULLY_PROVEN }, world) === null,
  );
}
