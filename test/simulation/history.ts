/**
 * One random life of one request, made from a seed alone: a policy, people, and commands that crowd around the same
 * tasks and around the instants at which something is due.
 */
import type { Proven } from "../../src/core/assurance.ts";
import type { Command } from "../../src/core/decide.ts";
import type { EngineEvent } from "../../src/core/event.ts";
import type { PersonId } from "../../src/core/ids.ts";
import { decide } from "../../src/core/decide.ts";
import type { Actor, Instant, Person } from "../../src/core/person.ts";
import type { ApproverRule, Policy, Stage, StageMode } from "../../src/core/policy.ts";
import type { RefusalCode } from "../../src/core/refusal.ts";
import { isOpenTask, type DecisionAction, type Request, type Task } from "../../src/core/request.ts";
import { nextTimerAt } from "../../src/core/timers.ts";
import {
  actor,
  admin,
  delegation,
  FULLY_PROVEN,
  HOUR,
  idOf,
  machine,
  observer,
  person,
  policy,
  role,
  Run,
  stage,
  START,
} from "../support/engine-world.ts";
import { violations } from "./model.ts";

/** mulberry32: small, fast, and the same everywhere. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, not including, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item {
    return items[this.below(items.length)] ?? items[0];
  }

  one<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }

  some<Item>(items: readonly Item[], share: number): readonly Item[] {
    return items.filter(() => this.chance(share));
  }
}

const NAMES = ["ann", "bob", "cid", "dan", "eva", "fay"] as const;
const ROLES = ["leads", "risk"] as const;

function randomRules(dice: Dice): readonly ApproverRule[] {
  const named = dice.some(NAMES, 0.5).map((name): ApproverRule => ({
    match: { type: "user", name },
    kind: dice.chance(0.12) ? "observer" : "approver",
    required: dice.chance(0.12),
  }));
  return dice.chance(0.25) ? [...named, role(dice.pick(ROLES))] : named.length > 0 ? named : [role("leads")];
}

function randomStage(dice: Dice, order: number): Stage {
  const mode = dice.pick<StageMode>(["all", "any-n", "any-n", "percentage"]);
  return stage({
    order,
    mode,
    modeValue: dice.chance(0.3)
      ? null
      : mode === "percentage"
        ? dice.pick([25, 34, 50, 67, 100])
        : dice.pick([1, 2, 2, 3]),
    minApprovals: dice.pick([1, 1, 1, 2]),
    abstain: dice.pick(["neutral", "against"]),
    reject: dice.pick(["veto", "vote", "vote"]),
    rules: dice.chance(0.2) ? [...randomRules(dice), observer("obs")] : randomRules(dice),
    skipIf: dice.chance(0.1) ? { "<": [{ var: "amount" }, 100] } : null,
    onEmpty: dice.pick(["skip", "block"]),
    parallelGroup: dice.pick([null, 1, 1]),
    slaHours: dice.pick([null, 1, 2, 2]),
    onBreach: dice.pick(["notify", "escalate", "escalate", "auto_approve", "auto_reject"]),
    escalationRules: dice.chance(0.3) ? [role("leads"), observer("obs")] : randomRules(dice),
    escalationsMax: dice.pick([1, 1, 2]),
    allowDelegation: dice.chance(0.9),
    assurance: dice.pick(["session", "session", "mfa", "signed"]),
    rejectAssurance: dice.pick(["session", "session", "mfa", "signed"]),
    minViewSeconds: dice.chance(0.1) ? 1 : null,
    requireView: dice.chance(0.05),
  });
}

/** What came later than the kept seeds has dice of its own, so that their histories stay as they were. */
function randomTerms(dice: Dice): Pick<Policy, "grant" | "forbiddenApprovers"> {
  return {
    grant: { ttlMinutes: dice.pick([null, 1, 1, 30]), uses: dice.pick([null, 1, 2, 2]) },
    forbiddenApprovers: dice.pick([[], [], ["author"], ["absent", "author"]]),
  };
}

