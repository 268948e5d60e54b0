/**
 * Which commands are to be accepted, and how the others are to be answered: read from docs/spec/engine.md R-DECIDE-2,
 * R-DECIDE-6, R-DECIDE-10, R-SOD-1 to 6, R-QUORUM-7, 10, R-REASSIGN-1, R-CANCEL-1, R-GRANT-1 to 6 and section 7, without a
 * look at the engine.
 */
import type { Command } from "../../src/core/decide.ts";
import type { Settings } from "../../src/core/facts.ts";
import type { Grant } from "../../src/core/grant.ts";
import type { TaskId } from "../../src/core/ids.ts";
import { foldName, type Actor, type Instant, type Person } from "../../src/core/person.ts";
import type { Policy, Stage } from "../../src/core/policy.ts";
import type { RefusalCode } from "../../src/core/refusal.ts";
import type { Decision, Request, Seat, StageRun, Task } from "../../src/core/request.ts";
import { canComplete, type Urn } from "../support/quorum-book.ts";

export function isLive(request: Request): boolean {
  return request.status === "pending" || request.status === "in_review";
}

export function isOpen(task: Task): boolean {
  return task.status === "open" || task.status === "claimed";
}

/** A decision that fills a seat. */
export function counts(decision: Decision): boolean {
  return decision.seatId !== null;
}

export function urnOf(policy: Policy, run: StageRun, reopen = false): Urn {
  const reopened = (seat: Seat): Seat => (reopen && seat.state === "closed" ? { ...seat, state: "open" } : seat);
  return { rule: stageOf(policy, run), seats: run.seats.map(reopened) };
}

function stageOf(policy: Policy, run: StageRun): Stage {
  const found = policy.stages.find((stage) => stage.order === run.order);
  if (found === undefined) throw new Error(`the policy has no stage ${String(run.order)}`);
  return found;
}

/** R-SOD-1, R-SOD-2: as this person, under any name, in this stage. Later stages hold no decisions yet. */
export function isBarred(policy: Policy, request: Request, person: Person, order: number): boolean {
  const asked = person.foldedNames.includes(foldName(request.requester)) || request.creator.personId === person.id;
  const elsewhere = request.stages.filter((run) => run.order !== order).flatMap((run) => run.decisions);
  const approved = elsewhere.some((d) => d.personId === person.id && d.action === "approve" && counts(d));
  const used = (policy.forbidSelfApproval && asked) || (policy.forbidRepeatApprovers && approved);
  return person.machine || used || isNamed(policy, request, person);
}

/** R-SOD-1: at the paths that histories use, which stand at the top of the context. */
function isNamed(policy: Policy, { context }: Request, person: Person): boolean {
  const named = policy.forbiddenApprovers.flatMap((path) => [context[path] ?? []].flat());
  return named.some(
    (name) => typeof name === "string" && (person.foldedNames.includes(foldName(name)) || isIdOf(name, person)),
  );
}

function isIdOf(name: string, { id }: Person): boolean {
  return name.toLowerCase() === `usr_${id.replaceAll("-", "")}`;
}

/** R-QUORUM-10: required first, then by seat order. */
export function overdueSeats(run: StageRun): readonly Seat[] {
  const late = (seat: Seat): boolean =>
    run.tasks.some((t) => t.seatId === seat.id && isOpen(t) && t.overdueAt !== null);
  const seats = run.seats.filter((seat) => seat.state === "open" && late(seat));
  return [...seats.filter((seat) => seat.required), ...seats.filter((seat) => !seat.required)];
}

interface Found {
  readonly run: StageRun;
  readonly task: Task;
}

function find(request: Request, id: TaskId): Found | undefined {
  const run = request.stages.find((each) => each.tasks.some((task) => task.id === id));
  const task = run?.tasks.find((each) => each.id === id);
  return run === undefined || task === undefined ? undefined : { run, task };
}

export interface World {
  readonly policy: Policy;
  readonly settings: Settings;
  readonly request: Request;
  readonly now: Instant;
}

export type Ask = Pick<
  Extract<Command, { type: "decide" }>,
  "taskId" | "actor" | "action" | "comment" | "digest" | "proven"
>;

/** Checks in the order in which they answer, each with the code it answers with. */
type Checks = readonly (readonly [() => boolean, RefusalCode])[];

