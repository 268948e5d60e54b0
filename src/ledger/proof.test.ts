import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodeSha256, sampleHash } from "../../test/interop/sample-ledger.ts";
import { EMPTY_ROOT } from "./hash.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { consistencyProof, inclusionProof, subtreesOf, verifyConsistency, verifyInclusion } from "./proof.ts";
import type { ConsistencyClaim, InclusionClaim } from "./proof.ts";
import { rootOf } from "./tree.ts";

const SIZE_MAX = 300;
const leaves = Array.from({ length: SIZE_MAX }, (_, index) => sampleHash(`leaf ${index}`));
const subtrees = subtreesOf((seq) => leaves[seq] ?? "", nodeSha256);
const roots = Array.from({ length: SIZE_MAX + 1 }, (_, size) => rootOf(leaves.slice(0, size), nodeSha256));

function inclusionClaim(index: number, size: number): InclusionClaim {
  const proof = inclusionProof(subtrees, index, size, nodeSha256);
  return { leaf: leaves[index] ?? "", index, size, root: roots[size] ?? "", proof };
}

function consistencyClaim(from: number, to: number): ConsistencyClaim {
  const proof = consistencyProof(subtrees, from, to, nodeSha256);
  return { from, to, fromRoot: roots[from] ?? "", toRoot: roots[to] ?? "", proof };
}

/** `hash` with one of its 256 bits flipped. */
function flipped(hash: string, bit: number): string {
  const position = Math.floor(bit / 4) % 64;
  const digit = (Number.parseInt(hash.charAt(position), 16) ^ (1 << (bit % 4))).toString(16);
  return hash.slice(0, position) + digit + hash.slice(position + 1);
}

/** One bit flipped, one hash dropped, one hash added, each in a place that `seed` chooses. */
function damaged(proof: readonly string[], seed: number): (readonly string[])[] {
  const place = proof.length === 0 ? 0 : seed % proof.length;
  const stranger = sampleHash(`added ${seed}`);
  const chosen = proof[place];
  if (chosen === undefined) return [[stranger]];
  const added = [proof.toSpliced(place, 0, stranger), proof.toSpliced(place, 0, chosen), [...proof, stranger]];
  return [
    proof.with(place, flipped(chosen, seed)),
    proof.toSpliced(place, 1),
    added[seed % added.length] ?? [stranger],
  ];
}

const bits = fc.nat({ max: 255 });

