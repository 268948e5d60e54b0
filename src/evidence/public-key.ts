/**
 * Which public key is this, and did it sign that? ES256, EdDSA and RS256, as COSE keys (how authenticators hand them over)
 * and as SubjectPublicKeyInfo (how entries hold them). One key has one spelling in each form: what could be spelled in two
 * ways is refused. Implements docs/spec/evidence.md section 3.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { fromHex, toHex } from "../ledger/hex.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { fromBase64url, toBase64url } from "./base64url.ts";
import { DER_BIT_STRING, DER_SEQUENCE, readDer, readDerInteger } from "./der.ts";
import { isRsaKey, verifyRsa } from "./rsa.ts";
import type { RsaKey } from "./rsa.ts";

/** Told apart by COSE algorithm numbers: ES256, EdDSA, RS256. */
export type PublicKey =
  /** The uncompressed point, 65 bytes. */
  | { readonly algorithm: -7; readonly point: Uint8Array }
  | { readonly algorithm: -8; readonly bytes: Uint8Array }
  | { readonly algorithm: -257; readonly rsa: RsaKey };

export interface SignedBytes {
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

const FIELD_BYTES = 32;
const ED25519_SIGNATURE_BYTES = 64;

// A COSE key in the canonical CBOR that WebAuthn demands is a fixed text around the numbers.
const COSE_P256_START = fromHex("a5010203262001215820");
const COSE_P256_MIDDLE = fromHex("225820");
const COSE_ED25519_START = fromHex("a4010103272006215820");
const COSE_RSA_START = fromHex("a401030339010020");
const CBOR_BYTES_16 = 0x59;
const CBOR_LABEL_MINUS_2 = 0x21;
const CBOR_BYTES_SHORT = 0x40;

// A SubjectPublicKeyInfo is one as well, but for the lengths of RSA numbers.
const SPKI_P256_START = fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
const SPKI_ED25519_START = fromHex("302a300506032b6570032100");
const RSA_ALGORITHM = fromHex("300d06092a864886f70d0101010500");

/** The key that this base64url text is, in either form; null when it is none. */
export function parsePublicKey(text: string): PublicKey | null {
  const bytes = fromBase64url(text);
  if (bytes === null) return null;
  const key = bytes[0] === DER_SEQUENCE ? readSpki(bytes) : readCose(bytes);
  return key !== null && isUsable(key) ? key : null;
}

/** The key as SubjectPublicKeyInfo in base64url: the form that entries hold. */
export function encodeSpki(key: PublicKey): string {
  switch (key.algorithm) {
    case -7:
      return toBase64url(concatBytes(SPKI_P256_START, key.point));
    case -8:
      return toBase64url(concatBytes(SPKI_ED25519_START, key.bytes));
    case -257:
      return toBase64url(rsaSpki(key.rsa));
  }
}

/** ECDSA signatures are valid with either of their two S values, as authenticators give either. */
export function verifySignature(key: PublicKey, { message, signature }: SignedBytes, sha256: Sha256): boolean {
  switch (key.algorithm) {
    case -7:
      return verifyP256(key.point, sha256(message), signature);
    case -8:
      if (signature.length !== ED25519_SIGNATURE_BYTES) return false;
      return ed25519.verify(signature, message, key.bytes, { zip215: false });
    case -257:
      return verifyRsa(key.rsa, message, signature, sha256);
  }
}

function verifyP256(point: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  const compact = compactSignature(signature);
  return compact !== null && p256.verify(compact, digest, point, { prehash: false, lowS: false });
}

/** r ‖ s of an ECDSA-Sig-Value, each 32 bytes. */
function compactSignature(signature: Uint8Array): Uint8Array | null {
  const sequence = wholeDer(signature, DER_SEQUENCE);
  const pair = sequence === null ? null : readIntegerPair(sequence);
  if (pair?.every((number) => number.length <= FIELD_BYTES) !== true) return null;
  return concatBytes(leftPadded(pair[0]), leftPadded(pair[1]));
}

function leftPadded(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(FIELD_BYTES);
  padded.set(bytes, FIELD_BYTES - bytes.length);
  return padded;
}

function readCose(bytes: Uint8Array): PublicKey | null {
  if (startsWith(bytes, COSE_P256_START)) return readCoseP256(bytes.subarray(COSE_P256_START.length));
  if (startsWith(bytes, COSE_ED25519_START)) return readEd25519(bytes.subarray(COSE_ED25519_START.length));
  return startsWith(bytes, COSE_RSA_START) ? readCoseRsa(bytes.subarray(COSE_RSA_START.length)) : null;
}

function readCoseP256(bytes: Uint8Array): PublicKey | null {
  const y = bytes.subarray(FIELD_BYTES);
  if (bytes.length !== 2 * FIELD_BYTES + COSE_P256_MIDDLE.length || !startsWith(y, COSE_P256_MIDDLE)) return null;
  const coordinates = concatBytes(bytes.subarray(0, FIELD_BYTES), y.subarray(COSE_P256_MIDDLE.length));
  return { algorithm: -7, point: concatBytes(Uint8Array.of(4), coordinates) };
}

function readEd25519(bytes: Uint8Array): PublicKey | null {
  return bytes.length === FIELD_BYTES ? { algorithm: -8, bytes } : null;
}

function readCoseRsa(bytes: Uint8Array): PublicKey | null {
  const [head, high = 0, low = 0] = bytes;
  const modulusEnd = 3 + high * 256 + low;
  const [label, exponentHead = 0] = bytes.subarray(modulusEnd);
  const exponent = bytes.subarray(modulusEnd + 2);
  // Lengths from 256 up are what two bytes are for; exponents are short.
  if (head !== CBOR_BYTES_16 || high === 0 || label !== CBOR_LABEL_MINUS_2) return null;
  if (exponentHead !== CBOR_BYTES_SHORT + exponent.length) return null;
  return { algorithm: -257, rsa: { modulus: bytes.subarray(3, modulusEnd), exponent } };
}

function readSpki(bytes: Uint8Array): PublicKey | null {
  if (startsWith(bytes, SPKI_P256_START)) return { algorithm: -7, point: bytes.subarray(SPKI_P256_START.length) };
  if (startsWith(bytes, SPKI_ED25519_START)) return readEd25519(bytes.subarray(SPKI_ED25519_START.length));
  const rsa = readRsaSpki(bytes);
  return rsa === null ? null : { algorithm: -257, rsa };
}

function readRsaSpki(bytes: Uint8Array): RsaKey | null {
  const outer = wholeDer(bytes, DER_SEQUENCE);
  if (outer === null || !startsWith(outer, RSA_ALGORITHM)) return null;
  const bits = wholeDer(outer.subarray(RSA_ALGORITHM.length), DER_BIT_STRING);
  const numbers = bits?.[0] === 0 ? wholeDer(bits.subarray(1), DER_SEQUENCE) : null;
  const pair = numbers === null ? null : readIntegerPair(numbers);
  return pair === null ? null : { modulus: pair[0], exponent: pair[1] };
}

/** The content of the value that fills `bytes`. */
function wholeDer(bytes: Uint8Array, tag: number): Uint8Array | null {
  const value = readDer(bytes, tag);
  return value?.rest.length === 0 ? value.content : null;
}

function readIntegerPair(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] | null {
  const first = readDerInteger(bytes);
  const second = first === null ? null : readDerInteger(first.rest);
  return first !== null && second?.rest.length === 0 ? [first.content, second.content] : null;
}

function rsaSpki({ modulus, exponent }: RsaKey): Uint8Array {
  const numbers = der(DER_SEQUENCE, concatBytes(derInteger(modulus), derInteger(exponent)));
  const bits = der(DER_BIT_STRING, concatBytes(Uint8Array.of(0), numbers));
  return der(DER_SEQUENCE, concatBytes(RSA_ALGORITHM, bits));
}

function derInteger(magnitude: Uint8Array): Uint8Array {
  const [first = 0] = magnitude;
  return der(0x02, first < 0x80 ? magnitude : concatBytes(Uint8Array.of(0), magnitude));
}

function der(tag: number, content: Uint8Array): Uint8Array {
  const { length } = content;
  const digits = length.toString(16);
  const lengthBytes =
    length < 0x80 ? Uint8Array.of(length) : fromHex(digits.padStart(Math.ceil(digits.length / 2) * 2, "0"));
  const head = length < 0x80 ? lengthBytes : concatBytes(Uint8Array.of(0x80 + lengthBytes.length), lengthBytes);
  return concatBytes(Uint8Array.of(tag), head, content);
}

function isUsable(key: PublicKey): boolean {
  switch (key.algorithm) {
    case -7:
      // The uncompressed form alone: a point has one spelling here.
      return key.point.length === 1 + 2 * FIELD_BYTES && key.point[0] === 4 && p256.utils.isValidPublicKey(key.point);
    case -8:
      return ed25519.utils.isValidPublicKey(key.bytes, false);
    case -257:
      return isRsaKey(key.rsa);
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && toHex(bytes.subarray(0, start.length)) === toHex(start);
}
