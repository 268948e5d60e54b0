/**
 * Reads the little of DER (X.690) that keys and signatures need, in its one spelling: definite lengths as short as they
 * can be, integers that are positive and minimal.
 */

export interface DerValue {
  readonly content: Uint8Array;
  /** What follows the value. */
  readonly rest: Uint8Array;
}

export const DER_SEQUENCE = 0x30;
export const DER_BIT_STRING = 0x03;
const DER_INTEGER = 0x02;

/** Lengths of two bytes serve keys of far more than 4,096 bits. */
const LENGTH_BYTES_MAX = 2;

/** The value with this tag at the start of `bytes`, or null. */
export function readDer(bytes: Uint8Array, tag: number): DerValue | null {
  const [first, length] = bytes;
  if (first !== tag || length === undefined) return null;
  if (length < 0x80) return cut(bytes, 2, length);
  const count = length - 0x80;
  if (count === 0 || count > LENGTH_BYTES_MAX || bytes.length < 2 + count) return null;
  const value = bytes.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  const isShortest = count === 1 ? value >= 0x80 : value >= 0x100;
  return isShortest ? cut(bytes, 2 + count, value) : null;
}

/** The magnitude of a positive INTEGER, without leading zeros, or null. */
export function readDerInteger(bytes: Uint8Array): DerValue | null {
  const value = readDer(bytes, DER_INTEGER);
  if (value === null) return null;
  const [first = 0x80, second = 0] = value.content;
  if (first >= 0x80) return null;
  if (first > 0) return value;
  return value.content.length > 1 && second >= 0x80 ? { ...value, content: value.content.subarray(1) } : null;
}

function cut(bytes: Uint8Array, start: number, length: number): DerValue | null {
  if (bytes.length < start + length) return null;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}
