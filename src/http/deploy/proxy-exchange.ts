/**
 * One call to the rack proxy as it came: nothing decoded, nothing read of its body. Implements docs/spec/deploy.md R-PROXY-3 step 1,
 * R-PROXY-7 and R-PROXY-10 for whoever judges and forwards it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import { ProxyRefused, proxyRefusal, sendRefusal, type ProxyRefusal } from "./proxy-refusal.ts";

const TARGET_BYTES_MAX = 8_192;
const HEADERS_MAX = 100;
const BODILESS_BYTES_MAX = 65_536;
/** What a refused client still sends is read so long, so that it sees the answer. */
const DRAIN_MS = 5_000;

/** What the `upgrade` event brought besides the request. */
export interface Upgrade {
  readonly connection: Duplex;
  readonly head: Buffer;
}

/** The client hung up. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

export class ProxyExchange {
  readonly request: FastifyRequest;
  readonly raw: IncomingMessage;
  readonly response: ServerResponse;
  readonly upgrade: Upgrade | null;
  readonly method: string;
  /** After the mount's prefix, undecoded and without the query. */
  readonly path: string;
  readonly query: string;
  readonly pairs: readonly HeaderPair[];
  readonly isConsole: boolean;
  /** Null is the default rack. */
  readonly rackName: string | null;
  readonly acceptedAt: number;
  readonly since = performance.now();
  readonly #gone = new AbortController();
  #isBodyTaken = false;

  constructor(reply: FastifyReply, { upgrade, acceptedAt }: { upgrade: Upgrade | null; acceptedAt: number }) {
    const { request } = reply;
    const place = proxyPlace(request.originalUrl);
    if (place === null) throw new Error("a call to no place of the rack proxy (this is a bug)");
    this.request = request;
    this.raw = request.raw;
    this.response = reply.raw;
    this.upgrade = upgrade;
    this.method = request.method;
    this.acceptedAt = acceptedAt;
    ({ path: this.path, query: this.query, isConsole: this.isConsole, rackName: this.rackName } = place);
    this.pairs = pairsOf(request.raw.rawHeaders);
    reply.raw.once("close", () => {
      if (!this.response.writableFinished) this.#gone.abort(new ClientGone("the client is gone"));
    });
  }

  get isSocket(): boolean {
    return this.upgrade !== null;
  }

  get id(): string {
    return this.request.id;
  }

  /** Aborted when the client hangs up before its answer is complete. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get address(): string {
    return this.request.ip;
  }

  get userAgent(): string | null {
    return this.request.headers["user-agent"] ?? null;
  }

  /** Bytes of the body; null where it comes in chunks. */
  get contentLength(): number | null {
    const { "content-length": length, "transfer-encoding": encoding } = this.raw.headers;
    if (encoding !== undefined) return null;
    return length === undefined ? 0 : Number(length);
  }

  get hasBody(): boolean {
    return this.contentLength !== 0;
  }

  /** R-PROXY-3 step 1. */
  checkSize(): void {
    if (Buffer.byteLength(this.request.originalUrl) > TARGET_BYTES_MAX) {
      throw new ProxyRefused(proxyRefusal(414, "too_large", "the address is too long"));
    }
    if (this.pairs.length > HEADERS_MAX) {
      throw new ProxyRefused(proxyRefusal(431, "headers_too_large", "there are too many headers"));
    }
    const isBodiless = ["GET", "HEAD", "DELETE"].includes(this.method);
    if (isBodiless && (this.contentLength ?? 0) > BODILESS_BYTES_MAX) throw new ProxyRefused(bodyTooLarge());
  }

  /** Once, and only when everything else is in order: a client that waits for leave to send gets it here (R-PROXY-7). */
  body(): AsyncIterable<Uint8Array> {
    if (this.#isBodyTaken) throw new Error("a body is read once (this is a bug)");
    this.#isBodyTaken = true;
    if (expectsContinue(this.raw) && !this.response.headersSent) this.response.writeContinue();
    // Giving up the body must not cut the connection: the client still gets its answer.
    return this.raw.iterator({ destroyOnReturn: false });
  }

  /** The whole of a small body, one character per byte. */
  async text(bytesMax: number): Promise<string> {
    if (!this.hasBody) return "";
    if ((this.contentLength ?? 0) > bytesMax) throw new ProxyRefused(bodyTooLarge());
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.body()) {
      size += chunk.byteLength;
      if (size > bytesMax) throw new ProxyRefused(bodyTooLarge());
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("latin1");
  }

  /** The connection is a WebSocket's from now on: nothing is answered any more. */
  release(): void {
    const { socket } = this.response;
    if (socket !== null) this.response.detachSocket(socket);
  }

  refuse(refusal: ProxyRefusal): void {
    const { response, raw } = this;
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    // What was not read of a body would be taken for the next call.
    const isUnread = this.isSocket || (this.hasBody && !raw.complete);
    const accept = raw.headers.accept ?? null;
    sendRefusal(refusal, { response, requestId: this.id, accept, close: isUnread });
    if (isUnread) this.#drain();
  }

  #drain(): void {
    const { raw, upgrade } = this;
    if (upgrade !== null) return;
    raw.resume();
    const timer = setTimeout(() => raw.destroy(), DRAIN_MS);
    raw.once("close", () => {
      clearTimeout(timer);
    });
  }
}

function bodyTooLarge(): ProxyRefusal {
  return proxyRefusal(413, "too_large", "the body is too large");
}

function expectsContinue({ headers }: IncomingMessage): boolean {
  return headers.expect?.toLowerCase() === "100-continue";
}

export interface ProxyPlace {
  readonly isConsole: boolean;
  readonly rackName: string | null;
  readonly path: string;
  readonly query: string;
  /** What the router gets in place of the path: it decodes nothing of what follows the mount (R-ROUTE-2). */
  readonly mount: string;
}

/** Whatever stands for the rack: a name that none has is no rack's. */
const PLACE = /^((?:\/racks\/([^/?]+))?\/api\/v1\/(rack-proxy|convox))(\/[^?]*)?(?:\?(.*))?$/s;

/** Null for an address outside of the proxy. */
export function proxyPlace(url: string): ProxyPlace | null {
  const [, mount = "", rackName, entry, path = "", query = ""] = PLACE.exec(url) ?? [];
  if (entry === undefined || path === "") return null;
  return { isConsole: entry === "convox", rackName: rackName ?? null, path, query, mount };
}

function pairsOf(raw: readonly string[]): readonly HeaderPair[] {
  return Array.from({ length: raw.length / 2 }, (_, at) => [raw[2 * at] ?? "", raw[2 * at + 1] ?? ""] as const);
}
