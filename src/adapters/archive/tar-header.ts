/**
 * What does a block of 512 bytes say about the entry that follows? ustar (which PAX extends) and GNU tar only; a field that
 * programs read differently is a fault (deploy R-MANIFEST-2).
 */
import { badForm } from "./archive-refused.ts";

export const BLOCK_BYTES = 512;

export interface TarHeader {
  /** As written, with the ustar prefix in front; not judged yet. */
  readonly name: string;
  readonly link: string;
  /** One character; NUL is the old sign of a regular file. */
  readonly type: string;
  readonly size: number;
  readonly mode: number;
}

interface Field {
  readonly at: number;
  readonly length: number;
  readonly called: string;
}

const NAME: Field = { at: 0, length: 100, called: "name" };
const MODE: Field = { at: 100, length: 8, called: "mode" };
const SIZE: Field = { at: 124, length: 12, called: "size" };
const CHECKSUM: Field = { at: 148, length: 8, called: "checksum" };
const TYPE_AT = 156;
const LINK: Field = { at: 157, length: 100, called: "link target" };
const MAGIC_AT = 257;
const USTAR = "ustar\u000000";
const GNU = "ustar  \u0000";
const PREFIX: Field = { at: 345, length: 155, called: "name prefix" };
const PREFIX_END = 500;
const SPACE = 0x20;

/** `where` names the entry before its name is known. */
export function tarHeader(block: Buffer, where: string): TarHeader {
  if (octal(block, CHECKSUM, where) !== checksum(block)) throw badForm(where, "the checksum of its header is wrong");
  const magic = block.toString("latin1", MAGIC_AT, MAGIC_AT + USTAR.length);
  if (magic !== USTAR && magic !== GNU) throw badForm(where, "its header is neither ustar nor GNU");
  const name = text(block, NAME, where);
  const path = magic === USTAR ? withPrefix(block, name, where) : name;
  // Where GNU tar keeps times and sparse maps, other programs see a prefix.
  const unused = block.subarray(magic === USTAR ? PREFIX_END : PREFIX.at, BLOCK_BYTES);
  if (!isZero(unused)) throw badForm(path, "its header has unknown fields");
  return {
    name: path,
    link: text(block, LINK, path),
    type: block.toString("latin1", TYPE_AT, TYPE_AT + 1),
    size: octal(block, SIZE, path),
    mode: octal(block, MODE, path),
  };
}

function withPrefix(block: Buffer, name: string, where: string): string {
  const prefix = text(block, PREFIX, where);
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** The sum of the header's bytes, with blanks in place of the checksum. */
function checksum(block: Buffer): number {
  let sum = SPACE * CHECKSUM.length;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    if (at < CHECKSUM.at || at >= CHECKSUM.at + CHECKSUM.length) sum += block[at] ?? 0;
  }
  return sum;
}

const OCTAL = /^ *([0-7]+)[ \0]*$/;

/** Octal digits between blanks; base 256, which some programs do not know, is for sizes that are too large anyway. */
function octal(block: Buffer, { at, length, called }: Field, where: string): number {
  const digits = OCTAL.exec(block.toString("latin1", at, at + length))?.[1];
  if (digits === undefined) throw badForm(where, `its ${called} is not an octal number`);
  return Number.parseInt(digits, 8);
}

/** Up to the first NUL, after which there must be nothing else. */
function text(block: Buffer, { at, length, called }: Field, where: string): string {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  if (end === -1) return utf8(field, where);
  if (!isZero(field.subarray(end))) throw badForm(where, `its ${called} has a NUL in it`);
  return utf8(field.subarray(0, end), where);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lossy = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text of the bytes, every one of them; a fault where they are not UTF-8. */
export function utf8(bytes: Uint8Array, where: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw badForm(where === "" ? lossy.decode(bytes) : where, "it is not valid UTF-8");
  }
}

const ZEROS = Buffer.alloc(64 * 1024);

export function isZero(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length);
    if (part.compare(ZEROS, 0, part.length) !== 0) return false;
  }
  return true;
}
