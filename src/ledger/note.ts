/**
 * What does a signed note or checkpoint say, and who signed it? C2SP signed-note with Ed25519 (type 0x01), witness
 * cosignatures (tlog-cosignature, type 0x04) and tlog-checkpoint. Implements docs/spec/ledger.md section 8 (R-CP-1).
 * Whatever is not exactly a note is no note.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { fromBase64, toBase64 } from "./base64.ts";
import { isWellFormed } from "./canonical-json.ts";
import { EMPTY_ROOT } from "./hash.ts";
import { fromHex, isHash, toHex } from "./hex.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { pureSha256 } from "./sha256.ts";
import { utf8Bytes } from "./utf8.ts";

export type KeyType = "ed25519" | "cosignature";

/** A verifier key: a name and an Ed25519 public key, and what its signatures cover. */
export interface VerifierKey {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key), as 8 hex digits. */
  readonly id: string;
  readonly type: KeyType;
  readonly publicKey: Uint8Array;
}

export interface NoteSignature {
  readonly name: string;
  readonly id: string;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** What is signed, with its last newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
}

/** The number that signed-note asks every verifier to accept; more than that is refused. */
const NOTE_SIGNATURES_MAX = 16;

const NOTE_LENGTH_MAX = 65_536;
const TYPE_BYTES: Readonly<Record<KeyType, number>> = { ed25519: 0x01, cosignature: 0x04 };
const KEY_ID_BYTES = 4;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const TIME_BYTES = 8;

const KEY_NAME = /^[^\s+]+$/u;
const SIZE = /^(?:0|[1-9]\d{0,15})$/;
const ROOT_BYTES = 32;
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/** The three lines that are signed. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const { origin, size, root } = checkpoint;
  if (!isHash(root) || !Number.isSafeInteger(size) || size < 0) {
    throw new LedgerBug("a checkpoint needs a size and a root");
  }
  return `${origin}\n${size}\n${toBase64(fromHex(root))}\n`;
}

/** The note of a checkpoint, signed under the name of its origin (R-CP-1). */
export function signCheckpoint(seed: Uint8Array, name: string, text: string): string {
  if (parseCheckpointText(text)?.origin !== name) throw new LedgerBug("a checkpoint is signed under its own origin");
  return signNote(seed, name, text);
}

/** What a note says, whoever signed it; null when it is not a checkpoint. */
export function parseCheckpoint(note: string): Checkpoint | null {
  const parsed = parseNote(note);
  return parsed === null ? null : parseCheckpointText(parsed.text);
}

/** What a note says when the key `vkey` signed it and it speaks of `origin`; null otherwise. */
export function openCheckpoint(note: string, origin: string, vkey: string): Checkpoint | null {
  if (!verifyNote(note, vkey)) return null;
  const checkpoint = parseCheckpoint(note);
  return checkpoint?.origin === origin ? checkpoint : null;
}

/** `text` and one signature line. `seed` is the 32-byte Ed25519 private key. */
export function signNote(seed: Uint8Array, name: string, text: string): string {
  if (!isNoteText(text)) throw new LedgerBug("a note's text is lines of valid Unicode, the last one ended");
  const key = verifierKey(name, ed25519.getPublicKey(seed), "ed25519");
  const signature = ed25519.sign(utf8Bytes(text), seed);
  return `${text}\n— ${name} ${toBase64(concatBytes(keyIdBytes(key), signature))}\n`;
}

export function parseNote(note: string): SignedNote | null {
  if (note.length > NOTE_LENGTH_MAX) return null;
  const split = note.lastIndexOf("\n\n");
  const text = note.slice(0, split + 1);
  if (split < 0 || !isNoteText(text) || !note.endsWith("\n")) return null;
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > NOTE_SIGNATURES_MAX) return null;
  const signatures = lines.map(parseSignatureLine).filter((signature) => signature !== null);
  return signatures.length === lines.length ? { text, signatures } : null;
}

/**
 * True when the note holds a signature of that key and every signature of that key is right. Lines of other keys are
 * ignored, as key rotation and witnesses need.
 */
export function verifyNote(note: string, vkey: string): boolean {
  const key = parseVerifierKey(vkey);
  const parsed = parseNote(note);
  if (key === null || parsed === null) return false;
  const own = parsed.signatures.filter((line) => line.name === key.name && line.id === key.id);
  return own.length > 0 && own.every((line) => isSignatureOf(key, parsed.text, line.signature));
}

