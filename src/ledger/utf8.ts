/**
 * Text as UTF-8 bytes. Every runtime that the ledger runs in has this encoder, though the pure folders are compiled
 * without the types of any: hence the declaration of the little that is used.
 */
declare class TextEncoder {
  encode(text: string): Uint8Array;
  encodeInto(text: string, target: Uint8Array): { readonly read: number; readonly written: number };
}

const encoder = new TextEncoder();

/** Holds any entry with one byte before it, so that hashing one costs no allocation. Overwritten by every call. */
const scratch = new Uint8Array(65_536);

/** A UTF-16 unit becomes at most this many bytes. */
const BYTES_PER_UNIT_MAX = 3;

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * The byte 0x00 and the text, as a view that is valid until the next call. The view without its first byte is the text
 * itself. U+0000 is that one byte in UTF-8, which is what makes a single encoding serve both hashes of an entry.
 */
export function prefixedUtf8(text: string): Uint8Array {
  const prefixed = `\u0000${text}`;
  if (prefixed.length * BYTES_PER_UNIT_MAX > scratch.length) return encoder.encode(prefixed);
  const { written } = encoder.encodeInto(prefixed, scratch);
  return scratch.subarray(0, written);
}

/** True when the text takes more than `limit` bytes; short texts are not counted. */
export function exceedsUtf8(text: string, limit: number): boolean {
  return text.length * BYTES_PER_UNIT_MAX > limit && utf8Bytes(text).length > limit;
}