const firstFailing = (checks: Checks): RefusalCode | null => checks.find(([fails]) => fails())?.[1] ?? null;

/** R-DECIDE-2: the code of the first check that fails, or null where the decision is to be accepted. */
export function answerTo(ask: Ask, world: World): RefusalCode | null {
  const { policy, settings, request } = world;
  const found = find(request, ask.taskId);
  if (found === undefined) return "task_not_found";
  const { person, machine, admin } = ask.actor;
  if (machine || person === null) return "machine";
  if (person.disabled) return "person_locked";
  const own = found.task.personId === person.id;
  const rule = stageOf(policy, found.run);
  const override = rule.assurance === "signed" ? "off" : (policy.adminOverride ?? settings.adminOverride);
  return (
    firstFailing([
      [() => !own && !(admin && override !== "off"), "not_assignee"],
      [() => !isLive(request) || !isOpen(found.task), "wrong_state"],
      [() => ask.digest !== null && ask.digest !== request.digest, "digest_mismatch"],
    ]) ??
    (found.task.kind === "approver" ? voteConflict(ask, world, { ...found, person, own }) : null) ??
    firstFailing([[() => !own && override === "reason" && (ask.comment ?? "").trim() === "", "comment_required"]]) ??
    (found.task.kind === "approver" ? unproven(ask, rule, world.now) : null)
  );
}

/** identity section 6, R-SIGN-2, R-SIGN-7, R-SIGN-8: what observers say needs no proof, rejecting none by default. */
function unproven({ action, proven }: Ask, rule: Stage, now: Instant): RefusalCode | null {
  const shownAt = proven?.shownAt ?? null;
  const rank = { session: 0, mfa: 1, signed: 2 };
  const wanted = Math.min(rank[rule.assurance], action === "reject" ? rank[rule.rejectAssurance] : 2);
  return firstFailing([
    [() => shownAt === null && (rule.requireView || rule.minViewSeconds !== null), "view_required"],
    [() => wanted > rank[proven?.assurance ?? "session"], wanted === 2 ? "signature_required" : "step_up_required"],
    [() => shownAt !== null && now < shownAt + (rule.minViewSeconds ?? 0) * 1_000, "too_fast"],
  ]);
}

interface Voting extends Found {
  readonly person: Person;
  readonly own: boolean;
}

function voteConflict(ask: Ask, world: World, vote: Voting): RefusalCode | null {
  const { run, task, person, own } = vote;
  const invited = (d: Decision): boolean => run.tasks.some((t) => t.id === d.taskId && t.kind === "approver");
  const seat = task.escalation ? overdueSeats(run)[0] : run.seats.find((each) => each.id === task.seatId);
  return firstFailing([
    [() => person.machine, "machine"],
    [() => isBarred(world.policy, world.request, person, run.order), "separation_of_duties"],
    [() => run.decisions.some((d) => d.personId === person.id && invited(d)), "quorum_conflict"],
    [() => !own && run.seats.some((each) => each.holder === person.id && each.state === "open"), "quorum_conflict"],
    [() => ask.action === "approve" && isDeadEnd(world, vote, seat), "quorum_conflict"],
    [() => ask.action === "abstain" && !task.escalation && seat?.required === true, "quorum_conflict"],
  ]);
}

/** R-SOD-5: with this approval some open stage could never be completed any more. */
function isDeadEnd({ policy, request }: World, { run, person }: Voting, seat: Seat | undefined): boolean {
  if (!policy.forbidRepeatApprovers) return false;
  const after = (each: StageRun): StageRun => ({
    ...each,
    seats: each.seats.map((held): Seat => {
      if (each === run) return held === seat ? { ...held, state: "approved" } : held;
      return held.holder === person.id && held.state === "open" ? { ...held, state: "removed" } : held;
    }),
  });
  const open = request.stages.filter((each) => each.state === "open");
  return !canComplete(
    open.map((each) => urnOf(policy, after(each))),
    true,
  );
}

/** Whether a command other than a decision is to be accepted; `target` is who a reassignment leads to. */
export function isAccepted(
  command: Exclude<Command, { type: "decide" }>,
  world: World,
  target: Person | null,
): boolean {
  // Nobody's to refuse: the clock, and what becomes of people.
  if (command.type === "tick" || command.type === "leave" || command.type === "merge") return true;
  return isAllowed(command, world, target);
}

