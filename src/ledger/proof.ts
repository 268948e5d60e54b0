/**
 * Is this entry in that tree, and does the older tree begin the newer one? RFC 9162 sections 2.1.3 and 2.1.4 (the proofs of
 * RFC 6962). Implements docs/spec/ledger.md sections 3 and 7. Making a proof needs the tree; checking one needs two hashes.
 */
import { EMPTY_ROOT, nodeHash } from "./hash.ts";
import { isHash } from "./hex.ts";
import { LedgerBug } from "./ledger-bug.ts";
import type { Sha256 } from "./sha256.ts";
import { joinRoots } from "./tree.ts";

/** Hash of the perfect subtree over leaves `index · 2^level` up to, not including, `(index + 1) · 2^level`. */
export type SubtreeReader = (level: number, index: number) => string;

export interface InclusionClaim {
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly root: string;
  /** Leaf side first. */
  readonly proof: readonly string[];
}

export interface ConsistencyClaim {
  readonly from: number;
  readonly to: number;
  readonly fromRoot: string;
  readonly toRoot: string;
  readonly proof: readonly string[];
}

/** No tree needs more: sizes are below 2^53, and a consistency proof holds at most one hash more than the tree has levels. */
const PROOF_LENGTH_MAX = 54;

/** Reads subtrees from leaf hashes; every node is computed once. */
export function subtreesOf(leafAt: (seq: number) => string, sha256: Sha256): SubtreeReader {
  const nodes = new Map<string, string>();
  const read: SubtreeReader = (level, index) => {
    if (level === 0) return leafAt(index);
    const place = `${level}/${index}`;
    const known = nodes.get(place);
    if (known !== undefined) return known;
    const node = nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1), sha256);
    nodes.set(place, node);
    return node;
  };
  return read;
}

export function inclusionProof(leaves: SubtreeReader, index: number, size: number, sha256: Sha256): readonly string[] {
  if (!isSize(index) || !isSize(size) || index >= size) {
    throw new LedgerBug(`entry ${index} is not in a tree of ${size}`);
  }
  const tree: ReadTree = { leaves, sha256 };
  const proof: string[] = [];
  let start = 0;
  let end = size;
  // Down from the root, noting the sibling of each step; the leaf side comes first in the proof.
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    const isLeft = index < middle;
    proof.push(isLeft ? rootBetween(tree, middle, end) : rootBetween(tree, start, middle));
    if (isLeft) end = middle;
    else start = middle;
  }
  return proof.reverse();
}

export function consistencyProof(leaves: SubtreeReader, from: number, to: number, sha256: Sha256): readonly string[] {
  if (!isSize(from) || !isSize(to) || from > to) {
    throw new LedgerBug(`a tree of ${to} does not begin with one of ${from}`);
  }
  if (from === 0 || from === to) return [];
  const tree: ReadTree = { leaves, sha256 };
  const proof: string[] = [];
  let start = 0;
  let end = to;
  // Down to the subtree that ends where the older tree does.
  while (end !== from) {
    const middle = start + splitOf(end - start);
    const isLeft = from <= middle;
    proof.push(isLeft ? rootBetween(tree, middle, end) : rootBetween(tree, start, middle));
    if (isLeft) end = middle;
    else start = middle;
  }
  // Where that subtree is the whole older tree, the verifier has its root already.
  if (start > 0) proof.push(rootBetween(tree, start, end));
  return proof.reverse();
}

/** RFC 9162 section 2.1.3.2. False for anything that is not exactly the proof. */
export function verifyInclusion(claim: InclusionClaim, sha256: Sha256): boolean {
  const { leaf, index, size, root, proof } = claim;
  if (!isSize(index) || !isSize(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash, sha256);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else hash = nodeHash(hash, sibling, sha256);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash === root;
}

/** RFC 9162 section 2.1.4.2. Every tree begins with the empty one, and with itself, without a proof. */
export function verifyConsistency(claim: ConsistencyClaim, sha256: Sha256): boolean {
  const { from, to, fromRoot, toRoot, proof } = claim;
  if (!isSize(from) || !isSize(to) || from > to || !areHashes([fromRoot, toRoot, ...proof])) return false;
  if (from === 0) return proof.length === 0 && fromRoot === EMPTY_ROOT && (to > 0 || toRoot === EMPTY_ROOT);
  if (from === to) return proof.length === 0 && fromRoot === toRoot;
  return foldConsistency(claim, sha256);
}

function foldConsistency({ from, to, fromRoot, toRoot, proof }: ConsistencyClaim, sha256: Sha256): boolean {
  const [first, ...path] = isPowerOfTwo(from) ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let node = from - 1;
  let last = to - 1;
  while (node % 2 === 1) [node, last] = [half(node), half(last)];
  let older = first;
  let newer = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      older = nodeHash(sibling, older, sha256);
      newer = nodeHash(sibling, newer, sha256);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, half(last)];
    } else newer = nodeHash(newer, sibling, sha256);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && older === fromRoot && newer === toRoot;
}

interface ReadTree {
  readonly leaves: SubtreeReader;
  readonly sha256: Sha256;
}

/** Root over leaves `start` up to, not including, `end`, where `start` is a multiple of the largest subtree that fits. */
function rootBetween(tree: ReadTree, start: number, end: number): string {
  const roots: string[] = [];
  let position = start;
  while (position < end) {
    const level = levelOf(end - position);
    roots.push(tree.leaves(level, position / 2 ** level));
    position += 2 ** level;
  }
  return joinRoots(roots, tree.sha256);
}

/** The largest power of two smaller than `width` (RFC 6962 section 2.1); `width` is at least 2. */
function splitOf(width: number): number {
  return 2 ** levelOf(width - 1);
}

/** Exponent of the largest power of two that is not larger than `width`. */
function levelOf(width: number): number {
  let level = 0;
  for (let rest = half(width); rest > 0; rest = half(rest)) level += 1;
  return level;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** levelOf(value) === value;
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function areHashes(hashes: readonly string[]): boolean {
  return hashes.length <= PROOF_LENGTH_MAX + 2 && hashes.every((hash) => isHash(hash));
}
