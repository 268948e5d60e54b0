import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeSha256, sampleHash } from "../../test/interop/sample-ledger.ts";
import { EMPTY_ROOT, nodeHash } from "./hash.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { appendLeaf, emptyRange, isRangeShape, rangeRoot, rootOf } from "./tree.ts";

function leaves(count: number): string[] {
  return Array.from({ length: count }, (_, index) => sampleHash(`leaf ${index}`));
}

/** RFC 6962 section 2.1 as it is written there. */
function definedRoot(hashes: readonly string[]): string {
  const [only] = hashes;
  if (only === undefined) return EMPTY_ROOT;
  if (hashes.length === 1) return only;
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return nodeHash(definedRoot(hashes.slice(0, split)), definedRoot(hashes.slice(split)), nodeSha256);
}

describe("tree", () => {
  it("ledger section 2: the root is the one RFC 6962 defines, for every size to 300", () => {
    const all = leaves(300);
    let range = emptyRange;
    for (let size = 0; size <= 300; size += 1) {
      const expected = definedRoot(all.slice(0, size));
      expect(rootOf(all.slice(0, size), nodeSha256)).toBe(expected);
      expect(rangeRoot(range, nodeSha256)).toBe(expected);
      expect(isRangeShape(range)).toBe(true);
      range = appendLeaf(range, all[size] ?? EMPTY_ROOT, nodeSha256);
    }
  });

  it("ledger R-APP-2: appending to a compact range leaves the one before as it was", () => {
    const before = leaves(7).reduce((range, leaf) => appendLeaf(range, leaf, nodeSha256), emptyRange);
    const copy = structuredClone(before);
    appendLeaf(before, sampleHash("another"), nodeSha256);
    expect(before).toEqual(copy);
  });

  it("ledger R-APP-2: sizes beyond 2^32 keep their shape", () => {
    const size = 2 ** 40 + 3;
    const range = { size, roots: leaves(3) };
    const grown = appendLeaf(range, sampleHash("next"), nodeSha256);
    expect(grown.size).toBe(size + 1);
    expect(grown.roots).toHaveLength(2);
    expect(isRangeShape(grown)).toBe(true);
  });

  it("ledger R-APP-2: a range whose roots do not fit its size is noticed", () => {
    fc.assert(
      fc.property(fc.nat({ max: 10_000 }), fc.nat({ max: 16 }), (size, count) => {
        const ones = size.toString(2).replaceAll("0", "").length;
        expect(isRangeShape({ size, roots: leaves(count) })).toBe(ones === count);
      }),
    );
    expect(isRangeShape({ size: -1, roots: [] })).toBe(false);
    expect(isRangeShape({ size: 0.5, roots: [] })).toBe(false);
    expect(isRangeShape({ size: 2 ** 53, roots: leaves(1) })).toBe(false);
    expect(() => appendLeaf({ size: 3, roots: [] }, sampleHash("leaf"), nodeSha256)).toThrow(LedgerBug);
  });
});
