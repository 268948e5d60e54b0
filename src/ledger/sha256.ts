/**
 * Which SHA-256? The ledger takes it as an argument, so that the same code runs in a browser (this pure default) and at
 * full speed on a server (`node:crypto`, handed in by the caller). Implements docs/spec/ledger.md section 2.
 */
import { sha256 } from "@noble/hashes/sha2.js";

/** SHA-256 of bytes; 32 bytes out. Text is hashed as its UTF-8 bytes. */
export type Sha256 = (data: Uint8Array) => Uint8Array;

export const pureSha256: Sha256 = (data) => sha256(data);
