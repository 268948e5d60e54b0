import { describe, expect, it } from "vitest";
import { warningDue } from "./token-warnings.ts";

const DAY = 24 * 3_600_000;
const END = 400 * DAY;

function due(before: number, token: { readonly madeBefore?: number; readonly warned?: number } = {}): number | null {
  const { madeBefore = 90, warned = null } = token;
  return warningDue({ createdAt: END - madeBefore * DAY, expiresAt: END, warnedDays: warned }, END - before * DAY);
}

describe("a warning of a token's end", () => {
  it("identity R-TOK-3: is due 14, 7 and 1 days before it, at that moment and not before", () => {
    const second = 1 / 86_400;
    expect([14 + second, 14, 7 + second, 7, 1 + second, 1].map((before) => due(before))).toEqual([
      null,
      14,
      14,
      7,
      7,
      1,
    ]);
  });

  it("identity R-TOK-3: is given once each, and one that was missed gives way to the next", () => {
    expect([due(13, { warned: 14 }), due(7, { warned: 14 }), due(6, { warned: 7 }), due(1, { warned: 7 })]).toEqual([
      null,
      7,
      null,
      1,
    ]);
    expect([due(0.5, { warned: 1 }), due(0.5, { warned: 14 }), due(3)]).toEqual([null, 1, 7]);
  });

  it("identity R-TOK-3: says nothing of a moment before the token was made, after its end, or of a token without one", () => {
    expect([due(14, { madeBefore: 14 }), due(6, { madeBefore: 7 }), due(0.9, { madeBefore: 7 })]).toEqual([
      null,
      null,
      1,
    ]);
    expect([due(0), due(-1)]).toEqual([null, null]);
    expect(warningDue({ createdAt: 0, expiresAt: null, warnedDays: null }, END)).toBeNull();
  });
});
