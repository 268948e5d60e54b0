import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EffectOutcome } from "../ports/effects.ts";
import { retryAt } from "./effect-loop.ts";

const AGAIN: EffectOutcome = { kind: "retry", error: { code: "x", message: "x" }, afterMs: null };
const WAITS = { waitsMs: [60_000, 300_000, 900_000], attemptsMax: 6, timeoutMs: 10_000 };

function next(
  attempts: number,
  outcome: EffectOutcome,
  change: { endsAt?: number; random?: number } = {},
): number | null {
  const { endsAt = null, random = 0.5 } = change;
  return retryAt({ attempts, endsAt }, outcome, { schedule: WAITS, now: 1_000, random: () => random });
}

describe("when an effect is tried again (R-HOOK-8, deploy R-CI-1)", () => {
  it("R-HOOK-8: waits as long as the schedule says, the last wait for every further attempt, and ends after the last", () => {
    expect([1, 2, 3, 4, 5, 6].map((attempt) => next(attempt, AGAIN))).toEqual([
      61_000,
      301_000,
      901_000,
      901_000,
      901_000,
      null,
    ]);
  });

  it("R-HOOK-8: spreads every wait by a tenth at most, and waits longer where the other side asks for it", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 3_600_000 }),
        (random, afterMs) => {
          const at = next(1, { ...AGAIN, afterMs }, { random }) ?? 0;
          expect(at - 1_000).toBeGreaterThanOrEqual(Math.max(54_000, afterMs));
          expect(at - 1_000).toBeLessThanOrEqual(Math.max(66_000, afterMs) + 1);
        },
      ),
    );
  });

  it("deploy R-CI-1: begins no attempt after the effect's end, and none after success, failure or withdrawal", () => {
    expect(next(1, AGAIN, { endsAt: 61_000 })).toBeNull();
    expect(next(1, AGAIN, { endsAt: 61_001 })).toBe(61_000);
    const { error } = AGAIN;
    expect(next(1, { kind: "done", result: {} })).toBeNull();
    expect(next(1, { kind: "failed", error })).toBeNull();
    expect(next(1, { kind: "withdrawn", error })).toBeNull();
  });
});
