import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  delegation,
  HOUR,
  idOf,
  idSource,
  observer,
  person,
  policy,
  requires,
  Run,
  stage,
  START,
  users,
} from "../../test/support/engine-world.ts";
import { isFeasible } from "./quorum.ts";
import { planSeats } from "./seats.ts";

const one = (change: Parameters<typeof stage>[0] = {}): ReturnType<typeof policy> =>
  policy({ stages: [stage({ rules: users("ann", "bob"), ...change })] });

describe("delegation", () => {
  it("engine R-DELEG-2: the delegate holds the seat, the candidate stays its origin", () => {
    const run = new Run(one(), { delegations: [delegation("ann", "dep")] });
    expect(run.task("dep")).toMatchObject({ delegatedFrom: "ann", delegatorId: idOf("ann") });
    expect(run.stage().seats[0]).toMatchObject({ holder: idOf("dep"), origins: [idOf("ann")] });
    run.approve("dep");
    expect(run.stage().decisions[0]?.onBehalfOf).toBe("ann");
  });

  it.each([
    [-1, ["ann", "bob"]],
    [0, ["dep", "bob"]],
    [HOUR - 1, ["dep", "bob"]],
    [HOUR, ["ann", "bob"]],
  ])("engine R-DELEG-1: in force from starts_at up to, not at, ends_at (%i ms)", (offset, holders) => {
    const delegations = [delegation("ann", "dep", { startsAt: START - offset, endsAt: START - offset + HOUR })];
    expect(new Run(one(), { delegations }).waitingFor()).toEqual(holders);
  });

  it("engine R-DELEG-1: of several the most recently created wins", () => {
    const run = new Run(one(), {
      delegations: [
        delegation("ann", "new", { createdAt: START - 1 }),
        delegation("ann", "old", { createdAt: START - 2 }),
      ],
    });
    expect(run.waitingFor()).toEqual(["new", "bob"]);
  });

  it("engine R-DELEG-6: only for its policies and artifact types, empty lists meaning all", () => {
    const holders = (change: Parameters<typeof delegation>[2]): readonly string[] =>
      new Run(one(), { delegations: [delegation("ann", "dep", change)] }).waitingFor();
    expect(holders({ policyKeys: ["payout"] })).toEqual(["dep", "bob"]);
    expect(holders({ policyKeys: ["other"] })).toEqual(["ann", "bob"]);
    expect(holders({ artifactTypes: ["payout.batch"] })).toEqual(["dep", "bob"]);
    expect(holders({ artifactTypes: ["other"] })).toEqual(["ann", "bob"]);
  });

  it("engine R-DELEG-2: one hop only", () => {
    const run = new Run(one(), { delegations: [delegation("ann", "bob"), delegation("bob", "cid")] });
    expect(run.waitingFor()).toEqual(["bob", "cid"]);
  });

  it("engine R-DELEG-4: two delegators to one person make one seat with both origins, required if either was", () => {
    const rules = [...users("ann"), requires("bob"), ...users("cid")];
    const run = new Run(policy({ stages: [stage({ rules })] }), {
      delegations: [delegation("ann", "dep"), delegation("bob", "dep")],
    });
    expect(run.waitingFor()).toEqual(["dep", "cid"]);
    expect(run.stage().seats[0]).toMatchObject({ origins: [idOf("ann"), idOf("bob")], required: true });
  });

  it("engine R-DELEG-4: a delegation to a fellow approver that would break the quorum is skipped", () => {
    const run = new Run(one({ mode: "any-n", modeValue: 2 }), { delegations: [delegation("ann", "bob")] });
    expect(run.waitingFor()).toEqual(["ann", "bob"]);
    expect(run.eventsOf("delegation_skipped")).toMatchObject([
      { user: "ann", delegate: "bob", reason: "would_break_quorum", stageOrder: 1 },
    ]);
  });

  it("engine R-DELEG-4: giving up one delegation may melt its seat with another one: both are given up", () => {
    const rules = users("bob", "ann", "cid");
    const run = new Run(policy({ stages: [stage({ mode: "any-n", modeValue: 3, rules })] }), {
      delegations: [delegation("ann", "bob"), delegation("bob", "cid")],
    });
    expect(run.waitingFor()).toEqual(["bob", "ann", "cid"]);
  });

  it("engine R-DELEG-4: a delegate who is needed beside this stage does not take the seat", () => {
    const stages = [
      stage({ order: 1, mode: "any-n", parallelGroup: 1, rules: users("ann") }),
      stage({ order: 2, mode: "any-n", parallelGroup: 1, rules: users("bob") }),
    ];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages }), { delegations: [delegation("ann", "bob")] });
    expect(run.status).toBe("in_review");
    expect(run.waitingFor(1)).toEqual(["ann"]);
    expect(run.eventsOf("delegation_skipped")).toMatchObject([{ user: "ann", reason: "would_break_quorum" }]);
  });

  it("engine R-DELEG-4: delegations that harm nobody stay when another one in the group has to go", () => {
    const stages = [
      stage({ order: 1, mode: "all", parallelGroup: 1, rules: users("ann", "cid") }),
      stage({ order: 2, mode: "any-n", parallelGroup: 1, rules: users("bob") }),
    ];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages }), {
      delegations: [delegation("ann", "bob"), delegation("cid", "bob")],
    });
    expect(run.status).toBe("in_review");
    expect(run.waitingFor(1)).toEqual(["bob", "cid"]);
    expect(run.approve("bob", 2).approve("cid", 1).status).toBe("approved");
  });

  it.each([
    ["barred", person("req"), {}],
    ["machine", person("robot", { machine: true }), {}],
    ["disabled", person("gone", { disabled: true }), {}],
    ["stage_forbids", person("dep"), { allowDelegation: false }],
  ] as const)(
    "engine R-DELEG-3: a delegation is not applied when it is %s, and that is told",
    (reason, delegate, change) => {
      const run = new Run(policy({ forbidSelfApproval: true, stages: [stage({ rules: users("ann"), ...change })] }), {
        requester: "req",
        delegations: [delegation("ann", delegate)],
      });
      expect(run.waitingFor()).toEqual(["ann"]);
      expect(run.eventsOf("delegation_skipped")).toMatchObject([
        { reason, userId: idOf("ann"), delegateId: delegate.id },
      ]);
    },
  );

  it("engine R-DELEG-5: a delegation that begins later leaves existing tasks alone", () => {
    const run = new Run(one({ rules: [...users("ann"), observer("obs")] }));
    run.around.delegations.push(delegation("ann", "dep"));
    run.later(1);
    expect(run.waitingFor()).toEqual(["ann", "obs"]);
  });
});

