import { describe, expect, it } from "vitest";
import {
  delegation,
  factsFor,
  HOUR,
  idSource,
  lookupOf,
  memberKey,
  observer,
  pinOf,
  policy,
  role,
  Run,
  stage,
  START,
  users,
  type Surroundings,
} from "../../test/support/engine-world.ts";
import type { JsonObject } from "./json.ts";
import type { Policy } from "./policy.ts";
import { nobodysQuestion, simulate, type Simulation } from "./simulate.ts";

function ask(
  pinned: Policy,
  context: JsonObject = {},
  around: Partial<Surroundings> = {},
  requester: string | null = null,
): Simulation {
  const world = { people: new Map(), lookups: new Map(), delegations: [], ...around };
  const question = nobodysQuestion(pinned, { pin: pinOf(pinned), context, requester });
  return simulate(pinned, question, { facts: factsFor(pinned, context, world, idSource()), now: START });
}

const holders = (found: Simulation): readonly (readonly string[])[] =>
  found.stages.map(({ plan }) =>
    plan.kind === "start" || plan.kind === "infeasible" ? plan.seating.seats.map((seat) => seat.holder.assignee) : [],
  );

describe("simulation", () => {
  const sized = policy({
    forbidSelfApproval: true,
    stages: [
      stage({ order: 1, rules: [...users("ann", "req"), observer("obs")] }),
      stage({ order: 2, parallelGroup: 1, skipIf: { "<": [{ var: "amount" }, 100] }, rules: users("bob") }),
      stage({ order: 3, parallelGroup: 1, mode: "any-n", modeValue: 2, rules: users("cid", "dan", "eva") }),
    ],
  });

  it("engine R-SIM-3: the holders after separation of duties and delegation, in order, without observers", () => {
    const found = ask(sized, { amount: 500 }, { delegations: [delegation("bob", "dep")] }, "req");
    expect(holders(found)).toEqual([["ann"], ["dep"], ["cid", "dan", "eva"]]);
    expect(found.stages.map(({ group }) => group)).toEqual([1, 2, 2]);
    expect(found.outcome).toBe("in_review");
    const [first] = found.stages;
    expect(first?.plan).toMatchObject({
      kind: "start",
      needed: 1,
      possible: 1,
      excluded: [{ user: "req", reason: "requester" }],
      observers: [{ assignee: "obs" }],
    });
  });

  it("engine R-SIM-2: skipped stages say why", () => {
    expect(ask(sized, { amount: 5 }).stages[1]?.plan).toMatchObject({ kind: "skip", reason: "skip_if" });
  });

  it("engine R-SIM-1: nobody in particular asks, then nobody is barred as requester", () => {
    expect(holders(ask(sized, { amount: 500 }))[0]).toEqual(["ann", "req"]);
  });

  it("engine R-SIM-4: it begins as the request would", () => {
    const skipping = { skipIf: { "==": [1, 1] } };
    const policies = [
      sized,
      policy({ stages: [stage(skipping), stage({ order: 2, ...skipping })] }),
      policy({ stages: [stage(skipping), stage({ order: 2, rules: [role("nobody")] })] }),
      policy({ stages: [stage({ rules: [role("nobody")], onEmpty: "skip" }), stage({ order: 2 })] }),
      policy({ stages: [stage({ mode: "any-n", modeValue: 9 })] }),
      policy({
        stages: [
          stage({ rules: [role("down")], parallelGroup: 1 }),
          stage({ order: 2, rules: [role("nobody")], parallelGroup: 1 }),
        ],
      }),
      policy({
        forbidRepeatApprovers: true,
        stages: [1, 2].map((order) => stage({ order, parallelGroup: 1, rules: users("ann") })),
      }),
    ];
    const lookups = new Map([
      [memberKey("nobody"), lookupOf([])],
      [memberKey("down"), lookupOf(new Error("down"))],
    ]);
    const answers = policies.map((pinned) => {
      const run = new Run(pinned, { members: { nobody: [], down: new Error("down") }, context: { amount: 500 } });
      const found = ask(pinned, { amount: 500 }, { lookups });
      expect(found.outcome).toBe(run.status);
      return found.outcome;
    });
    expect(answers).toEqual(["in_review", "approved", "rejected", "in_review", "rejected", "pending", "rejected"]);
  });

  it("engine R-DELEG-1: as of the time asked for", () => {
    const late = delegation("bob", "dep", { startsAt: START + HOUR });
    expect(holders(ask(sized, { amount: 500 }, { delegations: [late] }))[1]).toEqual(["bob"]);
  });
});
