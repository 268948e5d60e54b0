/**
 * What is the root over the first n leaves? The Merkle tree of RFC 6962 section 2.1, kept as a compact range: the roots of
 * the perfect subtrees, left to right, one per binary digit of the size. Implements docs/spec/ledger.md sections 2 and 6.
 */
import { EMPTY_ROOT, nodeHash } from "./hash.ts";
import { LedgerBug } from "./ledger-bug.ts";
import type { Sha256 } from "./sha256.ts";

export interface CompactRange {
  readonly size: number;
  /** Roots of perfect subtrees, left to right, largest first. */
  readonly roots: readonly string[];
}

export const emptyRange: CompactRange = { size: 0, roots: [] };

export function appendLeaf(range: CompactRange, leaf: string, sha256: Sha256): CompactRange {
  const roots = [...range.roots];
  pushLeaf(roots, range.size, leaf, sha256);
  return { size: range.size + 1, roots };
}

/** `appendLeaf` in place, for callers that append many: `roots` is the caller's own and belongs to a range of `size` leaves. */
export function pushLeaf(roots: string[], size: number, leaf: string, sha256: Sha256): void {
  let root = leaf;
  // Each trailing one of the size is a subtree that the new leaf completes. Sizes pass 2^32, so no bit operators.
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = roots.pop();
    if (left === undefined) throw new LedgerBug("a compact range has fewer roots than its size says");
    root = nodeHash(left, root, sha256);
  }
  roots.push(root);
}

export function rangeRoot(range: CompactRange, sha256: Sha256): string {
  return range.roots.length === 0 ? EMPTY_ROOT : joinRoots(range.roots, sha256);
}

export function rootOf(leaves: readonly string[], sha256: Sha256): string {
  const roots: string[] = [];
  leaves.forEach((leaf, index) => pushLeaf(roots, index, leaf, sha256));
  return rangeRoot({ size: leaves.length, roots }, sha256);
}

/** True when the range has as many roots as its size has binary ones. */
export function isRangeShape(range: CompactRange): boolean {
  if (!Number.isSafeInteger(range.size) || range.size < 0) return false;
  let ones = 0;
  for (let rest = range.size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2;
  return ones === range.roots.length;
}

/** Folds neighbouring subtrees, given left to right, from the right: the smaller ones meet first (RFC 6962 section 2.1). */
export function joinRoots(roots: readonly string[], sha256: Sha256): string {
  return roots.reduceRight((right, left) => nodeHash(left, right, sha256));
}