describe("whatever the delegations", () => {
  const names = ["ann", "bob", "cid", "dan", "eva"];

  it("engine R-DELEG-4: they never make a stage infeasible that would be feasible without, and nobody gets two seats", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(names, { minLength: 1 }),
        fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names, "out"))),
        fc.constantFrom("all" as const, "any-n" as const, "percentage" as const),
        fc.record({ modeValue: fc.integer({ min: 1, max: 5 }), minApprovals: fc.integer({ min: 1, max: 5 }) }),
        (candidates, pairs, mode, numbers) => {
          const rule = stage({ mode, ...numbers });
          const delegations = new Map(
            names.map((name) => [
              idOf(name),
              pairs.filter(([from, to]) => from === name && from !== to).map(([from, to]) => delegation(from, to)),
            ]),
          );
          const seating = planSeats(
            candidates.map((name) => ({ person: person(name), required: false })),
            { people: new Map(), lookups: new Map(), delegations, newId: idSource() },
            { stage: rule, policyKey: "payout", artifactType: "payout.batch", now: START, barred: () => null },
          );
          const open = (count: number): { state: "open"; required: false }[] =>
            Array.from({ length: count }, () => ({ state: "open", required: false }));
          if (isFeasible(rule, open(candidates.length)))
            expect(isFeasible(rule, open(seating.seats.length))).toBe(true);
          const holders = seating.seats.map((seat) => seat.holder.id);
          expect(new Set(holders).size).toBe(holders.length);
          const origins = seating.seats.flatMap((seat) => seat.origins.map((origin) => origin.assignee));
          expect([...origins].sort()).toEqual([...candidates].sort());
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
