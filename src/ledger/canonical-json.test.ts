import canonicalize from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import rfc8785 from "../../test/interop/rfc8785.json" with { type: "json" };
import { canonicalJson, CanonicalJsonError, isWellFormed } from "./canonical-json.ts";
import type { JsonValue } from "./canonical-json.ts";
import { LedgerBug } from "./ledger-bug.ts";

function numberOfBits(hex: string): number {
  return Buffer.from(hex, "hex").readDoubleBE();
}

/** Stands for a caller whose value is not what its type says. */
function parsedAs(value: unknown): value is JsonValue {
  return value !== canonicalJson;
}

function canonicalOf(value: unknown): string {
  return parsedAs(value) ? canonicalJson(value) : "";
}

function nested(levels: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

const unicodeKeys = fc.string({ unit: "binary", maxLength: 6 }).filter(isWellFormed);
const jsonValues = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<JsonValue>(null, true, false),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    unicodeKeys,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(fc.oneof(unicodeKeys, fc.nat().map(String)), tie("value"), { maxKeys: 8 }),
  ),
})).value;

describe("canonicalJson", { timeout: 60_000 }, () => {
  it("ledger R-LED-3: writes the samples of RFC 8785 byte for byte", () => {
    for (const sample of rfc8785.samples) expect(canonicalOf(JSON.parse(sample.input))).toBe(sample.canonical);
  });

  it("ledger R-LED-3: writes the numbers of RFC 8785 appendix B and refuses those that are not finite", () => {
    for (const { ieee754, text } of rfc8785.numbers) expect(canonicalJson(numberOfBits(ieee754))).toBe(text);
    for (const bits of rfc8785.refused_ieee754) {
      expect(() => canonicalJson(numberOfBits(bits))).toThrow(CanonicalJsonError);
    }
  });

  it("ledger R-LED-3: agrees with an independent implementation of RFC 8785 on thousands of values", () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 5_000 },
    );
  });

  it("ledger R-LED-4: canonical text is a fixed point of parsing and writing", () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        const text = canonicalJson(value);
        expect(canonicalOf(JSON.parse(text))).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it("ledger R-LED-3: orders members by UTF-16 code unit, however many there are", () => {
    fc.assert(
      fc.property(fc.uniqueArray(unicodeKeys, { minLength: 50, maxLength: 300 }), (keys) => {
        const value = Object.fromEntries(keys.map((key) => [key, 1]));
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
      { numRuns: 50 },
    );
  });

  it("ledger R-LED-3: keeps members that JavaScript treats specially", () => {
    const text = '{"10":1,"9":2,"__proto__":{"a":1},"constructor":3,"toJSON":4}';
    expect(canonicalOf(JSON.parse(text))).toBe(text);
  });

  it("ledger R-LED-2: refuses a lone surrogate as value, as member name and at either end of a pair", () => {
    for (const text of ["\ud800", "a\udc00b", "\udc00\ud800", "\ud83d\ude00\ud83d"]) {
      expect(() => canonicalJson(text)).toThrow(CanonicalJsonError);
      expect(() => canonicalJson({ [text]: 1 })).toThrow(CanonicalJsonError);
      expect(isWellFormed(text)).toBe(false);
    }
    expect(canonicalJson("😀")).toBe('"😀"');
  });

  it("ledger R-LED-3: drops and replaces nothing: what JSON cannot say is a bug", () => {
    const impossible: unknown[] = [undefined, () => 1, Symbol("s"), 1n, Number.NaN, Infinity, new Date(0), new Map()];
    for (const value of impossible) {
      expect(() => canonicalOf(value)).toThrow(CanonicalJsonError);
      expect(() => canonicalOf({ member: value })).toThrow(LedgerBug);
      expect(() => canonicalOf([value])).toThrow(/this is a bug/);
    }
    const withHole: unknown[] = [1];
    withHole[2] = 3;
    expect(() => canonicalOf(withHole)).toThrow(CanonicalJsonError);
  });

  it("ledger R-LED-3: objects without a prototype are written as any other", () => {
    const bare: unknown = Object.assign(Object.create(null), { b: 1, a: 2 });
    expect(canonicalOf(bare)).toBe('{"a":2,"b":1}');
  });

  it("ledger R-LED-2: ends on a value that is nested without measure instead of exhausting the stack", () => {
    expect(canonicalOf(nested(500))).toContain("0");
    expect(() => canonicalOf(nested(501))).toThrow(CanonicalJsonError);
    expect(() => canonicalOf(nested(100_000))).toThrow(CanonicalJsonError);
  });
});
