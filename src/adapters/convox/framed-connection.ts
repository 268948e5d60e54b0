/**
 * A connection whose other end speaks WebSocket, read in small messages: for `ws`, which keeps what it reads until a message is whole.
 * Implements docs/spec/deploy.md R-WS-3: memory stays bounded however large a message is and however slow its reader.
 */
import { Duplex } from "node:stream";
import { FrameCutter, type MessagePart } from "./frame-cutter.ts";

/** Frames follow the answer to a handshake that went well; what follows another answer is its body. */
const SWITCHING = "HTTP/1.1 101 ";
const INTERIM = /^HTTP\/1\.1 1\d\d /;
const HEAD_END = "\r\n\r\n";
/** More than Node's reader of heads takes. */
const HEAD_BYTES_MAX = 65_536;

export interface FramedConnectionOptions {
  /** True where the answer to our own handshake comes first. */
  readonly answersFirst: boolean;
}

export class FramedConnection extends Duplex {
  readonly #under: Duplex;
  readonly #cutter = new FrameCutter();
  /** What came of an answer's head; null where frames come, `"rest"` where none ever will. */
  #head: Buffer | "rest" | null;
  #hasEnded = false;

  constructor(under: Duplex, { answersFirst }: FramedConnectionOptions) {
    super({ allowHalfOpen: true });
    this.#under = under;
    this.#head = answersFirst ? Buffer.alloc(0) : null;
    under.on("data", (chunk: Buffer) => {
      this.#receive(chunk);
    });
    under.on("end", () => {
      this.#hasEnded = true;
      this.push(null);
    });
    under.on("error", (error) => this.destroy(error));
    under.on("close", () => {
      // What came before an orderly end is still to be read.
      if (!this.#hasEnded) this.destroy();
    });
    // Whoever reads it hears of it as well; before and after, it is nobody's news.
    this.on("error", () => undefined);
  }

  /** Which part of a message the next one that is read here is. */
  takePart(): MessagePart {
    return this.#cutter.takePart();
  }

  /** For what came with the handshake, before this was made. */
  receive(first: Buffer): void {
    if (first.length > 0) this.#receive(first);
  }

  override _read(): void {
    this.#under.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#under.write(chunk, done);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#under.cork();
    for (const [at, { chunk }] of chunks.entries()) {
      if (at < chunks.length - 1) this.#under.write(chunk);
      else this.#under.write(chunk, done);
    }
    this.#under.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#under.end(() => {
      done();
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#under.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    const frames = this.#head === null ? chunk : this.#passHead(chunk);
    if (frames === null) return;
    let hasRoom = true;
    for (const piece of this.#cutter.cut(frames)) hasRoom = this.push(piece);
    if (!hasRoom) this.#under.pause();
  }

  /** What follows the head of the 101; null where there is nothing of it yet. */
  #passHead(chunk: Buffer): Buffer | null {
    if (!Buffer.isBuffer(this.#head)) {
      if (!this.push(chunk)) this.#under.pause();
      return null;
    }
    const head = Buffer.concat([this.#head, chunk]);
    const end = head.indexOf(HEAD_END);
    if (end < 0) {
      this.#head = head.length > HEAD_BYTES_MAX ? this.#giveUp(head) : head;
      return null;
    }
    const after = head.subarray(end + HEAD_END.length);
    const line = head.subarray(0, end).toString("latin1");
    if (!INTERIM.test(line)) {
      this.#head = this.#giveUp(head);
      return null;
    }
    this.push(head.subarray(0, end + HEAD_END.length));
    this.#head = line.startsWith(SWITCHING) ? null : Buffer.alloc(0);
    if (this.#head === null) return after;
    return after.length === 0 ? null : this.#passHead(after);
  }

  #giveUp(head: Buffer): "rest" {
    this.push(head);
    return "rest";
  }
}
