/**
 * Turns a WebSocket's bytes into ones whose every data frame is small and a message of its own, so that whoever reads them never has to
 * keep a whole message; which of them belong together is told beside. Only heads are written anew, payloads stay as they are.
 * Implements docs/spec/deploy.md R-WS-2 (fragments may be re-cut) and the bounds of R-WS-3.
 */

/** Where in a message of the other end the small one stands that is read next. */
export interface MessagePart {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export const MESSAGE_BYTES_MAX = 16_777_216;
/** A multiple of four: the mask of a part begins where that of the frame does. */
export const PART_BYTES_MAX = 65_536;

const FIN = 0x80;
const OPCODE = 0x0f;
const RESERVED = 0x70;
const MASKED = 0x80;
const SIZE = 0x7f;
const SIZE_16 = 126;
const SIZE_64 = 127;
/** From here on: close, ping, pong. */
const CONTROL = 8;
const HEAD_BYTES_MAX = 14;

interface FrameHead {
  readonly bytes: Buffer;
  readonly fin: boolean;
  readonly opcode: number;
  readonly reserved: number;
  readonly length: number;
  /** Four bytes, or none. */
  readonly mask: Buffer;
}

/** What breaks the protocol is passed on so that whoever reads it sees it broken. */
export class FrameCutter {
  readonly #parts: MessagePart[] = [];
  readonly #begun = Buffer.alloc(HEAD_BYTES_MAX);
  #begunBytes = 0;
  #frame: FrameHead | null = null;
  /** Of the frame that is passing: bytes that are still to come, and of them in this part. */
  #left = 0;
  #partLeft = 0;
  #isFirst = true;
  /** The message that is passing; null between two. */
  #message: { readonly opcode: number; bytes: number } | null = null;
  #isBroken = false;

  /** In the order of the messages that come out; one for each. */
  takePart(): MessagePart {
    return this.#parts.shift() ?? { isFirst: true, isLast: true };
  }

  cut(chunk: Buffer): readonly Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#isBroken) {
        out.push(chunk.subarray(at));
        break;
      }
      at = this.#frame === null ? this.#readHead(chunk, at, out) : this.#passPayload(chunk, at, out);
    }
    return out;
  }

  #readHead(chunk: Buffer, from: number, out: Buffer[]): number {
    let at = from;
    let head: FrameHead | null = null;
    while (at < chunk.length && head === null) {
      this.#begun[this.#begunBytes] = chunk[at] ?? 0;
      this.#begunBytes += 1;
      at += 1;
      head = headIn(this.#begun.subarray(0, this.#begunBytes));
    }
    if (head === null) return at;
    this.#begunBytes = 0;
    this.#begin(head, out);
    return at;
  }

  #begin(head: FrameHead, out: Buffer[]): void {
    const { opcode, length } = head;
    if (opcode >= CONTROL) {
      out.push(head.bytes);
      this.#frame = length === 0 ? null : head;
      [this.#left, this.#partLeft] = [length, length];
      return;
    }
    const isContinued = this.#message !== null;
    this.#message ??= { opcode, bytes: 0 };
    this.#message.bytes += length;
    const broken = brokenHead(head, isContinued, this.#message.bytes);
    if (broken !== null) {
      this.#isBroken = true;
      out.push(broken);
      return;
    }
    [this.#frame, this.#left, this.#isFirst] = [head, length, !isContinued];
    this.#beginPart(head, out);
  }

  #beginPart(head: FrameHead, out: Buffer[]): void {
    const length = Math.min(this.#left, PART_BYTES_MAX);
    const isLast = head.fin && length === this.#left;
    this.#parts.push({ isFirst: this.#isFirst, isLast });
    out.push(headOf({ ...head, opcode: this.#message?.opcode ?? head.opcode }, length));
    this.#isFirst = false;
    this.#partLeft = length;
    if (isLast) this.#message = null;
    if (length === 0) this.#frame = null;
  }

  #passPayload(chunk: Buffer, at: number, out: Buffer[]): number {
    const passed = chunk.subarray(at, at + this.#partLeft);
    out.push(passed);
    this.#left -= passed.length;
    this.#partLeft -= passed.length;
    const frame = this.#frame;
    if (this.#left === 0) this.#frame = null;
    else if (this.#partLeft === 0 && frame !== null) this.#beginPart(frame, out);
    return at + passed.length;
  }
}

/** Null until it is whole. */
function headIn(bytes: Buffer): FrameHead | null {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return null;
  const size = second & SIZE;
  const extra = size === SIZE_16 ? 2 : size === SIZE_64 ? 8 : 0;
  const mask = (second & MASKED) === 0 ? 0 : 4;
  if (bytes.length < 2 + extra + mask) return null;
  const length = extra === 0 ? size : extra === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return {
    ...{
      bytes: Buffer.from(bytes),
      fin: (first & FIN) !== 0,
      opcode: first & OPCODE,
      reserved: first & RESERVED,
      length,
    },
    mask: Buffer.from(bytes.subarray(2 + extra)),
  };
}

/** The head that breaks the reading where it has to break; null where all is well. */
function brokenHead(head: FrameHead, isContinued: boolean, messageBytes: number): Buffer | null {
  if (head.reserved !== 0 || head.opcode > 2) return head.bytes;
  // A continuation of nothing, or a message within a message: as a continuation it is of nothing for its reader, too.
  if (isContinued !== (head.opcode === 0)) return headOf({ ...head, opcode: 0 }, head.length);
  return messageBytes > MESSAGE_BYTES_MAX ? headOf(head, MESSAGE_BYTES_MAX + 1) : null;
}

function headOf({ opcode, reserved, mask }: FrameHead, length: number): Buffer {
  const masked = mask.length === 0 ? 0 : MASKED;
  const first = FIN | reserved | opcode;
  if (length < SIZE_16) return Buffer.concat([Buffer.from([first, masked | length]), mask]);
  const size = Buffer.alloc(length > 0xffff ? 8 : 2);
  if (length > 0xffff) size.writeBigUInt64BE(BigInt(length));
  else size.writeUInt16BE(length);
  return Buffer.concat([Buffer.from([first, masked | (size.length === 2 ? SIZE_16 : SIZE_64)]), size, mask]);
}
