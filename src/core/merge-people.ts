/**
 * Two people turned out to be one: what both did on a live request is one person's from now on. Where both have a vote in
 * one live stage the later decision is void, an open seat is given up, and the stage is counted again.
 * Implements docs/spec/identity.md R-ID-7.
 */
import { placeOf } from "./groups.ts";
import type { DecisionId, PersonId } from "./ids.ts";
import type { Facts, Lookup } from "./facts.ts";
import type { Delegation, Instant, Person } from "./person.ts";
import { skipIdleEscalation } from "./overdue.ts";
import { settle } from "./progress.ts";
import {
  isLive,
  isOpenTask,
  type Creator,
  type Decision,
  type Request,
  type Seat,
  type StageRun,
  type Task,
} from "./request.ts";
import { barredBecause } from "./separation-of-duties.ts";
import { closeTasks, emit, patch, patchStage, type Setting, type Step } from "./step.ts";
import { voidDecision } from "./void-decision.ts";

export interface MergeCommand {
  readonly type: "merge";
  readonly from: PersonId;
  readonly into: Person;
  /** Where the ledger recorded each decision that may turn out to be void. */
  readonly recordedAt: (decision: DecisionId) => number;
}

export function mergePeople(step: Step, command: MergeCommand, setting: Setting): Step {
  const { from, into } = command;
  if (!isLive(step.request.status) || !takesPart(step.request, from)) return step;
  const told = emit(step, { type: "person_merged", from, into: into.id, intoName: into.assignee });
  const { creator, stages } = told.request;
  let current = patch(told, {
    creator: renamedCreator(creator, from, into.id),
    stages: stages.map((run) => (run.state === "open" ? run : renameVotes(run, from, into.id))),
  });
  for (const run of stages.filter(({ state }) => state === "open"))
    current = mergeStage(current, run, command, setting);
  return settle(giveUpBarred(current, command, setting), setting, null);
}

/** Made it, holds or held a seat or a task in it, stands behind one, or decided. */
function takesPart({ creator, stages }: Request, id: PersonId): boolean {
  return (
    creator.personId === id ||
    creator.standsFor.includes(id) ||
    stages.some(
      (run) =>
        run.tasks.some((task) => task.personId === id || task.delegatorId === id) ||
        run.seats.some((seat) => seat.holder === id || seat.origins.includes(id)) ||
        run.decisions.some((decision) => decision.personId === id),
    )
  );
}

function renamedCreator(creator: Creator, from: PersonId, into: PersonId): Creator {
  const standsFor = [...new Set(creator.standsFor.map((id) => (id === from ? into : id)))];
  return { ...creator, personId: creator.personId === from ? into : creator.personId, standsFor };
}

/** A stage that is over keeps its votes; whose they were matters to later stages (R-SOD-2), once for each person. */
function renameVotes(run: StageRun, from: PersonId, into: PersonId): StageRun {
  const known = run.decisions.some((decision) => decision.personId === into);
  if (known || !run.decisions.some((decision) => decision.personId === from)) return run;
  return { ...run, decisions: run.decisions.map((decision) => renamed(decision, from, into)) };
}

function renamed(decision: Decision, from: PersonId, into: PersonId): Decision {
  return decision.personId === from ? { ...decision, personId: into } : decision;
}

function mergeStage(step: Step, run: StageRun, command: MergeCommand, setting: Setting): Step {
  const decision = laterVote(run, command.from, command.into.id);
  const once = decision === null ? step : voidVote(step, { order: run.order, decision }, command, setting.now);
  return patchStage(once, run.order, (stage) => renameStage(stage, command, setting.now));
}

function voidVote(
  step: Step,
  vote: { readonly order: number; readonly decision: Decision },
  { recordedAt }: MergeCommand,
  now: Instant,
): Step {
  return voidDecision(step, { ...vote, recordedAt: recordedAt(vote.decision.id), cause: "merged" }, now);
}

/** Of two counting decisions the one that came later, as they are kept in that order; null unless both decided. */
function laterVote(run: StageRun, from: PersonId, into: PersonId): Decision | null {
  const isVote = ({ personId, seatId }: Decision): boolean =>
    seatId !== null && (personId === from || personId === into);
  const [, later = null] = run.decisions.filter(isVote);
  return later;
}

