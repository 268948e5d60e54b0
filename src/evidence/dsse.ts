/**
 * An approval as other tools read it: a DSSE envelope around an in-toto statement. Implements docs/spec/evidence.md
 * section 7 (DSSE 1.0.2). Signed with Ed25519, by a key that is never the checkpoint key (ledger R-KEY-3).
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { fromBase64, toBase64 } from "../ledger/base64.ts";
import { toHex } from "../ledger/hex.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { utf8Bytes } from "../ledger/utf8.ts";
import { concatBytes } from "@noble/hashes/utils.js";
import { fromBase64url } from "./base64url.ts";
import { hasExactly, isListOf, isText } from "./closed-form.ts";
import { encodeSpki, parsePublicKey } from "./public-key.ts";
import { parseStrictJson, utf8Text } from "./strict-json.ts";

export const INTOTO_PAYLOAD_TYPE = "application/vnd.in-toto+json";

export interface DsseSignature {
  /** Hex SHA-256 of the SubjectPublicKeyInfo of the key. */
  readonly keyid: string;
  readonly sig: string;
}

export interface DsseEnvelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly DsseSignature[];
}

const SIGNATURES_MAX = 16;

export const isEnvelope = hasExactly({
  payloadType: isText,
  payload: (value) => typeof value === "string" && fromBase64(value) !== null,
  signatures: (value) =>
    isListOf(hasExactly({ keyid: isText, sig: isText }))(value) &&
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= SIGNATURES_MAX,
});

/** What is signed: `DSSEv1 SP length SP type SP length SP body`, lengths in bytes. */
export function preAuthEncoding(payloadType: string, body: Uint8Array): Uint8Array {
  const type = utf8Bytes(payloadType);
  return concatBytes(utf8Bytes(`DSSEv1 ${type.length} `), type, utf8Bytes(` ${body.length} `), body);
}

/** The envelope around `body`; `seed` is the 32-byte Ed25519 private key. */
export function signEnvelope(seed: Uint8Array, payloadType: string, body: string, sha256: Sha256): DsseEnvelope {
  const bytes = utf8Bytes(body);
  const sig = toBase64(ed25519.sign(preAuthEncoding(payloadType, bytes), seed));
  const spki = encodeSpki({ algorithm: -8, bytes: ed25519.getPublicKey(seed) });
  return { payloadType, payload: toBase64(bytes), signatures: [{ keyid: envelopeKeyId(spki, sha256), sig }] };
}

/** The text that at least one of these keys signed, or null. Signatures of other keys are ignored. */
export function verifyEnvelope(envelope: DsseEnvelope, spkis: readonly string[], sha256: Sha256): string | null {
  const body = fromBase64(envelope.payload);
  if (body === null) return null;
  const message = preAuthEncoding(envelope.payloadType, body);
  const isSigned = spkis.some((spki) => {
    const key = parsePublicKey(spki);
    const keyid = envelopeKeyId(spki, sha256);
    if (key?.algorithm !== -8) return false;
    const own = envelope.signatures.filter((line) => line.keyid === keyid);
    return own.length > 0 && own.every(({ sig }) => isSignature(key.bytes, message, fromBase64(sig)));
  });
  return isSigned ? utf8Text(body) : null;
}

export function parseEnvelope(text: string): DsseEnvelope | null {
  const value = parseStrictJson(text.trim());
  return isDsseEnvelope(value) ? value : null;
}

/** `spki` in base64url. */
export function envelopeKeyId(spki: string, sha256: Sha256): string {
  return toHex(sha256(fromBase64url(spki) ?? new Uint8Array()));
}

function isDsseEnvelope(value: unknown): value is DsseEnvelope {
  return isEnvelope(value);
}

function isSignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array | null): boolean {
  return signature?.length === 64 && ed25519.verify(signature, message, publicKey, { zip215: false });
}
