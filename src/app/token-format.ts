/**
 * What does a token look like, and is this text one? Implements docs/spec/identity.md R-TOK-1 and R-TOK-2: a prefix that secret
 * scanners know, 256 random bits, and a checksum, so that a mistyped token is refused without asking the database.
 */
import { invariant } from "../core/refusal.ts";

/** Generic, deploy family, certificate family, connectors. */
export const TOKEN_PREFIXES = ["cst_", "rgw_", "cc_", "ct_"] as const;
export type TokenPrefix = (typeof TOKEN_PREFIXES)[number];

export interface TokenShape {
  readonly prefix: TokenPrefix;
  /** rack-gateway's older form: base64url of 32 bytes, without a checksum. */
  readonly legacy: boolean;
}

export const TOKEN_BYTES = 32;

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_DIGITS = 43;
const CHECK_DIGITS = 6;

/** 43 characters hold 258 bits: the last two are zero in what an encoder wrote. rack-gateway's encoder adds the padding. */
const LEGACY = /^rgw_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=?$/;

export function makeToken(prefix: TokenPrefix, bytes: Uint8Array): string {
  invariant(bytes.length === TOKEN_BYTES, `a token holds ${String(TOKEN_BYTES)} random bytes`);
  const body = `${prefix}${base62(numberOf(bytes), SECRET_DIGITS)}`;
  return `${body}${checkOf(body)}`;
}

/** Null for every text that was never given out: unknown prefix, wrong alphabet or length, wrong checksum. */
export function readToken(text: string): TokenShape | null {
  const prefix = TOKEN_PREFIXES.find((known) => text.startsWith(known));
  if (prefix === undefined) return null;
  if (LEGACY.test(text)) return { prefix, legacy: true };
  const length = prefix.length + SECRET_DIGITS + CHECK_DIGITS;
  if (text.length !== length || !/^[0-9A-Za-z]+$/.test(text.slice(prefix.length))) return null;
  const body = text.slice(0, -CHECK_DIGITS);
  return checkOf(body) === text.slice(-CHECK_DIGITS) ? { prefix, legacy: false } : null;
}

/** Does it begin as our tokens do? Such a text is no JWT, and is never split into a token and a factor (R-STEP-1). */
export function hasTokenPrefix(text: string): boolean {
  return TOKEN_PREFIXES.some((prefix) => text.startsWith(prefix));
}

function checkOf(body: string): string {
  return base62(BigInt(crc32(body)), CHECK_DIGITS);
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

/** Most significant digit first, filled up with zeros. */
function base62(number: bigint, digits: number): string {
  let text = "";
  for (let rest = number; text.length < digits; rest /= 62n) {
    text = `${ALPHABET.charAt(Number(rest % 62n))}${text}`;
  }
  return text;
}

/** CRC-32 of IEEE 802.3 over ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
