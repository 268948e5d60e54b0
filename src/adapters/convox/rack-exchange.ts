/**
 * One request and its answer on one connection, both streamed, with its bounds in time. Implements docs/spec/deploy.md R-PROXY-6 to
 * R-PROXY-8; a body that throws breaks the connection before its end (R-BIND-4).
 */
import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { headersFromRack, type HeaderPair } from "../../gates/deploy/rack-headers.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import type { RackTimeouts } from "../../gates/deploy/rack-timeouts.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import type { PooledClient } from "./client-pool.ts";

export interface RackRequest {
  readonly method: string;
  readonly target: string;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: AsyncIterable<Uint8Array> | null;
  readonly timeouts: RackTimeouts;
  readonly signal: AbortSignal | undefined;
}

const BODY_AHEAD_BYTES = 65_536;
type Controller = Dispatcher.DispatchController;

export class RackExchange implements Dispatcher.DispatchHandler {
  /** Rejects with a `RackFault`, with what the body threw, or with the reason of the signal. */
  readonly answer: Promise<RackAnswer>;
  /** Whether the connection had carried calls before; known once the call was sent. */
  wasReused = false;
  wasSent = false;
  readonly #request: RackRequest;
  readonly #pooled: PooledClient;
  readonly #release: () => void;
  #resolve: (answer: RackAnswer) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #controller: Controller | null = null;
  #body: Readable | null = null;
  #timers: NodeJS.Timeout[] = [];
  /** Why the call is given up from our side. */
  #givenUp: { readonly why: unknown } | null = null;
  #isOver = false;

  constructor(pooled: PooledClient, request: RackRequest, release: () => void) {
    this.#pooled = pooled;
    this.#request = request;
    this.#release = release;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(): void {
    const { method, target, headers, body, timeouts, signal } = this.#request;
    if (signal?.aborted === true) {
      this.#over();
      this.#reject(signal.reason);
      return;
    }
    signal?.addEventListener("abort", this.#onAbort);
    this.#pooled.client.dispatch(
      {
        ...{ method, path: target, headers: [...headers], bodyTimeout: timeouts.answerIdleMs, headersTimeout: 0 },
        ...(body !== null && { body: Readable.from(this.#upload(body), { objectMode: false }) }),
      },
      this,
    );
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    if (this.#givenUp !== null) {
      controller.abort(errorOf(this.#givenUp.why));
      return;
    }
    this.wasSent = true;
    this.wasReused = this.#pooled.served > 0;
    this.#pooled.served += 1;
    if (this.#request.body === null) this.#awaitHeaders();
  }

  onResponseStart(controller: Controller, status: number, _headers: unknown, statusText = ""): void {
    if (status < 200) return;
    this.#stopTimers();
    const body = new Readable({
      highWaterMark: BODY_AHEAD_BYTES,
      read: () => {
        controller.resume();
      },
      destroy: (error, done) => {
        if (!this.#isOver) controller.abort(error ?? new Error("the answer is not wanted any more"));
        done(error);
      },
    });
    // A fault of a body that nobody reads is nobody's news.
    body.on("error", () => undefined);
    this.#body = body;
    const headers = headersFromRack(pairsOf(controller.rawHeaders), false);
    const discard = (): void => {
      body.destroy();
    };
    this.#resolve({ kind: "answer", status, statusText, headers, body, discard });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#over();
    this.#body?.push(null);
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#over();
    const why = this.#givenUp === null ? faultOf(error, this.wasSent) : this.#givenUp.why;
    if (this.#body === null) this.#reject(why);
    else this.#body.destroy(errorOf(why));
  }

  readonly #onAbort = (): void => {
    this.#giveUp(this.#request.signal?.reason);
  };

  #giveUp(why: unknown): void {
    if (this.#isOver || this.#givenUp !== null) return;
    this.#givenUp = { why };
    this.#stopTimers();
    this.#reject(why);
    this.#controller?.abort(errorOf(why));
  }

  #awaitHeaders(): void {
    if (this.#isOver || this.#body !== null) return;
    this.#timers.push(this.#expiry("no answer in time", this.#request.timeouts.headersMs));
  }

  #expiry(what: string, milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#giveUp(new RackFault("rack_timeout", this.wasSent, what));
    }, milliseconds);
  }

  /** Stalls are noticed on both sides: a client that sends nothing, and a rack that takes nothing. */
  async *#upload(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { uploadMs, uploadIdleMs } = this.#request.timeouts;
    const idle = this.#expiry("the upload stood still", uploadIdleMs);
    this.#timers.push(idle, this.#expiry("the upload took too long", uploadMs));
    try {
      for await (const chunk of source) {
        idle.refresh();
        yield chunk;
        idle.refresh();
      }
    } catch (error) {
      this.#giveUp(error);
      throw error;
    }
    this.#stopTimers();
    this.#awaitHeaders();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopTimers();
    this.#request.signal?.removeEventListener("abort", this.#onAbort);
    this.#release();
  }

  #stopTimers(): void {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
  }
}

const FAULT_CODES: ReadonlyMap<string, RackFault["code"]> = new Map([
  ["UND_ERR_BODY_TIMEOUT", "rack_timeout"],
  ["UND_ERR_HEADERS_TIMEOUT", "rack_timeout"],
  ["UND_ERR_HEADERS_OVERFLOW", "rack_answer_too_large"],
]);
/** The call could not be made as it was given: a fault of the caller. */
const INVALID_CALL = "UND_ERR_INVALID_ARG";

function faultOf(error: Error, wasSent: boolean): Error {
  if (error instanceof RackFault) return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === INVALID_CALL) return error;
  return new RackFault(FAULT_CODES.get(code) ?? "rack_unreachable", wasSent, error.message);
}

function errorOf(why: unknown): Error {
  return why instanceof Error ? why : new Error("given up", { cause: why });
}

function pairsOf(raw: Controller["rawHeaders"]): readonly HeaderPair[] {
  if (!Array.isArray(raw)) return [];
  const text = (bytes: Buffer | string | undefined): string =>
    typeof bytes === "string" ? bytes : (bytes?.toString("latin1") ?? "");
  return Array.from({ length: raw.length / 2 }, (_, at) => [text(raw[2 * at]), text(raw[2 * at + 1])] as const);
}
