/**
 * One WebSocket as a rack speaks it: every output is a text frame, whatever its bytes; the end of a stream is one empty binary
 * frame, in both directions; the rack then closes TCP without a close frame (deploy R-RACKSIM-1).
 */
import type { Socket } from "node:net";
import type { RawData, WebSocket } from "ws";
import type { CallTroubles } from "./rack-faults.ts";
import type { RecordedCall } from "./recorded-call.ts";

const SECOND = 1_000;
/** A client that does not hang up by itself after the rack did is cut off. */
const GOODBYE_MS = 1_000;

export class RackSocket {
  readonly #socket: WebSocket;
  readonly #tcp: Socket;
  readonly #call: RecordedCall;
  readonly #troubles: CallTroubles;
  readonly #gone = new AbortController();
  readonly #input: Buffer[] = [];
  #inputHasEnded = false;
  #wakeReader: (() => void) | null = null;
  #messages = 0;

  constructor(socket: WebSocket, tcp: Socket, call: RecordedCall, troubles: CallTroubles) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.#call = call;
    this.#troubles = troubles;
    socket.on("message", (data, isBinary) => {
      this.#receive(data, isBinary);
    });
    socket.on("ping", () => (call.pings += 1));
    socket.on("error", () => {
      tcp.destroy();
    });
    socket.on("close", () => {
      this.#gone.abort();
      this.#wakeReader?.();
    });
    this.#misbehave();
  }

  /** Aborted once the client is gone, or was cut off. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Resolves once the frame has left: a client that does not read holds up whoever writes. */
  async write(chunk: Buffer | string): Promise<void> {
    if (this.gone.aborted) return;
    await this.#send(chunk, false);
    this.#messages += 1;
    this.#misbehave();
    const slow = this.#troubles.of("slow_writer");
    if (slow !== null) await this.#rest((Buffer.byteLength(chunk) / slow.bytesPerSecond) * SECOND);
  }

  /** What the client types, until it ends its input or is gone. */
  async *input(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = this.#input.shift();
      if (chunk !== undefined) yield chunk;
      else if (this.#inputHasEnded || this.gone.aborted) return;
      else
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
    }
  }

  /** The end of the stream. */
  async finish(): Promise<void> {
    if (this.gone.aborted) return;
    await this.#send(Buffer.alloc(0), true);
    this.#tcp.end();
    setTimeout(() => this.#tcp.destroy(), GOODBYE_MS).unref();
  }

  #send(data: Buffer | string, binary: boolean): Promise<void> {
    return new Promise((resolve) => {
      // A frame that cannot be sent any more is lost, as it is on a real wire.
      this.#socket.send(data, { binary }, () => {
        resolve();
      });
    });
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (isBinary) {
      this.#inputHasEnded = true;
      this.#call.complete = true;
    } else {
      const chunk = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
      this.#call.receive(chunk);
      this.#input.push(chunk);
      const slow = this.#troubles.of("slow_reader");
      if (slow !== null) this.#pause((chunk.length / slow.bytesPerSecond) * SECOND);
    }
    this.#wakeReader?.();
  }

  #pause(milliseconds: number): void {
    this.#socket.pause();
    void this.#rest(milliseconds).then(() => {
      this.#socket.resume();
    });
  }

  #rest(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.gone.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #misbehave(): void {
    const drop = this.#troubles.of("drop");
    if (drop !== null && this.#messages >= drop.afterMessages) {
      this.#gone.abort();
      this.#tcp.destroy();
      return;
    }
    const close = this.#troubles.of("close");
    if (close !== null && this.#messages >= close.afterMessages) {
      this.#gone.abort();
      this.#socket.close(close.code, close.reason);
    }
  }
}
