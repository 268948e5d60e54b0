import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, isHash, toHex, writeHex } from "./hex.ts";
import { LedgerBug } from "./ledger-bug.ts";

describe("hex", () => {
  it("ledger section 2: bytes survive the way to hex and back, and look as Node writes them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
  });

  it("ledger section 2: only 64 lower-case digits are a hash", () => {
    const hash = "0123456789abcdef".repeat(4);
    expect(isHash(hash)).toBe(true);
    for (const value of [hash.toUpperCase(), hash.slice(1), `${hash}0`, `${hash}\n`, `${hash.slice(1)}g`, null, 1]) {
      expect(isHash(value)).toBe(false);
    }
  });

  it("ledger section 2: what is not lower-case hex of the right length is a bug, never a wrong byte", () => {
    for (const text of ["AA", "0g", "é0", "0€", "abc"]) expect(() => fromHex(text)).toThrow(LedgerBug);
    expect(() => writeHex(new Uint8Array(2), 1, "abcd")).toThrow(LedgerBug);
  });
});
