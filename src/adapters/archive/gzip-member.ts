/**
 * What is inside one gzip member, and is there anything else? Other programs go on with a second member or stop before
 * trailing bytes, so that they would unpack something else than was judged (deploy R-MANIFEST-2). Node's own gunzip does the
 * first silently, which is why header and trailer (RFC 1952) are read here.
 */
import { crc32, createInflateRaw } from "node:zlib";
import { badForm, WHOLE } from "./archive-refused.ts";

const FIXED_BYTES = 10;
const TRAILER_BYTES = 8;
/** A name, a comment and extra fields; programs write a name at most. */
const HEADER_MAX = 16 * 1024;
const OUTPUT_CHUNK = 64 * 1024;
const DEFLATE = 8;
const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
const CUT_OFF = "it ends before its gzip member does";
const WRAP = 2 ** 32;

export class GzipMember {
  readonly #output: (chunk: Buffer) => void;
  readonly #inflate = createInflateRaw({ chunkSize: OUTPUT_CHUNK });
  readonly #outputEnded: Promise<void>;
  #stage: "header" | "body" | "trailer" = "header";
  /** Bytes of a header or trailer that came in parts. */
  #held = Buffer.alloc(0);
  /** Compressed bytes given to zlib; it says itself how many of them it took. */
  #given = 0;
  #expanded = 0;
  #crc = 0;
  #refused: Error | null = null;
  #wake: () => void = () => undefined;

  /** `output` may throw `ArchiveRefused`. */
  constructor(output: (chunk: Buffer) => void) {
    this.#output = output;
    this.#inflate.on("data", (chunk: Buffer) => {
      this.#take(chunk);
    });
    this.#inflate.on("error", () => {
      this.#refuse(badForm(WHOLE, "its compressed data is damaged"));
    });
    this.#outputEnded = new Promise((resolve) => {
      this.#inflate.once("end", resolve);
      this.#inflate.once("close", resolve);
    });
  }

  /** Resolves when the chunk's memory is free again; rejects with `ArchiveRefused`. */
  async write(chunk: Buffer): Promise<void> {
    switch (this.#stage) {
      case "header": {
        const rest = this.#header(chunk);
        if (rest !== null && rest.length > 0) await this.#body(rest);
        return;
      }
      case "body":
        await this.#body(chunk);
        return;
      case "trailer":
        this.#trailer(chunk);
    }
  }

  /** Rejects unless all of the member has come, and nothing else. */
  async finish(): Promise<void> {
    if (this.#stage !== "trailer") throw badForm(WHOLE, CUT_OFF);
    await this.#outputEnded;
    this.#throwIfRefused();
    if (this.#held.length < TRAILER_BYTES) throw badForm(WHOLE, CUT_OFF);
    if (this.#held.readUInt32LE(0) !== this.#crc) throw badForm(WHOLE, "its gzip checksum is wrong");
    if (this.#held.readUInt32LE(4) !== this.#expanded % WRAP) throw badForm(WHOLE, "its gzip length is wrong");
  }

  close(): void {
    this.#inflate.destroy();
  }

  /** What of the chunk follows the header; null while the header is not complete. */
  #header(chunk: Buffer): Buffer | null {
    const bytes = Buffer.concat([this.#held, chunk]);
    const length = headerLength(bytes);
    if (length === null) {
      if (bytes.length > HEADER_MAX) throw badForm(WHOLE, "its gzip header is too long");
      this.#held = bytes;
      return null;
    }
    this.#held = Buffer.alloc(0);
    this.#stage = "body";
    return bytes.subarray(length);
  }

  async #body(chunk: Buffer): Promise<void> {
    this.#given += chunk.length;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#inflate.write(chunk, () => {
        resolve();
      });
    });
    this.#throwIfRefused();
    const untaken = this.#given - this.#inflate.bytesWritten;
    if (untaken === 0) return;
    // The deflate stream is over: zlib takes nothing that follows it.
    this.#stage = "trailer";
    this.#trailer(chunk.subarray(chunk.length - untaken));
  }

  #trailer(bytes: Buffer): void {
    if (this.#held.length + bytes.length > TRAILER_BYTES) throw badForm(WHOLE, "more follows after its gzip member");
    this.#held = Buffer.concat([this.#held, bytes]);
  }

  #take(chunk: Buffer): void {
    if (this.#refused !== null) return;
    this.#crc = crc32(chunk, this.#crc);
    this.#expanded += chunk.length;
    try {
      this.#output(chunk);
    } catch (error) {
      this.#refuse(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #refuse(error: Error): void {
    this.#refused ??= error;
    this.#wake();
  }

  #throwIfRefused(): void {
    if (this.#refused !== null) throw this.#refused;
  }
}

/** Null while it is not complete. */
function headerLength(bytes: Buffer): number | null {
  if (bytes.length < FIXED_BYTES) return null;
  const flags = bytes.readUInt8(3);
  if (bytes.readUInt16BE(0) !== 0x1f8b || bytes.readUInt8(2) !== DEFLATE) throw badForm(WHOLE, "it is not gzip");
  if ((flags & FLAG.reserved) !== 0) throw badForm(WHOLE, "its gzip header has unknown flags");
  let at: number | null = FIXED_BYTES;
  if ((flags & FLAG.extra) !== 0) at = afterExtra(bytes, at);
  if ((flags & FLAG.name) !== 0) at = afterText(bytes, at);
  if ((flags & FLAG.comment) !== 0) at = afterText(bytes, at);
  if ((flags & FLAG.headerCrc) !== 0) at = afterHeaderCrc(bytes, at);
  return at;
}

function afterExtra(bytes: Buffer, at: number): number | null {
  if (bytes.length < at + 2) return null;
  const end = at + 2 + bytes.readUInt16LE(at);
  return bytes.length < end ? null : end;
}

function afterText(bytes: Buffer, at: number | null): number | null {
  const end = at === null ? -1 : bytes.indexOf(0, at);
  return end === -1 ? null : end + 1;
}

function afterHeaderCrc(bytes: Buffer, at: number | null): number | null {
  if (at === null || bytes.length < at + 2) return null;
  if (bytes.readUInt16LE(at) !== (crc32(bytes.subarray(0, at)) & 0xffff)) {
    throw badForm(WHOLE, "the checksum of its gzip header is wrong");
  }
  return at + 2;
}
