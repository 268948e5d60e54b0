/**
 * What is hashed, and with which prefix, so that no hash of one kind can pass for another?
 * Implements docs/spec/ledger.md section 2 (chain hash, RFC 6962 leaf and node hashes, organization slice).
 * Hashes are 64 lower-case hex digits at every border.
 */
import { toHex, writeHex } from "./hex.ts";
import type { Sha256 } from "./sha256.ts";
import { prefixedUtf8, utf8Bytes } from "./utf8.ts";

/** SHA-256 of the empty string: the root of a tree without leaves (RFC 6962 section 2.1). */
export const EMPTY_ROOT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const HASH_BYTES = 32;
const NODE_PREFIX = 1;

export interface EntryHashes {
  /** Length of the entry itself in UTF-8 bytes. */
  readonly byteLength: number;
  readonly chain: string;
  readonly leaf: string;
}

/** The chain hash before entry 0; naming the origin keeps the ledgers of two installations apart. */
export function genesis(origin: string, sha256: Sha256): string {
  return hashText(`countersign/ledger/v1\n${origin}\n`, sha256);
}

export function chainHash(text: string, sha256: Sha256): string {
  return hashText(text, sha256);
}

export function leafHash(text: string, sha256: Sha256): string {
  return toHex(sha256(prefixedUtf8(text)));
}

/** Both hashes of an entry from one encoding of its text. */
export function entryHashes(text: string, sha256: Sha256): EntryHashes {
  const prefixed = prefixedUtf8(text);
  const bytes = prefixed.subarray(1);
  return { byteLength: bytes.length, chain: toHex(sha256(bytes)), leaf: toHex(sha256(prefixed)) };
}

export function nodeHash(left: string, right: string, sha256: Sha256): string {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = NODE_PREFIX;
  writeHex(bytes, 1, left);
  writeHex(bytes, 1 + HASH_BYTES, right);
  return toHex(sha256(bytes));
}

/** The slice of an organization before its first entry. */
export function emptySlice(org: string, sha256: Sha256): string {
  return hashText(`countersign/org/v1\n${org}\n`, sha256);
}

/** The slice after one more entry of that organization. */
export function extendSlice(slice: string, leaf: string, sha256: Sha256): string {
  const bytes = new Uint8Array(2 * HASH_BYTES);
  writeHex(bytes, 0, slice);
  writeHex(bytes, HASH_BYTES, leaf);
  return toHex(sha256(bytes));
}

function hashText(text: string, sha256: Sha256): string {
  return toHex(sha256(utf8Bytes(text)));
}