function randomPolicy(dice: Dice, later: Dice): Policy {
  return policy({
    ...randomTerms(later),
    forbidSelfApproval: dice.chance(0.5),
    forbidRepeatApprovers: dice.chance(0.5),
    requestTtlHours: dice.pick([null, 4, 8]),
    adminOverride: dice.pick([null, "allow", "reason", "off"]),
    allowHandover: dice.chance(0.5),
    stages: Array.from({ length: dice.pick([1, 2, 2, 3]) }, (_, index) => randomStage(dice, index + 1)),
  });
}

const DOWN = new Error("the directory is down");

function begin(dice: Dice, later: Dice): Run {
  const pinned = randomPolicy(dice, later);
  return new Run(pinned, {
    people: [...NAMES, "obs", "root", "out"].map((name) =>
      person(name, { disabled: dice.chance(0.04), foldedNames: name === "bob" ? ["bob", "robert"] : [name] }),
    ),
    members: {
      leads: dice.chance(0.2) ? DOWN : dice.some(NAMES, 0.4),
      risk: dice.chance(0.1) ? DOWN : dice.some(NAMES, 0.6),
    },
    delegations: dice.some(NAMES, 0.15).map((name) => delegation(name, dice.pick([...NAMES, "out"]))),
    by: dice.chance(0.7) ? machine("pipeline") : actor(dice.pick(NAMES)),
    requester: dice.pick([null, "Robert", "ann", "fay"]),
    context: {
      amount: dice.pick([50, 500]),
      author: later.pick(["ROBERT", ["eva", 7], `usr_${idOf("ann").replaceAll("-", "")}`, [], null]),
    },
    settings: { adminOverride: dice.pick(["allow", "reason", "off"]) },
  });
}

/** Somebody who might give a command about this task: mostly its holder. */
function somebody(dice: Dice, run: Run, task: Task): Actor {
  const known = (name: string): Person => run.around.people.get(name) ?? person(name);
  if (dice.chance(0.75)) return actor(known(task.assignee));
  if (dice.chance(0.1)) return machine("robot", { admin: dice.chance(0.5) });
  const other = known(dice.pick(["root", ...NAMES]));
  return actor(other, { admin: dice.chance(0.5) });
}

function randomTask(dice: Dice, run: Run): Task | undefined {
  const tasks = run.request.stages.flatMap((each) => each.tasks);
  return dice.chance(0.9) ? dice.one(tasks.filter(isOpenTask)) : dice.one(tasks);
}

function taskCommand(dice: Dice, run: Run, task: Task): Command {
  const by = somebody(dice, run, task);
  const taskId = task.id;
  const kind = dice.next();
  if (kind < 0.1) return { type: dice.pick(["claim", "release"]), taskId, actor: by };
  if (kind < (task.overdueAt === null ? 0.2 : 0.45)) {
    const who = dice.chance(0.7) ? admin("root") : by;
    const target = { newTaskId: run.newId<"task">(), newAssignee: dice.pick([...NAMES, "out", "obs"]) };
    return { type: "reassign", taskId, ...target, actor: who, reason: null };
  }
  const action = dice.pick<DecisionAction>(["approve", "approve", "approve", "approve", "abstain", "reject"]);
  const said = { comment: dice.pick([null, "because"]), attachmentsRef: null, reasonCode: null };
  const digest = dice.chance(0.95) ? null : dice.pick(["sha256:payload", "sha256:other"]);
  const ids = { taskId, decisionId: run.newId<"decision">() };
  return { type: "decide", ...ids, actor: by, action, ...said, digest, proven: randomProof(dice, run.now) };
}

function randomProof(dice: Dice, now: Instant): Proven {
  if (dice.chance(0.8)) return FULLY_PROVEN;
  const shownAt = dice.pick([null, 0, now, now - 999, now - 1_000]);
  return { assurance: dice.pick(["session", "mfa", "signed"]), method: null, factorId: null, shownAt };
}

