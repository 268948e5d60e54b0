import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exceedsUtf8, prefixedUtf8, utf8Bytes } from "./utf8.ts";

describe("utf8", () => {
  it("ledger section 2: the prefixed view is 0x00 and the text's bytes, for short texts and for long ones", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.constantFrom(1, 900), (text, times) => {
        const repeated = text.repeat(times);
        expect(Buffer.from(prefixedUtf8(repeated)).equals(Buffer.from(`\u0000${repeated}`))).toBe(true);
      }),
      { numRuns: 50 },
    );
    expect(prefixedUtf8("é".repeat(60_000))).toHaveLength(120_001);
  });

  it("ledger R-LED-3: the limit counts bytes, not characters", () => {
    expect(exceedsUtf8("a".repeat(100), 100)).toBe(false);
    expect(exceedsUtf8("a".repeat(101), 100)).toBe(true);
    expect(exceedsUtf8("é".repeat(51), 100)).toBe(true);
    expect(exceedsUtf8("é".repeat(50), 100)).toBe(false);
    expect(utf8Bytes("é")).toEqual(Uint8Array.of(0xc3, 0xa9));
  });
});
