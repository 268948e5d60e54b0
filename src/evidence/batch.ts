/**
 * How does one touch sign up to 50 statements? It signs the root of an RFC 6962 tree over their texts, in the order shown;
 * each decision keeps its own path and verifies alone. Implements docs/spec/evidence.md section 2 (identity R-SIGN-5).
 */
import { leafHash } from "../ledger/hash.ts";
import { fromHex, isHash } from "../ledger/hex.ts";
import { LedgerBug } from "../ledger/ledger-bug.ts";
import { inclusionProof, subtreesOf, verifyInclusion } from "../ledger/proof.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { rootOf } from "../ledger/tree.ts";
import { utf8Bytes } from "../ledger/utf8.ts";

export const BATCH_SIZE_MAX = 50;

/** Where a statement stands among those signed with it; hashes in hex, the path leaf side first. */
export interface BatchPlace {
  readonly root: string;
  readonly index: number;
  readonly size: number;
  readonly path: readonly string[];
}

const CHALLENGE_DOMAIN = utf8Bytes("countersign/batch/v1\n");
const HASH_BYTES = 32;

/** Root over the statements' texts, in hex. */
export function batchRoot(texts: readonly string[], sha256: Sha256): string {
  assertBatch(texts);
  return rootOf(
    texts.map((text) => leafHash(text, sha256)),
    sha256,
  );
}

/** What a passkey is asked to sign for the whole batch: SHA-256("countersign/batch/v1" ‖ 0x0A ‖ root), as bytes. */
export function batchChallenge(root: string, sha256: Sha256): Uint8Array {
  if (!isHash(root)) throw new LedgerBug("a batch root is 64 lower-case hex digits");
  const bytes = new Uint8Array(CHALLENGE_DOMAIN.length + HASH_BYTES);
  bytes.set(CHALLENGE_DOMAIN);
  bytes.set(fromHex(root), CHALLENGE_DOMAIN.length);
  return sha256(bytes);
}

/** The path of the statement at `index`, in hex. */
export function batchPath(texts: readonly string[], index: number, sha256: Sha256): readonly string[] {
  assertBatch(texts);
  const leaves = texts.map((text) => leafHash(text, sha256));
  const leafAt = (position: number): string => {
    const leaf = leaves[position];
    if (leaf === undefined) throw new LedgerBug("a batch has no statement at that place");
    return leaf;
  };
  return inclusionProof(subtreesOf(leafAt, sha256), index, leaves.length, sha256);
}

/** Is this statement where the place says that it is? False for a batch of more than 50. */
export function verifyBatchPath(text: string, place: BatchPlace, sha256: Sha256): boolean {
  const { root, index, size, path } = place;
  if (size > BATCH_SIZE_MAX) return false;
  return verifyInclusion({ leaf: leafHash(text, sha256), index, size, root, proof: path }, sha256);
}

function assertBatch(texts: readonly string[]): void {
  if (texts.length === 0 || texts.length > BATCH_SIZE_MAX) {
    throw new LedgerBug(`a batch holds 1 to ${BATCH_SIZE_MAX} statements`);
  }
}