function randomCommand(dice: Dice, run: Run): Command {
  const task = dice.chance(0.75) ? randomTask(dice, run) : undefined;
  if (task !== undefined) return taskCommand(dice, run, task);
  if (dice.chance(0.04))
    return { type: "cancel", actor: dice.pick([admin("root"), actor("ann"), machine("pipeline")]), reason: null };
  return dice.chance(0.1) ? { type: "resolve", actor: dice.pick([admin("root"), actor("ann")]) } : { type: "tick" };
}

/** To a millisecond before, at or after something that is due; or a little way. */
function laterInstant(dice: Dice, run: Run): Instant {
  const next = nextTimerAt(run.request);
  if (next !== null && dice.chance(0.25)) return Math.max(run.now, next + dice.pick([-1, 0, 1]));
  return run.now + (dice.chance(0.1) ? dice.below(HOUR) : dice.below(1_000));
}

function changeSurroundings(dice: Dice, run: Run): void {
  const { people, delegations } = run.around;
  if (dice.chance(0.1)) run.answer(dice.pick(ROLES), dice.chance(0.4) ? DOWN : dice.some(NAMES, 0.5));
  if (dice.chance(0.05))
    delegations.push(delegation(dice.pick(NAMES), dice.pick([...NAMES, "out"]), { endsAt: run.now + HOUR }));
  if (dice.chance(0.03)) delegations.pop();
  const name = dice.pick(NAMES);
  const known = people.get(name);
  if (known !== undefined && dice.chance(0.03)) people.set(name, { ...known, disabled: !known.disabled });
}

/** R-EXPLAIN-3, also while timers are due that have not fired yet: what a person is told is what a decision answers. */
function explainedWrongly(run: Run, asker: Actor): readonly string[] {
  const setting = { policy: run.policy, facts: run.facts(), settings: run.settings, now: run.now };
  const { you } = run.explain(asker);
  const own = run.request.stages.flatMap((each) => each.tasks).filter((task) => task.personId === asker.person?.id);
  const accepted = own.map((task) => ({
    id: task.id,
    actions: (["approve", "reject", "abstain"] as const).filter((action) => {
      const ids = { taskId: task.id, decisionId: run.newId<"decision">() };
      const said = { comment: null, attachmentsRef: null, reasonCode: null, digest: null, proven: FULLY_PROVEN };
      return decide(run.request, { type: "decide", ...ids, actor: asker, action, ...said }, setting).refusal === null;
    }),
  }));
  const told = accepted.find(({ id }) => id === you.taskId);
  const right = you.canDecide
    ? told?.actions.join() === you.actions.join()
    : accepted.every((each) => each.actions.length === 0);
  const reasoned = you.canDecide || you.reasons.length > 0;
  return right && reasoned ? [] : [`R-EXPLAIN-3 ${asker.assignee} is told ${JSON.stringify(you)}`];
}

/** Somebody leaves for good, in one history of four. */
function leave(dice: Dice, run: Run, left: Set<PersonId>): Command {
  const name = dice.pick(NAMES);
  const known = run.around.people.get(name) ?? person(name);
  run.around.people.set(name, { ...known, disabled: true });
  left.add(known.id);
  return { type: "leave", personId: known.id, cause: dice.pick(["suspended", "erased"]) };
}

