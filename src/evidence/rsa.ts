/**
 * Is this an RSASSA-PKCS1-v1_5 signature with SHA-256 (RFC 8017 section 8.2.2)? The expected message is built and compared
 * whole, so that there is no padding to parse. Nothing here is secret; constant time does not matter.
 */
import { concatBytes } from "@noble/hashes/utils.js";
import { toHex } from "../ledger/hex.ts";
import type { Sha256 } from "../ledger/sha256.ts";

export interface RsaKey {
  /** Big-endian, without leading zeros. */
  readonly modulus: Uint8Array;
  readonly exponent: Uint8Array;
}

/** DigestInfo of SHA-256 up to the digest. */
const DIGEST_INFO = Uint8Array.of(
  ...[0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00],
  ...[0x04, 0x20],
);
const HASH_BYTES = 32;
const MODULUS_BYTES_MIN = 256;
const MODULUS_BYTES_MAX = 512;
const EXPONENT_BYTES_MAX = 4;

/** 2,048 to 4,096 bits; an odd exponent of at least 3. */
export function isRsaKey({ modulus, exponent }: RsaKey): boolean {
  const [lead = 0] = modulus;
  const size = modulus.length;
  const isModulus = lead >= 0x80 && size >= MODULUS_BYTES_MIN && size <= MODULUS_BYTES_MAX && isOdd(modulus);
  const [first = 0] = exponent;
  const isExponent = first > 0 && exponent.length <= EXPONENT_BYTES_MAX && isOdd(exponent);
  return isModulus && isExponent && toBigInt(exponent) >= 3n;
}

export function verifyRsa(key: RsaKey, message: Uint8Array, signature: Uint8Array, sha256: Sha256): boolean {
  const size = key.modulus.length;
  if (signature.length !== size) return false;
  const modulus = toBigInt(key.modulus);
  const value = toBigInt(signature);
  if (value >= modulus) return false;
  const padding = new Uint8Array(size - DIGEST_INFO.length - HASH_BYTES - 3).fill(0xff);
  const expected = concatBytes(Uint8Array.of(0, 1), padding, Uint8Array.of(0), DIGEST_INFO, sha256(message));
  return power(value, toBigInt(key.exponent), modulus) === toBigInt(expected);
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function isOdd(bytes: Uint8Array): boolean {
  return (bytes.at(-1) ?? 0) % 2 === 1;
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}