type Given = Exclude<Command, { type: "decide" | "tick" | "leave" | "merge" }>;
type GrantGiven = Extract<Given, { type: "use_grant" | "extend_grant" | "revoke_grant" }>;

function isOfGrant(command: Given): command is GrantGiven {
  return command.type === "use_grant" || command.type === "extend_grant" || command.type === "revoke_grant";
}

function isAllowed(command: Given, world: World, target: Person | null): boolean {
  const { request } = world;
  const { actor } = command;
  if (isOfGrant(command)) return mayUse(command, world);
  if (!isLive(request)) return false;
  if (command.type === "resolve") return actor.admin && request.resolution !== null;
  if (command.type === "cancel") return actor.admin || asksOrMade(request, actor);
  const found = find(request, command.taskId);
  if (found === undefined || !isOpen(found.task)) return false;
  return command.type === "reassign"
    ? target !== null && mayMove(actor, world, found) && isWelcome(world, found, target)
    : mayMark(actor, found.task, command.type);
}

/** Section 11: only of what is approved, inside its time, with uses left. */
function mayUse(command: GrantGiven, world: World): boolean {
  const { request, now } = world;
  const { grant } = request;
  if (grant === null || !isInForce(grant, now) || command.actor.person?.disabled === true) return false;
  switch (command.type) {
    case "use_grant":
      return (command.by === "gate" || isMaker(request, command.actor)) && command.digest === request.digest;
    case "revoke_grant":
      return command.by === "gate" || mayRevoke(command, request);
    case "extend_grant":
      return mayExtend(command, grant, world);
  }
}

function isMaker(request: Request, actor: Actor): boolean {
  return asksOrMade({ ...request, requester: "" }, actor);
}

function mayRevoke({ actor, comment }: Extract<GrantGiven, { type: "revoke_grant" }>, request: Request): boolean {
  const may = isMaker(request, actor) || actor.admin || approvedIt(request, actor);
  return may && (comment ?? "").trim() !== "";
}

function mayExtend(
  command: Extract<GrantGiven, { type: "extend_grant" }>,
  { expiresAt, extensions }: Grant,
  { policy, request }: World,
): boolean {
  const { person, machine } = command.actor;
  const once = { ...policy, forbidRepeatApprovers: false };
  if (person === null || machine || isBarred(once, request, person, 0) || expiresAt === null) return false;
  return command.expiresAt > expiresAt && extensions < command.most && command.expiresAt <= command.latest;
}

function isInForce({ state, notBefore, expiresAt, uses, usesMax }: Grant, now: Instant): boolean {
  return state === "active" && notBefore <= now && now < (expiresAt ?? Infinity) && uses < (usesMax ?? Infinity);
}

function approvedIt({ stages }: Request, { person }: Actor): boolean {
  const votes = stages.flatMap((run) => run.decisions).filter((d) => counts(d) && d.action === "approve");
  return votes.some((vote) => person !== null && vote.personId === person.id);
}

function mayMove(actor: Actor, { policy }: World, { task }: Found): boolean {
  return actor.admin || (actor.person?.id === task.personId && policy.allowHandover);
}

/** R-TASK-1: people only, the holder or an administrator. */
function mayMark({ person, machine, admin }: Actor, task: Task, type: "claim" | "release"): boolean {
  if (person === null || machine || person.disabled || (person.id !== task.personId && !admin)) return false;
  return task.status === (type === "claim" ? "open" : "claimed");
}

/** R-REASSIGN-1. */
function isWelcome({ policy, request }: World, { run, task }: Found, target: Person): boolean {
  const there = [...run.tasks, ...run.decisions].some((each) => each.personId === target.id);
  if (there || target.disabled || target.machine) return false;
  if (task.kind === "observer") return true;
  const moved = (seat: Seat): Seat => (seat.id === task.seatId ? { ...seat, holder: target.id } : seat);
  const open = request.stages.filter((each) => each.state === "open");
  const urns = open.map((each) => urnOf(policy, each === run ? { ...each, seats: each.seats.map(moved) } : each));
  return !isBarred(policy, request, target, run.order) && canComplete(urns, policy.forbidRepeatApprovers);
}

function asksOrMade({ requester, creator }: Request, { person, assignee, issuer, subject }: Actor): boolean {
  if (person !== null && (requester === assignee || creator.personId === person.id)) return true;
  return creator.issuer === issuer && creator.subject === subject;
}