function renameStage(run: StageRun, { from, into }: MergeCommand, now: Instant): StageRun {
  const seats = mergeSeats(run.seats, from, into.id);
  const removed = new Set(seats.filter(({ state }) => state === "removed").map(({ id }) => id));
  const known = run.tasks.some((task) => task.personId === into.id && isOpenTask(task) && !isRemoved(task));
  function isRemoved(task: Task): boolean {
    return task.seatId !== null && removed.has(task.seatId);
  }
  const closed = closeTasks(run, "skipped", now, (task) => isRemoved(task) || (known && task.personId === from));
  const merged: StageRun = {
    ...closed,
    seats,
    tasks: closed.tasks.map((task) => (isOpenTask(task) ? renameTask(task, from, into) : task)),
    decisions: closed.decisions.map((decision) =>
      decision.seatId === null ? decision : renamed(decision, from, into.id),
    ),
  };
  return skipIdleEscalation(merged, now);
}

function renameTask(task: Task, from: PersonId, into: Person): Task {
  const behind = task.delegatorId === from ? into.id : task.delegatorId;
  const holder = task.personId === from ? into.id : task.personId;
  if (holder === task.personId && behind === task.delegatorId) return task;
  const named = holder === into.id ? { assignee: into.assignee, assigneeName: into.displayName } : {};
  // Nobody stands in for themselves.
  const inStead = behind === holder ? { delegatorId: null, delegatedFrom: null } : { delegatorId: behind };
  return { ...task, personId: holder, ...named, ...inStead };
}

/** One person has one seat: the one that was voted on, else the survivor's. What was required of either is required of it. */
function mergeSeats(seats: readonly Seat[], from: PersonId, into: PersonId): readonly Seat[] {
  const own = seats.filter(({ holder }) => holder === from || holder === into);
  const held = own.filter(({ state }) => state !== "removed");
  const kept = held.find(({ state }) => state !== "open") ?? held.find(({ holder }) => holder === into) ?? held[0];
  const required = own.some((seat) => seat.required);
  const taken = seats.some(({ id, holder }) => holder === into && id !== kept?.id);
  return seats.map((seat) => {
    const origins = [...new Set(seat.origins.map((origin) => (origin === from ? into : origin)))];
    if (seat.id === kept?.id) return { ...seat, origins, required, holder: taken ? seat.holder : into };
    if (kept !== undefined && own.includes(seat)) return { ...seat, origins, required: false, state: "removed" };
    return seat.origins.includes(from) ? { ...seat, origins } : seat;
  });
}

/** As one person, somebody may be barred who was not before: the newest votes are void first, and open seats are given up. */
function giveUpBarred(step: Step, command: MergeCommand, { policy, now }: Setting): Step {
  const { into: person } = command;
  let current = step;
  const votes = current.request.stages
    .filter(({ state }) => state === "open")
    .flatMap(({ order, decisions }) => decisions.map((decision) => ({ order, decision })))
    .filter(({ decision }) => decision.personId === person.id && decision.seatId !== null)
    .sort((left, right) => right.decision.createdAt - left.decision.createdAt);
  for (const vote of votes) {
    if (barredBecause(policy, current.request, person, placeOf(policy, vote.order)) === null) continue;
    current = voidVote(current, vote, command, now);
  }
  for (const run of current.request.stages.filter(({ state }) => state === "open")) {
    if (barredBecause(policy, current.request, person, placeOf(policy, run.order)) === null) continue;
    current = patchStage(current, run.order, (stage) => giveUpSeat(stage, person.id, now));
  }
  return current;
}

function giveUpSeat(stage: StageRun, personId: PersonId, now: Instant): StageRun {
  const closed = closeTasks(stage, "skipped", now, (task) => task.kind === "approver" && task.personId === personId);
  const seats = closed.seats.map((seat): Seat =>
    seat.holder === personId && seat.state === "open" ? { ...seat, state: "removed" } : seat,
  );
  return skipIdleEscalation({ ...closed, seats }, now);
}

/** The same facts, in which both are the survivor: they were looked up before the two became one. */
export function asOnePerson(facts: Facts, from: PersonId, into: Person): Facts {
  const one = (person: Person): Person => (person.id === from || person.id === into.id ? into : person);
  const joined = (lookup: Lookup): Lookup =>
    lookup.ok
      ? { ok: true, members: [...new Map(lookup.members.map((member) => [one(member).id, one(member)])).values()] }
      : lookup;
  const away = (delegation: Delegation): Delegation => ({ ...delegation, to: one(delegation.to) });
  return {
    ...facts,
    people: new Map([...facts.people].map(([name, person]) => [name, one(person)])),
    lookups: new Map([...facts.lookups].map(([key, lookup]) => [key, joined(lookup)])),
    delegations: new Map([...facts.delegations].map(([id, list]) => [id, list.map(away)])),
  };
}
