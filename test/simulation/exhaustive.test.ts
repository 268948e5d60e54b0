import { describe, expect, it } from "vitest";
import { decide, type Command } from "../../src/core/decide.ts";
import type { EngineEvent } from "../../src/core/event.ts";
import type { Policy } from "../../src/core/policy.ts";
import type { Refusal } from "../../src/core/refusal.ts";
import { isLive, isOpenTask, type Request } from "../../src/core/request.ts";
import { nextTimerAt } from "../../src/core/timers.ts";
import { actor, admin, person, policy, requires, Run, SETTINGS, stage, START, users } from "../support/engine-world.ts";
import { violations } from "./model.ts";

/** A request at an instant, with all that happened to it. */
interface Place {
  readonly request: Request;
  readonly now: number;
  readonly history: readonly EngineEvent[];
}

const PEOPLE = ["ann", "bob", "cid", "dan", "eva", "root"].map((name) => person(name));

function nameOf(id: string | null): string {
  return PEOPLE.find((known) => known.id === id)?.assignee ?? "clock";
}

/** Everything that can make a difference to what comes, without ids: places with one key have the same futures. */
function keyOf({ request, now }: Place): string {
  if (!isLive(request.status)) return JSON.stringify([request.status, request.stages.map((run) => run.state)]);
  const stages = request.stages.map((run) => [
    run.state,
    run.escalationRound,
    run.seats.map((seat) => [nameOf(seat.holder), seat.state]),
    run.tasks.map((task) => [task.assignee, task.status, task.dueAt, task.overdueAt === null]),
    run.decisions.map((decision) => [nameOf(decision.personId), decision.action]).sort(),
  ]);
  return JSON.stringify([request.status, stages, now]);
}

/** All commands worth giving: each holder's three decisions, one override, reassignment, handover, cancelling, waiting. */
function commandsAt(run: Run, place: Place): readonly { readonly command: Command; readonly now: number }[] {
  const tasks = place.request.stages.flatMap((each) => each.tasks).filter(isOpenTask);
  const rest = { comment: null, attachmentsRef: null, reasonCode: null, digest: null };
  const decisions = tasks.flatMap((task) =>
    (["approve", "reject", "abstain"] as const).map((action): Command => {
      const ids = { taskId: task.id, decisionId: run.newId<"decision">() };
      return { type: "decide", ...ids, actor: actor(task.assignee), action, ...rest };
    }),
  );
  const stead = tasks.slice(0, 1).map((task): Command => {
    const ids = { taskId: task.id, decisionId: run.newId<"decision">() };
    return { type: "decide", ...ids, actor: admin("root"), action: "approve", ...rest };
  });
  const moves = tasks.map((task): Command => {
    const ids = { taskId: task.id, newTaskId: run.newId<"task">() };
    return { type: "reassign", ...ids, actor: admin("root"), newAssignee: "dan", reason: null };
  });
  const now = [...decisions, ...stead, ...moves, { type: "cancel", actor: admin("root"), reason: null } as const];
  const next = nextTimerAt(place.request);
  const waits =
    next === null ? [] : [next, place.request.expiresAt].map((at) => ({ command: { type: "tick" } as const, now: at }));
  return [...now.map((command) => ({ command, now: place.now })), ...waits];
}

interface Explored {
  readonly states: number;
  readonly steps: number;
  readonly ends: Readonly<Record<string, number>>;
}

/** Every place that can be reached. Throws at the first one that the model finds something broken in. */
function explore(pinned: Policy): Explored {
  const run = new Run(pinned, { people: PEOPLE, requester: "eva", expiresInHours: 9 });
  const first: Place = { request: run.request, now: START, history: run.events };
  const seen = new Set([keyOf(first)]);
  const waiting = [first];
  const ends: Record<string, number> = {};
  let steps = 0;
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (!isLive(place.request.status)) ends[place.request.status] = (ends[place.request.status] ?? 0) + 1;
    for (const { command, now } of commandsAt(run, place)) {
      steps += 1;
      const next = step(run, place, command, now);
      const key = keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      waiting.push(next);
    }
  }
  return { states: seen.size, steps, ends };
}

function step(run: Run, place: Place, command: Command, now: number): Place {
  const setting = { policy: run.policy, facts: run.facts(), settings: SETTINGS, now };
  const due = decide(place.request, { type: "tick" }, setting).request;
  const outcome: { request: Request; events: readonly EngineEvent[]; refusal: Refusal | null } = decide(
    place.request,
    command,
    setting,
  );
  const history = [...place.history, ...outcome.events];
  const personOf = (id: string): ReturnType<typeof person> => person(nameOf(id));
  const broken = violations({
    ...{ policy: run.policy, settings: SETTINGS, before: place.request, due, after: outcome.request, command },
    ...{ refusal: outcome.refusal, events: outcome.events, history, person: personOf, now },
    ...{ left: new Set<never>(), lookupsFail: false },
    target: command.type === "reassign" ? person(command.newAssignee) : null,
  });
  if (broken.length > 0) expect.fail([...broken, JSON.stringify(command), keyOf(place)].join("\n"));
  return { request: outcome.request, now, history };
}

const second = { order: 2, slaHours: 1 } as const;

describe("every history of small policies, to the end", () => {
  it("engine R-STAGE-4: two of two with votes and an escalation, then a required one under a clock that rejects", () => {
    const explored = explore(
      policy({
        stages: [
          stage({
            ...{ mode: "any-n", modeValue: 1, reject: "vote", rules: users("ann", "bob") },
            ...{ slaHours: 1, onBreach: "escalate", escalationRules: users("eva") },
          }),
          stage({ ...second, rules: [requires("ann")], onBreach: "auto_reject" }),
        ],
      }),
    );
    expect(explored).toMatchInlineSnapshot(`
      {
        "ends": {
          "approved": 1,
          "cancelled": 2,
          "expired": 1,
          "rejected": 2,
        },
        "states": 2102,
        "steps": 17442,
      }
    `);
  });

  it("engine R-STAGE-4: two stages side by side that share their people, each of whom approves once", () => {
    const explored = explore(
      policy({
        forbidRepeatApprovers: true,
        forbidSelfApproval: true,
        stages: [
          stage({ parallelGroup: 1, mode: "any-n", rules: users("ann", "bob", "eva") }),
          stage({ order: 2, parallelGroup: 1, mode: "any-n", rules: users("ann", "bob"), reject: "vote" }),
        ],
      }),
    );
    expect(explored).toMatchInlineSnapshot(`
      {
        "ends": {
          "approved": 1,
          "cancelled": 3,
          "expired": 3,
          "rejected": 4,
        },
        "states": 515,
        "steps": 5003,
      }
    `);
  });

  it("engine R-STAGE-4: a percentage that abstentions count against, then all, both approved by the clock in the end", () => {
    const explored = explore(
      policy({
        stages: [
          stage({ mode: "percentage", modeValue: 60, slaHours: 1, onBreach: "auto_approve" }),
          stage({ ...second, rules: users("ann"), onBreach: "auto_approve" }),
        ],
      }),
    );
    expect(explored).toMatchInlineSnapshot(`
      {
        "ends": {
          "approved": 1,
          "cancelled": 2,
          "expired": 1,
          "rejected": 2,
        },
        "states": 330,
        "steps": 2742,
      }
    `);
  });
});
