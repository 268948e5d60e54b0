import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { idOf, stage } from "../../test/support/engine-world.ts";
import { canComplete, metByTheBook, type Urn } from "../../test/support/quorum-book.ts";
import {
  isFeasible,
  isGroupFeasible,
  isMet,
  needed,
  possible,
  tally,
  type HeldVote,
  type QuorumRule,
  type Vote,
} from "./quorum.ts";
import type { SeatState } from "./request.ts";

function votes(states: string): readonly Vote[] {
  const names: Readonly<Record<string, SeatState>> = {
    o: "open",
    a: "approved",
    r: "rejected",
    x: "abstained",
    d: "removed",
    c: "closed",
  };
  return Array.from(states, (letter): Vote => {
    const state = names[letter.toLowerCase()];
    if (state === undefined) throw new Error(`no seat state '${letter}'`);
    return { state, required: letter !== letter.toLowerCase() };
  });
}

const neededOf = (rule: QuorumRule, states: string): number => needed(rule, tally(votes(states)));

describe("how many approvals are needed", () => {
  it.each([
    [50, 3, 2],
    [34, 3, 2],
    [33, 3, 1],
    [100, 7, 7],
    [1, 1000, 10],
    [1, 1001, 11],
    [29, 100, 29],
    [57, 100, 57],
  ])("engine section 6: percentage %i of %i seats needs %i, in whole numbers", (modeValue, seats, wanted) => {
    expect(neededOf(stage({ mode: "percentage", modeValue }), "o".repeat(seats))).toBe(wanted);
  });

  it("engine section 6: a percentage without a value is all of them", () => {
    expect(neededOf(stage({ mode: "percentage" }), "ooooo")).toBe(5);
  });

  it("engine section 6: any-n needs N, one without a value, whatever the number of seats", () => {
    expect(neededOf(stage({ mode: "any-n", modeValue: 2 }), "ooooo")).toBe(2);
    expect(neededOf(stage({ mode: "any-n" }), "ooooo")).toBe(1);
    expect(neededOf(stage({ mode: "any-n", modeValue: 3 }), "o")).toBe(3);
  });

  it("engine R-QUORUM-5: at least one in every mode, also when everybody abstained or was removed", () => {
    expect(neededOf(stage({ mode: "all" }), "xxx")).toBe(1);
    expect(neededOf(stage({ mode: "all" }), "ddd")).toBe(1);
    expect(neededOf(stage({ mode: "percentage", abstain: "neutral" }), "xx")).toBe(1);
  });

  it("engine section 6: min_approvals is a floor under every mode", () => {
    expect(neededOf(stage({ mode: "any-n", minApprovals: 3 }), "oooo")).toBe(3);
    expect(neededOf(stage({ mode: "all", minApprovals: 3 }), "oo")).toBe(3);
    expect(neededOf(stage({ mode: "percentage", modeValue: 10, minApprovals: 3 }), "oooo")).toBe(3);
  });

  it("engine R-QUORUM-6: neutral abstentions leave the total of all and percentage, those against stay in it", () => {
    expect(neededOf(stage({ mode: "all", abstain: "neutral" }), "ooxx")).toBe(2);
    expect(neededOf(stage({ mode: "all", abstain: "against" }), "ooxx")).toBe(4);
    expect(neededOf(stage({ mode: "percentage", modeValue: 50, abstain: "neutral" }), "ooxx")).toBe(1);
    expect(neededOf(stage({ mode: "percentage", modeValue: 50, abstain: "against" }), "ooxx")).toBe(2);
    expect(neededOf(stage({ mode: "any-n", modeValue: 2 }), "ooxx")).toBe(2);
  });

  it("engine R-QUORUM-13: a removed seat leaves the total", () => {
    expect(neededOf(stage({ mode: "all" }), "aod")).toBe(2);
    expect(neededOf(stage({ mode: "percentage", modeValue: 50 }), "oodd")).toBe(1);
  });
});

describe("when a stage is met, and when it cannot be any more", () => {
  it("engine R-QUORUM-1: enough approvals and every required seat approved", () => {
    const one = stage({ mode: "any-n" });
    expect(isMet(one, votes("aoo"))).toBe(true);
    expect(isMet(one, votes("aOo"))).toBe(false);
    expect(isMet(one, votes("oAo"))).toBe(true);
    expect(isMet(one, votes("aXo"))).toBe(false);
    expect(isMet(one, votes("ooo"))).toBe(false);
  });

  it("engine R-QUORUM-3: approvals so far and open seats reach what is needed, and no required seat is lost", () => {
    const two = stage({ mode: "any-n", modeValue: 2 });
    expect(isFeasible(two, votes("ao"))).toBe(true);
    expect(isFeasible(two, votes("ax"))).toBe(false);
    expect(isFeasible(two, votes("aoX"))).toBe(false);
    expect(isFeasible(two, votes("aoR"))).toBe(false);
    expect(isFeasible(two, votes("aoD"))).toBe(false);
    expect(isFeasible(two, votes("aoO"))).toBe(true);
  });

  it("engine R-QUORUM-6: a rejection that is a vote spends the seat of a stage that needs all", () => {
    expect(isFeasible(stage({ mode: "all", reject: "vote" }), votes("aro"))).toBe(false);
    expect(isFeasible(stage({ mode: "any-n", modeValue: 2, reject: "vote" }), votes("aro"))).toBe(true);
  });

  it("engine R-STAGE-13: the most approvals a stage can reach", () => {
    expect(possible(votes("aaoxrdc"))).toBe(3);
  });
});