/** The key as `name+id+base64(type ‖ key)`. */
export function encodeVerifierKey(name: string, publicKey: Uint8Array, type: KeyType = "ed25519"): string {
  const key = verifierKey(name, publicKey, type);
  return `${name}+${key.id}+${toBase64(typedKey(type, publicKey))}`;
}

/** The verifier key that belongs to a private one. */
export function verifierKeyOf(seed: Uint8Array, name: string): string {
  return encodeVerifierKey(name, ed25519.getPublicKey(seed));
}

export function parseVerifierKey(vkey: string): VerifierKey | null {
  const [name = "", id, ...parts] = vkey.split("+");
  // Base64 may hold plus signs, names and ids may not.
  const bytes = fromBase64(parts.join("+"));
  if (bytes?.length !== 1 + KEY_BYTES || !isKeyName(name)) return null;
  const type = keyTypeOf(bytes[0]);
  if (type === null) return null;
  const key = verifierKey(name, bytes.slice(1), type);
  return key.id === id ? key : null;
}

function verifierKey(name: string, publicKey: Uint8Array, type: KeyType): VerifierKey {
  if (!isKeyName(name)) throw new LedgerBug("a key name is not empty and holds neither white space nor a plus");
  if (publicKey.length !== KEY_BYTES) throw new LedgerBug(`an Ed25519 public key is ${KEY_BYTES} bytes`);
  const digest = pureSha256(concatBytes(utf8Bytes(`${name}\n`), typedKey(type, publicKey)));
  return { name, id: toHex(digest.subarray(0, KEY_ID_BYTES)), type, publicKey };
}

function isSignatureOf(key: VerifierKey, text: string, signature: Uint8Array): boolean {
  switch (key.type) {
    case "ed25519":
      return isEd25519Signature(key.publicKey, text, signature);
    case "cosignature":
      return isCosignature(key.publicKey, text, signature);
  }
}

/** An 8-byte big-endian time in seconds, then a signature over that time and the text. */
function isCosignature(publicKey: Uint8Array, text: string, signature: Uint8Array): boolean {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return false;
  const time = signature.subarray(0, TIME_BYTES).reduce((seconds, byte) => seconds * 256 + byte, 0);
  if (!Number.isSafeInteger(time)) return false;
  return isEd25519Signature(publicKey, `cosignature/v1\ntime ${time}\n${text}`, signature.subarray(TIME_BYTES));
}

function isEd25519Signature(publicKey: Uint8Array, text: string, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false;
  // RFC 8032 as other verifiers read it, not the laxer rule that the library follows by default.
  return ed25519.verify(signature, utf8Bytes(text), publicKey, { zip215: false });
}

function parseSignatureLine(line: string): NoteSignature | null {
  const [dash, name = "", encoded = "", ...rest] = line.split(" ");
  const bytes = fromBase64(encoded);
  if (dash !== "—" || rest.length > 0 || !isKeyName(name) || bytes === null || bytes.length <= KEY_ID_BYTES) {
    return null;
  }
  return { name, id: toHex(bytes.subarray(0, KEY_ID_BYTES)), signature: bytes.slice(KEY_ID_BYTES) };
}

function isNoteText(text: string): boolean {
  return text.endsWith("\n") && text.length > 1 && isWellFormed(text) && !CONTROL.test(text);
}

function isKeyName(name: string): boolean {
  return KEY_NAME.test(name) && isWellFormed(name) && !CONTROL.test(name);
}

function keyTypeOf(byte: number | undefined): KeyType | null {
  if (byte === TYPE_BYTES.ed25519) return "ed25519";
  return byte === TYPE_BYTES.cosignature ? "cosignature" : null;
}

function typedKey(type: KeyType, publicKey: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(TYPE_BYTES[type]), publicKey);
}

function keyIdBytes(key: VerifierKey): Uint8Array {
  return fromHex(key.id);
}

function parseCheckpointText(text: string): Checkpoint | null {
  const [origin = "", size = "", encoded = "", end, ...rest] = text.split("\n");
  const root = fromBase64(encoded);
  if (origin === "" || end !== "" || rest.length > 0 || !SIZE.test(size) || root?.length !== ROOT_BYTES) return null;
  const checkpoint = { origin, size: Number(size), root: toHex(root) };
  return isPossible(checkpoint) ? checkpoint : null;
}

/** A tree without leaves has one root, and sizes are numbers that JSON can say exactly. */
function isPossible({ size, root }: Checkpoint): boolean {
  return Number.isSafeInteger(size) && (size > 0 || root === EMPTY_ROOT);
}
