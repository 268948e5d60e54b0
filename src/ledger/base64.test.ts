import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, toBase64 } from "./base64.ts";

describe("base64", () => {
  it("ledger R-CP-1: bytes survive the way to base64 and back, and look as Node writes them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });

  it("ledger R-CP-1: a value has one spelling; every other is refused", () => {
    for (const text of [
      "AA",
      "AA=",
      "AAA",
      "AB==",
      "AAB=",
      "A===",
      "A",
      "====",
      "AA==\n",
      " AAAA",
      "AA-_",
      "AA==AA==",
      "AAAA=",
    ]) {
      expect(fromBase64(text), text).toBeNull();
    }
    expect(fromBase64("")).toEqual(new Uint8Array());
  });
});
