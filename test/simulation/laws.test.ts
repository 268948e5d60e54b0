import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idOf, policy, requires, Run, stage, users } from "../support/engine-world.ts";

const NAMES = ["ann", "bob", "cid", "dan"] as const;
const action = fc.constantFrom("approve" as const, "abstain" as const, "reject" as const);

const rule = fc
  .record({
    mode: fc.constantFrom("all" as const, "any-n" as const, "percentage" as const),
    modeValue: fc.integer({ min: 1, max: 4 }),
    minApprovals: fc.constantFrom(1, 1, 2),
    abstain: fc.constantFrom("neutral" as const, "against" as const),
    reject: fc.constantFrom("veto" as const, "vote" as const),
    required: fc.constantFrom(...NAMES, null, null),
  })
  .map(({ required, modeValue, ...rest }) =>
    stage({
      ...rest,
      modeValue: rest.mode === "percentage" ? modeValue * 25 : modeValue,
      rules: NAMES.map((name) => (name === required ? requires(name) : users(name))).flat(),
    }),
  );

describe("laws of deciding", () => {
  it("engine R-SOD-4: deciding twice never counts twice, whatever is said the second time", () => {
    fc.assert(
      fc.property(rule, fc.constantFrom(...NAMES), action, action, (only, name, first, second) => {
        const run = new Run(policy({ stages: [only, stage({ order: 2 })] }));
        fc.pre(run.status === "in_review");
        const task = run.task(name, 1);
        run.decide(first, name, { task });
        const once = run.request;
        const refused = run.refusal !== null;
        run.decide(second, name, { task });
        expect(refused || run.refusal?.refusal === "wrong_state").toBe(true);
        if (!refused) expect(run.request).toBe(once);
        expect(run.stage(1).decisions.length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("engine I12: the order in which people approve does not change the outcome of a stage", () => {
    fc.assert(
      fc.property(
        rule,
        fc
          .shuffledSubarray([...NAMES])
          .chain((first) => fc.tuple(fc.constant(first), fc.shuffledSubarray(first, { minLength: first.length }))),
        (only, [first, second]) => {
          const end = (order: readonly string[]): readonly unknown[] => {
            const run = new Run(policy({ stages: [only] }));
            for (const name of order) if (run.status === "in_review") run.approve(name);
            return [run.status, run.stage().state];
          };
          expect(end(second)).toEqual(end(first));
        },
      ),
    );
  });

  it("engine R-QUORUM-1: of twenty who approve where one is enough one is counted, whoever is first, 1,000 times", () => {
    const crowd = Array.from({ length: 20 }, (_, at) => `admin-${String(at)}`);
    const only = stage({ mode: "any-n", modeValue: 1, rules: users(...crowd) });
    const granting = policy({ stages: [only], grant: { ttlMinutes: 15, uses: 1 } });
    fc.assert(
      fc.property(fc.shuffledSubarray(crowd, { minLength: crowd.length }), (order) => {
        const run = new Run(granting);
        const tasks = order.map((name) => [name, run.task(name)] as const);
        const refused = tasks.map(
          ([name, task]) => run.decide("approve", name, { task }).refusal?.refusal ?? "approved",
        );
        expect(refused).toEqual(["approved", ...Array.from({ length: crowd.length - 1 }, () => "wrong_state")]);
        expect(run.stage().decisions.map(({ personId }) => personId)).toEqual([idOf(order[0] ?? "")]);
        expect(run.eventsOf("request_approved")).toHaveLength(1);
        expect(run.request.grant).toMatchObject({ state: "active" });
      }),
      { numRuns: 1_000 },
    );
  });
});
