/** What reached the simulator, as it came: every call, whether it was answered, refused or cut off (deploy R-RACKSIM-1). */
import { createHash, type Hash } from "node:crypto";
import type { IncomingMessage } from "node:http";

export interface RackCall {
  readonly method: string;
  /** Undecoded, without the query. */
  readonly path: string;
  readonly rawUrl: string;
  /** Names in lower case; what came more than once is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name, value, name, value: as they came. */
  readonly rawHeaders: readonly string[];
  readonly isSocket: boolean;
  readonly isTls: boolean;
  /** Whom the rack believes to act; null until the password was right. */
  readonly actor: string | null;
  /** The first MiB. Of a socket: what the client sent as text. */
  readonly body: Buffer;
  readonly bodyBytes: number;
  readonly bodySha256: string;
  /** Whether the body arrived to its end; of a socket: whether the client ended its input. */
  readonly complete: boolean;
  /** What was answered; 101 of a socket; null when nothing was. */
  readonly status: number | null;
  /** Pings that a socket's client sent. */
  readonly pings: number;
  readonly at: Date;
}

const BODY_KEPT_MAX = 1_048_576;

export class RecordedCall implements RackCall {
  readonly method: string;
  readonly path: string;
  readonly rawUrl: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly isSocket: boolean;
  readonly isTls: boolean;
  readonly at: Date;
  actor: string | null = null;
  bodyBytes = 0;
  complete = false;
  status: number | null = null;
  pings = 0;
  /** Made for the first byte: most calls have none. */
  #hash: Hash | null = null;
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;

  constructor(
    request: IncomingMessage,
    seen: { readonly isSocket: boolean; readonly isTls: boolean; readonly at: Date },
  ) {
    this.rawUrl = request.url ?? "";
    const question = this.rawUrl.indexOf("?");
    this.path = question < 0 ? this.rawUrl : this.rawUrl.slice(0, question);
    this.query = question < 0 ? "" : this.rawUrl.slice(question + 1);
    this.method = request.method ?? "";
    this.rawHeaders = [...request.rawHeaders];
    this.headers = joined(this.rawHeaders);
    this.isSocket = seen.isSocket;
    this.isTls = seen.isTls;
    this.at = seen.at;
  }

  get body(): Buffer {
    return Buffer.concat(this.#kept);
  }

  get bodySha256(): string {
    return (this.#hash?.copy() ?? createHash("sha256")).digest("hex");
  }

  /** The first value of a header, null when it was not sent; what a Go program reads. */
  header(name: string): string | null {
    const wanted = name.toLowerCase();
    const { rawHeaders } = this;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      if (rawHeaders[at]?.toLowerCase() === wanted) return rawHeaders[at + 1] ?? "";
    }
    return null;
  }

  receive(chunk: Buffer): void {
    this.bodyBytes += chunk.length;
    this.#hash ??= createHash("sha256");
    this.#hash.update(chunk);
    if (this.#keptBytes >= BODY_KEPT_MAX) return;
    const kept = Buffer.from(chunk.subarray(0, BODY_KEPT_MAX - this.#keptBytes));
    this.#keptBytes += kept.length;
    this.#kept.push(kept);
  }
}

function joined(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    const before = headers[name];
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}