/** Uses mostly, by whoever made the request; extended and revoked by all sorts of people. */
function grantCommand(dice: Dice, run: Run): Command {
  const people = [actor(run.around.people.get(dice.pick(NAMES)) ?? person("ann")), admin("root"), machine("robot")];
  const by = dice.chance(0.6) ? madeBy(run) : (dice.one(people) ?? admin("root"));
  const authority = dice.pick(["caller", "caller", "gate"] as const);
  const kind = dice.next();
  if (kind < 0.6) {
    const digest = dice.chance(0.9) ? run.request.digest : "sha256:other";
    return { type: "use_grant", actor: by, by: authority, digest, action: dice.pick([null, "thing:do"]) };
  }
  if (kind < 0.85) {
    const end = run.request.grant?.expiresAt ?? run.now;
    const bounds = { most: dice.pick([0, 1, 2]), latest: end + dice.pick([0, 1_000, HOUR]) };
    const who = dice.chance(0.8) ? (people[0] ?? by) : by;
    return { type: "extend_grant", actor: who, expiresAt: end + dice.pick([-1, 0, 1, 1_000]), ...bounds };
  }
  const comment = dice.pick([null, " ", "no longer wanted"]);
  return { type: "revoke_grant", actor: by, by: authority, reason: "withdrawn", comment };
}

function someCommand(dice: Dice, later: Dice, run: Run): Command {
  return later.chance(run.status === "approved" ? 0.5 : 0.02) ? grantCommand(later, run) : randomCommand(dice, run);
}

/** The caller that made the request, as it comes back. */
function madeBy({ request, around }: Run): Actor {
  const { creator } = request;
  return creator.machine ? machine(creator.assignee) : actor(around.people.get(creator.assignee) ?? creator.assignee);
}

export interface Told {
  readonly broken: readonly string[];
  readonly status: Request["status"];
  readonly events: readonly EngineEvent[];
  readonly refusals: readonly RefusalCode[];
  readonly commands: readonly string[];
  readonly stageStates: readonly string[];
}

/** Plays the history of this seed; stops at the first step after which the model finds something broken. */
export function play(seed: number, stepsMax = 40): Told {
  const dice = new Dice(seed);
  const later = new Dice(seed + 2_000_003);
  const run = begin(dice, later);
  const leaving = seed % 4 === 0 ? new Dice(seed + 1_000_003) : null;
  const left = new Set<PersonId>();
  const refusals: RefusalCode[] = [];
  const commands: string[] = [`create at ${String(START)}`];
  const personOf = (id: string): ReturnType<typeof person> => {
    const known = [...run.around.people.values()].find((candidate) => candidate.id === id);
    if (known === undefined) throw new Error(`nobody has the id ${id}`);
    return known;
  };
  const look = (before: Request, due: Request, command: Command): readonly string[] =>
    violations({
      ...{ policy: run.policy, settings: run.settings, before, due, after: run.request, command },
      ...{ refusal: run.refusal, events: run.latest, history: run.events, person: personOf, now: run.now },
      left,
      lookupsFail: [...run.around.lookups.values()].some((lookup) => !lookup.ok),
      target: command.type === "reassign" ? (run.around.people.get(command.newAssignee) ?? null) : null,
    });
  let broken: readonly string[] = look(run.request, run.request, { type: "tick" }).filter(
    (sentence) => !sentence.startsWith("I1 "),
  );
  for (let steps = 0; steps < stepsMax && broken.length === 0; steps += 1) {
    changeSurroundings(dice, run);
    run.now = laterInstant(dice, run);
    const before = run.request;
    const asker = actor(run.around.people.get(dice.pick(NAMES)) ?? person("ann"));
    const wrong = explainedWrongly(run, asker);
    const command = leaving?.chance(0.1) === true ? leave(leaving, run, left) : someCommand(dice, later, run);
    const setting = { policy: run.policy, facts: run.facts(), settings: run.settings, now: run.now };
    const due = decide(before, { type: "tick" }, setting).request;
    run.give(command);
    if (run.refusal !== null) refusals.push(run.refusal.refusal);
    commands.push(`${command.type} at ${String(run.now - START)} ms: ${run.refusal?.message ?? "done"}`);
    broken = [...look(before, due, command), ...wrong];
  }
  const stageStates = run.request.stages.map((each) => each.state);
  return { broken, status: run.request.status, events: run.events, refusals, commands, stageStates };
}
