/** The body of one call, taken in no sooner than somebody reads it, recorded whether or not it comes to its end. */
import type { IncomingMessage } from "node:http";
import type { RecordedCall } from "./recorded-call.ts";

const SECOND = 1_000;

export interface RackBodyWays {
  readonly bytesPerSecond: number | null;
  /** Of a client that expects `100 Continue`: a rack says so when it first reads. */
  readonly beforeReading: (() => void) | null;
}

export class RackBody {
  readonly #request: IncomingMessage;
  readonly #call: RecordedCall;
  readonly #ways: RackBodyWays;
  #isRead = false;
  #hasEnded = false;
  #wasCut = false;
  #fail: ((error: Error) => void) | null = null;

  constructor(request: IncomingMessage, call: RecordedCall, ways: RackBodyWays) {
    this.#request = request;
    this.#call = call;
    this.#ways = ways;
  }

  /** Whether the client still waits to be told to send it. */
  get isAwaited(): boolean {
    return this.#ways.beforeReading !== null && !this.#isRead;
  }

  /** Whether more of it may come. */
  get isOpen(): boolean {
    return this.#isRead && !this.#hasEnded && !this.#wasCut;
  }

  /** Of what has arrived. */
  get sha256(): string {
    return this.#call.bodySha256;
  }

  get wasCut(): boolean {
    return this.#wasCut;
  }

  /** Resolves at its end, rejects when it was cut off. */
  read(sink: (chunk: Buffer) => void): Promise<void> {
    if (this.#isRead) return Promise.resolve();
    this.#isRead = true;
    this.#ways.beforeReading?.();
    const request = this.#request;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      request.on("data", (chunk: Buffer) => {
        this.#call.receive(chunk);
        sink(chunk);
        this.#rest(chunk.length);
      });
      request.on("end", () => {
        this.#call.complete = true;
        this.#hasEnded = true;
        resolve();
      });
      const cut = (): void => {
        this.cut();
      };
      request.on("error", cut);
      request.on("close", cut);
    });
  }

  async whole(bytesMax: number): Promise<Buffer | null> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    await this.read((chunk) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
    });
    return bytes <= bytesMax ? Buffer.concat(chunks) : null;
  }

  /** What is left of it goes nowhere, as after an early answer. */
  async drain(): Promise<void> {
    try {
      await this.read(() => undefined);
    } catch (error) {
      // Nobody waits for it: the record says that it did not come to its end.
      if (!(error instanceof Error)) throw error;
    }
  }

  /** The client will send no more of it. */
  cut(): void {
    if (this.#hasEnded) return;
    this.#wasCut = true;
    this.#fail?.(new Error("unexpected EOF"));
  }

  #rest(bytes: number): void {
    const { bytesPerSecond } = this.#ways;
    if (bytesPerSecond === null) return;
    this.#request.pause();
    setTimeout(() => this.#request.resume(), (bytes / bytesPerSecond) * SECOND);
  }
}
