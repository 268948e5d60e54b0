/**
 * A WebSocket client that repairs nothing and checks nothing: it shows the answer to its handshake, every frame as it came, and
 * how the connection ended.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawFrame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

const WAIT_MS = 10_000;

export class RawWebSocket {
  /** Status line and headers, as they came. */
  head = "";
  /** What followed the head of an answer that was no 101. */
  rest = Buffer.alloc(0);
  readonly frames: RawFrame[] = [];
  /** How TCP ended; null while it is open. */
  end: "closed" | "reset" | null = null;
  readonly #socket: Socket;
  readonly #watchers = new Set<() => void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.rest = Buffer.concat([this.rest, chunk]);
      this.#read();
    });
    socket.on("error", () => (this.end = "reset"));
    socket.on("close", () => {
      this.end ??= "closed";
      this.#wake();
    });
  }

  static async open(base: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<RawWebSocket> {
    const { hostname, port, host } = new URL(base);
    const socket = connect({ host: hostname, port: Number(port) });
    const made = new RawWebSocket(socket);
    const handshake = {
      ...{ Host: host, Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13" },
      ...{ "Sec-WebSocket-Key": randomBytes(16).toString("base64"), ...headers },
    };
    const lines = Object.entries(handshake).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
    await made.until(() => made.head !== "" || made.end !== null);
    return made;
  }

  get status(): number {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(this.head)?.[1] ?? 0);
  }

  /** The payloads of the text messages, joined; their parts may come in frames of their own. */
  get text(): Buffer {
    let isText = false;
    const payloads = this.frames.filter(({ opcode }) => {
      if (opcode === TEXT || opcode === BINARY) isText = opcode === TEXT;
      return isText && opcode < CLOSE;
    });
    return Buffer.concat(payloads.map(({ payload }) => payload));
  }

  send(opcode: number, payload: Buffer | string = ""): void {
    const data = Buffer.from(payload);
    const mask = randomBytes(4);
    const length =
      data.length < 126 ? [0x80 | data.length] : [0x80 | 126, (data.length >> 8) & 0xff, data.length & 0xff];
    const masked = data.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...length]), mask, masked]));
  }

  /** The head of a frame of this length, and as much of it as is given; its mask changes nothing. */
  begin(opcode: number, payload: Buffer, length: number): void {
    const head = Buffer.alloc(14);
    head.writeUInt8(0x80 | opcode);
    head.writeUInt8(0x80 | 127, 1);
    head.writeBigUInt64BE(BigInt(length), 2);
    this.#socket.write(Buffer.concat([head, payload]));
  }

  /** Stops reading, so that whoever writes is held up. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Rejects with what there is when it takes too long. */
  async until(holds: () => boolean): Promise<void> {
    const limit = AbortSignal.timeout(WAIT_MS);
    while (!holds()) {
      await new Promise<void>((resolve, reject) => {
        this.#watchers.add(resolve);
        limit.onabort = () => {
          reject(new Error(`not in time: ${this.head} ${JSON.stringify(this.frames)}`));
        };
      });
    }
  }

  async untilEnd(): Promise<void> {
    await this.until(() => this.end !== null);
  }

  async close(): Promise<void> {
    if (this.end !== null) return;
    const closed = once(this.#socket, "close");
    this.#socket.destroy();
    await closed;
  }

  #read(): void {
    const end = this.rest.indexOf("\r\n\r\n");
    if (this.head === "" && end >= 0) {
      this.head = this.rest.subarray(0, end).toString("latin1");
      this.rest = this.rest.subarray(end + 4);
    }
    while (this.status === 101) {
      const frame = frameIn(this.rest);
      if (frame === null) break;
      this.frames.push(frame.frame);
      this.rest = this.rest.subarray(frame.length);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }
}

/** A server's frames are not masked. */
function frameIn(bytes: Buffer): { readonly frame: RawFrame; readonly length: number } | null {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return null;
  const extra = { 126: 2, 127: 8 }[second] ?? 0;
  const head = 2 + extra;
  if (bytes.length < head) return null;
  const size = extra === 0 ? second : Number(extra === 2 ? bytes.readUInt16BE(2) : bytes.readBigUInt64BE(2));
  if (bytes.length < head + size) return null;
  const payload = Buffer.from(bytes.subarray(head, head + size));
  return { frame: { fin: (first & 0x80) !== 0, opcode: first & 0x0f, payload }, length: head + size };
}