describe("proof", () => {
  it("ledger R-VEC-2: every inclusion proof for sizes 1 to 300 verifies, and none that was damaged does", () => {
    let falseAnswers = 0;
    let proofCount = 0;
    for (let size = 1; size <= SIZE_MAX; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const claim = inclusionClaim(index, size);
        proofCount += 1;
        if (!verifyInclusion(claim, nodeSha256)) falseAnswers += 1;
        const variants = damaged(claim.proof, size * 7 + index);
        falseAnswers += variants.filter((proof) => verifyInclusion({ ...claim, proof }, nodeSha256)).length;
      }
    }
    expect({ proofCount, falseAnswers }).toEqual({ proofCount: 45_150, falseAnswers: 0 });
  }, 120_000);

  it("ledger R-VEC-2: every consistency proof for sizes 1 to 300 verifies, and none that was damaged does", () => {
    let falseAnswers = 0;
    let proofCount = 0;
    for (let to = 1; to <= SIZE_MAX; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const claim = consistencyClaim(from, to);
        proofCount += 1;
        if (!verifyConsistency(claim, nodeSha256)) falseAnswers += 1;
        const variants = damaged(claim.proof, to * 7 + from);
        falseAnswers += variants.filter((proof) => verifyConsistency({ ...claim, proof }, nodeSha256)).length;
      }
    }
    expect({ proofCount, falseAnswers }).toEqual({ proofCount: 45_450, falseAnswers: 0 });
  }, 120_000);

  it("ledger section 7: an inclusion proof speaks for one leaf, one place, one size and one root", () => {
    const sizes = fc
      .integer({ min: 2, max: SIZE_MAX })
      .chain((size) => fc.tuple(fc.nat({ max: size - 1 }), fc.constant(size)));
    fc.assert(
      fc.property(sizes, bits, fc.nat({ max: SIZE_MAX }), ([index, size], bit, other) => {
        const claim = inclusionClaim(index, size);
        expect(verifyInclusion({ ...claim, leaf: flipped(claim.leaf, bit) }, nodeSha256)).toBe(false);
        expect(verifyInclusion({ ...claim, root: flipped(claim.root, bit) }, nodeSha256)).toBe(false);
        expect(verifyInclusion({ ...claim, index: other }, nodeSha256)).toBe(other === index);
        const otherRoot = roots[other] ?? "";
        expect(verifyInclusion({ ...claim, size: other, root: otherRoot }, nodeSha256)).toBe(other === size);
      }),
    );
  });

  it("ledger section 7: a consistency proof speaks for two sizes and their two roots", () => {
    const sizes = fc
      .integer({ min: 2, max: SIZE_MAX })
      .chain((to) => fc.tuple(fc.integer({ min: 1, max: to - 1 }), fc.constant(to)));
    fc.assert(
      fc.property(sizes, bits, ([from, to], bit) => {
        const claim = consistencyClaim(from, to);
        expect(verifyConsistency({ ...claim, fromRoot: flipped(claim.fromRoot, bit) }, nodeSha256)).toBe(false);
        expect(verifyConsistency({ ...claim, toRoot: flipped(claim.toRoot, bit) }, nodeSha256)).toBe(false);
        expect(verifyConsistency({ ...claim, from: to, to: from }, nodeSha256)).toBe(false);
        expect(verifyConsistency({ ...claim, from: from - 1, fromRoot: roots[from - 1] ?? "" }, nodeSha256)).toBe(
          false,
        );
      }),
    );
  });

  it("ledger section 7: the empty tree begins every tree, and only the empty tree has its root", () => {
    const claim = { from: 0, to: 5, fromRoot: EMPTY_ROOT, toRoot: roots[5] ?? "", proof: [] };
    expect(verifyConsistency(claim, nodeSha256)).toBe(true);
    expect(verifyConsistency({ ...claim, fromRoot: sampleHash("x") }, nodeSha256)).toBe(false);
    expect(verifyConsistency({ ...claim, to: 0 }, nodeSha256)).toBe(false);
    expect(verifyConsistency({ ...claim, to: 0, toRoot: EMPTY_ROOT }, nodeSha256)).toBe(true);
  });

  it("ledger section 7: what is no number, no hash or too long is no proof, and no crash", () => {
    const inclusion = inclusionClaim(3, 7);
    const consistency = consistencyClaim(3, 7);
    for (const size of [-1, 0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(verifyInclusion({ ...inclusion, size }, nodeSha256)).toBe(false);
      expect(verifyInclusion({ ...inclusion, index: size }, nodeSha256)).toBe(false);
      expect(verifyConsistency({ ...consistency, from: size }, nodeSha256)).toBe(false);
      expect(verifyConsistency({ ...consistency, to: size }, nodeSha256)).toBe(false);
    }
    for (const proof of [["x"], ["Z".repeat(64)], Array.from({ length: 100 }, () => sampleHash("x"))]) {
      expect(verifyInclusion({ ...inclusion, proof }, nodeSha256)).toBe(false);
      expect(verifyConsistency({ ...consistency, proof }, nodeSha256)).toBe(false);
    }
    expect(verifyConsistency({ ...consistency, proof: [] }, nodeSha256)).toBe(false);
    expect(verifyInclusion({ ...inclusion, index: 2 ** 52, size: 2 ** 53 - 1 }, nodeSha256)).toBe(false);
  });

  it("ledger section 7: a proof that cannot exist is not made", () => {
    expect(() => inclusionProof(subtrees, 7, 7, nodeSha256)).toThrow(LedgerBug);
    expect(() => inclusionProof(subtrees, -1, 7, nodeSha256)).toThrow(LedgerBug);
    expect(() => inclusionProof(subtrees, 0, 0.5, nodeSha256)).toThrow(LedgerBug);
    expect(() => consistencyProof(subtrees, 8, 7, nodeSha256)).toThrow(LedgerBug);
    expect(() => consistencyProof(subtrees, -1, 7, nodeSha256)).toThrow(LedgerBug);
    expect(() => consistencyProof(subtrees, 1, Number.NaN, nodeSha256)).toThrow(LedgerBug);
  });
});
