import { describe, expect, it } from "vitest";
import { FrameCutter, MESSAGE_BYTES_MAX, PART_BYTES_MAX } from "./frame-cutter.ts";

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

const TEXT = 1;
const BINARY = 2;
const PING = 9;

function head({ fin, opcode }: Pick<Frame, "fin" | "opcode">, length: number, masked: boolean, reserved = 0): Buffer {
  const first = (fin ? 0x80 : 0) | reserved | opcode;
  const bit = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([first, bit | length]);
  const bytes = Buffer.alloc(length > 0xffff ? 10 : 4);
  bytes.writeUInt8(first);
  bytes.writeUInt8(bit | (length > 0xffff ? 127 : 126), 1);
  if (length > 0xffff) bytes.writeBigUInt64BE(BigInt(length), 2);
  else bytes.writeUInt16BE(length, 2);
  return bytes;
}

const MASK = Buffer.from([0x5a, 0x01, 0xfe, 0x33]);

function masked(payload: Buffer): Buffer {
  return Buffer.from(payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0)));
}

function encode(frames: readonly Frame[], isMasked: boolean): Buffer {
  return Buffer.concat(
    frames.flatMap((frame) => {
      const start = head(frame, frame.payload.length, isMasked);
      return isMasked ? [start, MASK, masked(frame.payload)] : [start, frame.payload];
    }),
  );
}

function decode(bytes: Buffer, isMasked: boolean): readonly Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const [first = 0, second = 0] = bytes.subarray(at, at + 2);
    const size = second & 0x7f;
    const extra = { 126: 2, 127: 8 }[size] ?? 0;
    const length =
      extra === 0 ? size : extra === 2 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    const start = at + 2 + extra + (isMasked ? 4 : 0);
    const payload = bytes.subarray(start, start + length);
    frames.push({
      ...{ fin: (first & 0x80) !== 0, opcode: first & 0x0f },
      payload: isMasked ? masked(payload) : payload,
    });
    at = start + length;
  }
  return frames;
}

/** Cut into pieces of this many bytes on their way in. */
function cut(bytes: Buffer, step: number): { readonly out: Buffer; readonly cutter: FrameCutter } {
  const cutter = new FrameCutter();
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) out.push(...cutter.cut(bytes.subarray(at, at + step)));
  return { out: Buffer.concat(out), cutter };
}

/** Messages as `10 text abc`, put together from their parts again. */
function messagesOf(out: Buffer, cutter: FrameCutter, isMasked: boolean): readonly string[] {
  const told: string[] = [];
  let begun: Buffer[] | null = null;
  for (const { fin, opcode, payload } of decode(out, isMasked)) {
    expect([fin, payload.length <= PART_BYTES_MAX]).toEqual([true, true]);
    if (opcode >= 8) {
      told.push(`control ${payload.toString("latin1")}`);
      continue;
    }
    const { isFirst, isLast } = cutter.takePart();
    expect(isFirst).toBe(begun === null);
    begun = [...(begun ?? []), payload];
    if (!isLast) continue;
    told.push(`${String(opcode)} ${Buffer.concat(begun).toString("latin1")}`);
    begun = null;
  }
  expect(begun).toBeNull();
  return told;
}

const LARGE = Buffer.alloc(3 * PART_BYTES_MAX + 7, "0123456789abcdef");

const TRAFFIC: readonly Frame[] = [
  { fin: true, opcode: TEXT, payload: Buffer.from("hello") },
  { fin: true, opcode: BINARY, payload: Buffer.alloc(0) },
  { fin: true, opcode: TEXT, payload: LARGE },
  { fin: false, opcode: BINARY, payload: LARGE.subarray(0, 70_000) },
  { fin: true, opcode: PING, payload: Buffer.from("ping") },
  { fin: false, opcode: 0, payload: Buffer.alloc(0) },
  { fin: false, opcode: 0, payload: Buffer.alloc(PART_BYTES_MAX) },
  { fin: true, opcode: 0, payload: Buffer.from("end") },
  { fin: true, opcode: TEXT, payload: Buffer.alloc(126, "x") },
  { fin: false, opcode: TEXT, payload: Buffer.alloc(0) },
  { fin: true, opcode: 0, payload: Buffer.alloc(0) },
];

const EXPECTED = [
  ...["1 hello", "2 ", `1 ${LARGE.toString("latin1")}`, "control ping"],
  `2 ${Buffer.concat([LARGE.subarray(0, 70_000), Buffer.alloc(PART_BYTES_MAX), Buffer.from("end")]).toString("latin1")}`,
  ...[`1 ${"x".repeat(126)}`, "1 "],
];

describe("frames on their way", () => {
  it.each([
    [1, true],
    [7, false],
    [1_460, true],
    [65_536, false],
    [1_000_000, true],
  ])("deploy R-WS-2: keep their messages, however they come (%i bytes at once, masked: %s)", (step, isMasked) => {
    const { out, cutter } = cut(encode(TRAFFIC, isMasked), step);
    expect(messagesOf(out, cutter, isMasked)).toEqual(EXPECTED);
  });

  it("deploy R-WS-3: are passed on as they come: what is kept of a message is less than a head", () => {
    const cutter = new FrameCutter();
    const length = 1_000_000;
    const start = head({ fin: true, opcode: TEXT }, length, false);
    expect(cutter.cut(start.subarray(0, start.length - 1))).toEqual([]);
    cutter.cut(start.subarray(start.length - 1));
    let passed = 0;
    for (let sent = 0; sent < length; sent += 1_000) {
      for (const piece of cutter.cut(Buffer.alloc(1_000))) passed += piece.length;
      expect(passed).toBeGreaterThanOrEqual(sent + 1_000);
    }
  });

  it("deploy R-WS-3: a message that is too large is told by the head that makes it so", () => {
    const whole = new FrameCutter().cut(head({ fin: true, opcode: TEXT }, MESSAGE_BYTES_MAX + 9, false));
    expect(Buffer.concat(whole).readBigUInt64BE(2)).toBe(BigInt(MESSAGE_BYTES_MAX + 1));
    const cutter = new FrameCutter();
    const half = MESSAGE_BYTES_MAX / 2;
    for (const opcode of [BINARY, 0]) {
      cutter.cut(head({ fin: false, opcode }, half, false));
      for (let at = 0; at < half; at += 1_048_576) cutter.cut(Buffer.alloc(1_048_576));
    }
    const more = cutter.cut(head({ fin: true, opcode: 0 }, 1, false));
    expect(Buffer.concat(more).readBigUInt64BE(2)).toBe(BigInt(MESSAGE_BYTES_MAX + 1));
  });

  it("deploy R-WS-2: what breaks the protocol still does", () => {
    const opcodeOf = (...frames: readonly Frame[]): number =>
      decode(cut(encode(frames, false), 3).out, false).at(-1)?.opcode ?? -1;
    const part = { fin: false, opcode: TEXT, payload: Buffer.from("a") };
    // Each arrives as the continuation of nothing, or as what it is.
    expect(opcodeOf({ ...part, opcode: 0 })).toBe(0);
    expect(opcodeOf(part, part)).toBe(0);
    expect(opcodeOf({ ...part, opcode: 5 })).toBe(5);
    const reserved = head({ fin: true, opcode: TEXT }, 0, false, 0x40);
    expect(new FrameCutter().cut(reserved)).toEqual([reserved]);
  });
});
