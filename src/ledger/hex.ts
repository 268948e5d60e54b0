/**
 * Lower-case hexadecimal, the form in which every hash crosses a module border (docs/spec/ledger.md section 2).
 * Upper case is not another spelling here: it is not a hash.
 */
import { bytesToHex } from "@noble/hashes/utils.js";
import { LedgerBug } from "./ledger-bug.ts";

const DIGITS = "0123456789abcdef";
const NOT_A_DIGIT = 255;

const valueOfCode = new Uint8Array(128).fill(NOT_A_DIGIT);
for (let value = 0; value < DIGITS.length; value += 1) valueOfCode[DIGITS.charCodeAt(value)] = value;

const HASH = /^[0-9a-f]{64}$/;

/** True for the 64 lower-case digits of a SHA-256 hash. */
export function isHash(value: unknown): boolean {
  return typeof value === "string" && HASH.test(value);
}

export function toHex(bytes: Uint8Array): string {
  return bytesToHex(bytes);
}

/** Writes the bytes that `hex` names into `target` from `offset` on; anything but lower-case digit pairs is a bug. */
export function writeHex(target: Uint8Array, offset: number, hex: string): void {
  if (hex.length % 2 !== 0 || offset + hex.length / 2 > target.length) throw new LedgerBug("hex of the wrong length");
  for (let position = 0; position < hex.length; position += 2) {
    const high = digitAt(hex, position);
    const low = digitAt(hex, position + 1);
    target[offset + position / 2] = high * 16 + low;
  }
}

export function fromHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(hex.length / 2));
  writeHex(bytes, 0, hex);
  return bytes;
}

function digitAt(hex: string, position: number): number {
  const value = valueOfCode[hex.charCodeAt(position)];
  if (value === undefined || value === NOT_A_DIGIT) throw new LedgerBug("not lower-case hex");
  return value;
}