const rule = fc.record({
  mode: fc.constantFrom("all", "any-n", "percentage"),
  modeValue: fc.option(fc.integer({ min: 1, max: 4 })),
  minApprovals: fc.constantFrom(1, 1, 1, 2, 3),
  abstain: fc.constantFrom("neutral", "against"),
  reject: fc.constantFrom("veto", "vote"),
});

/** Percentages that matter for few seats. */
const quorumRule: fc.Arbitrary<QuorumRule> = rule.map((found) =>
  found.mode === "percentage" && found.modeValue !== null ? { ...found, modeValue: found.modeValue * 25 } : found,
);

const vote: fc.Arbitrary<Vote> = fc.record({
  state: fc.constantFrom("open", "open", "open", "approved", "rejected", "abstained", "removed"),
  required: fc.boolean(),
});

function subsetsOf(size: number): readonly (readonly boolean[])[] {
  return Array.from({ length: 2 ** size }, (_, mask) =>
    Array.from({ length: size }, (__, bit) => ((mask >> bit) & 1) === 1),
  );
}

describe("against brute force", () => {
  it("engine R-QUORUM-1: isMet is what the table of section 6 says", () => {
    fc.assert(
      fc.property(quorumRule, fc.array(vote, { maxLength: 6 }), (found, seats) => {
        expect(isMet(found, seats)).toBe(metByTheBook(found, seats));
      }),
      { numRuns: 3_000 },
    );
  });

  it("engine R-QUORUM-3: a stage is feasible exactly if some set of open seats completes it by approving", () => {
    fc.assert(
      fc.property(quorumRule, fc.array(vote, { maxLength: 6 }), (found, seats) => {
        const open = seats.flatMap((seat, index) => (seat.state === "open" ? [index] : []));
        const reachable = subsetsOf(open.length).some((chosen) => {
          const approving = new Set(open.filter((_, bit) => chosen[bit]));
          return metByTheBook(
            found,
            seats.map((seat, index): Vote => (approving.has(index) ? { ...seat, state: "approved" } : seat)),
          );
        });
        expect(isFeasible(found, seats)).toBe(reachable);
      }),
      { numRuns: 3_000 },
    );
  });

  it("engine R-QUORUM-3: one more approval never makes a stage less feasible", () => {
    fc.assert(
      fc.property(quorumRule, fc.array(vote, { minLength: 1, maxLength: 6 }), (found, seats) => {
        fc.pre(isFeasible(found, seats));
        const first = seats.findIndex((seat) => seat.state === "open");
        const after = seats.map((seat, index): Vote => (index === first ? { ...seat, state: "approved" } : seat));
        expect(isFeasible(found, after)).toBe(true);
      }),
    );
  });
});

const names = ["ann", "bob", "cid", "dan"];

const sibling: fc.Arbitrary<Urn> = fc.record({
  rule: quorumRule,
  seats: fc.subarray(names, { minLength: 1 }).chain((holders) =>
    fc.tuple(
      ...holders.map((holder) =>
        fc.record({
          holder: fc.constant(idOf(holder)),
          state: fc.oneof(
            { weight: 9, arbitrary: fc.constant<SeatState>("open") },
            { weight: 3, arbitrary: fc.constantFrom<SeatState>("approved", "abstained", "removed", "rejected") },
          ),
          required: fc.integer({ min: 0, max: 9 }).map((chance) => chance === 0),
        }),
      ),
    ),
  ),
});

/** Nobody who approved in one stage still holds an open seat in another: the engine removes it (R-QUORUM-13). */
function consistent(stages: readonly Urn[]): boolean {
  const seats = stages.flatMap((each) => each.seats);
  return seats.every(
    (seat) =>
      seat.state !== "approved" ||
      seats.every(
        (other) => other === seat || other.holder !== seat.holder || !["open", "approved"].includes(other.state),
      ),
  );
}

describe("stages that run side by side under forbid_repeat_approvers", () => {
  it("engine R-QUORUM-3: a group is feasible exactly if some order of approvals completes all its stages", () => {
    let feasible = 0;
    fc.assert(
      fc.property(fc.array(sibling, { minLength: 2, maxLength: 3 }), (stages) => {
        fc.pre(consistent(stages));
        const answer = isGroupFeasible(stages);
        feasible += Number(answer);
        expect(answer).toBe(canComplete(stages, true));
      }),
      { numRuns: 3_000 },
    );
    expect(feasible).toBeGreaterThan(300);
  });

  it("engine R-SOD-5: two stages that need the same only person cannot both be approved", () => {
    const seat: HeldVote = { holder: idOf("ann"), required: false, state: "open" };
    const one = stage({ mode: "any-n" });
    expect(
      isGroupFeasible([
        { rule: one, seats: [seat] },
        { rule: one, seats: [seat] },
      ]),
    ).toBe(false);
    const other: HeldVote = { ...seat, holder: idOf("bob") };
    expect(
      isGroupFeasible([
        { rule: one, seats: [seat] },
        { rule: one, seats: [seat, other] },
      ]),
    ).toBe(true);
  });

  it("engine R-SOD-5: a person who is required in two stages of a group makes it infeasible", () => {
    const seat: HeldVote = { holder: idOf("ann"), required: true, state: "open" };
    const one = stage({ mode: "any-n" });
    expect(
      isGroupFeasible([
        { rule: one, seats: [seat] },
        { rule: one, seats: [seat] },
      ]),
    ).toBe(false);
  });
});
