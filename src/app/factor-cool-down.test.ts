import { describe, expect, it } from "vitest";
import { usableFrom } from "./factor-cool-down.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = 1_800_000_000_000;
const first = { createdAt: START, firstSignedInAt: START, recoveredAt: null, coolDownHours: 24 };

describe("identity R-FACT-9: the cool-down", () => {
  it("is none for factors that came with a setup or invitation link, before the first sign-in", () => {
    expect(usableFrom({ ...first, firstSignedInAt: null })).toBe(START);
  });

  it("is none within 24 hours of the first sign-in, and whole a millisecond later", () => {
    expect(usableFrom({ ...first, createdAt: START + DAY })).toBe(START + DAY);
    expect(usableFrom({ ...first, createdAt: START + DAY + 1 })).toBe(START + DAY + 1 + DAY);
  });

  it("is as long as the installation says", () => {
    const late = { ...first, createdAt: START + 90 * DAY };
    expect([0, 24, 168].map((coolDownHours) => usableFrom({ ...late, coolDownHours }) - late.createdAt)).toEqual([
      0,
      24 * HOUR,
      168 * HOUR,
    ]);
  });

  it("begins anew for every factor after a recovery, for those from before as well", () => {
    const recoveredAt = START + HOUR;
    expect(usableFrom({ ...first, recoveredAt })).toBe(recoveredAt + DAY);
    expect(usableFrom({ ...first, recoveredAt, createdAt: START + 2 * HOUR })).toBe(START + 2 * HOUR + DAY);
  });
});
