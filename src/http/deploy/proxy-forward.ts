/**
 * Sends a call to its rack and brings the answer back, both streamed (docs/spec/deploy.md R-PROXY-5 to R-PROXY-10, R-PROXY-3 step 11).
 */
import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { HeaderPair } from "../../gates/deploy/rack-headers.ts";
import { RackFault } from "../../gates/deploy/rack-fault.ts";
import { quickCall, slowCall, type RackTimeouts } from "../../gates/deploy/rack-timeouts.ts";
import type { RackAnswer } from "../../ports/rack.ts";
import type { ProxyCall } from "./proxy-call.ts";
import type { ProxyExchange } from "./proxy-exchange.ts";

/** Of answers that the gate reads (R-PROXY-7). */
const ANSWER_BYTES_MAX = 16_777_216;
const BODILESS: ReadonlySet<number> = new Set([204, 304]);
const SLOW: ReadonlySet<string> = new Set([
  ...[
    "POST /apps/{app}/builds",
    "POST /apps/{app}/builds/import",
    "POST /apps/{app}/releases/{id}/promote",
    "PUT /system",
  ],
]);

export interface Forwarding {
  /** In place of what the client sent. */
  readonly headers?: readonly HeaderPair[];
  /** Null sends none; absent sends the client's. */
  readonly body?:
    { readonly stream: AsyncIterable<Uint8Array>; readonly length: number | null } | { readonly text: string } | null;
  /** Goes on without its client: its outcome must be known (R-PROXY-10). */
  readonly outlivesClient?: boolean;
  /** Gives the call up as well, for its reason. */
  readonly cut?: AbortSignal;
}

export function forward(
  call: ProxyCall,
  { headers, body, outlivesClient = false, cut }: Forwarding = {},
): Promise<RackAnswer> {
  const { exchange, rack, actor, match, query } = call;
  const sent = bodyOf(exchange, body);
  return rack.call({
    ...{ method: exchange.method, path: match.upstreamPath, query, actor, requestId: randomUUID() },
    ...{ headers: headers ?? call.headers.forwarded, ...sent, timeouts: timeoutsOf(call) },
    ...(outlivesClient ? {} : { signal: cut === undefined ? exchange.gone : AbortSignal.any([exchange.gone, cut]) }),
  });
}

function bodyOf(
  exchange: ProxyExchange,
  body: Forwarding["body"],
): { readonly body: AsyncIterable<Uint8Array> | null; readonly contentLength: number | null } {
  if (body === null) return { body: null, contentLength: null };
  if (body !== undefined && "stream" in body) return { body: body.stream, contentLength: body.length };
  if (body !== undefined) {
    const bytes = Buffer.from(body.text, "latin1");
    return { body: once(bytes), contentLength: bytes.byteLength };
  }
  const isRead = exchange.method === "GET" || exchange.method === "HEAD";
  if (!exchange.hasBody) return { body: null, contentLength: isRead ? null : 0 };
  return { body: exchange.body(), contentLength: exchange.contentLength };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}

function timeoutsOf({ match: { route } }: ProxyCall): RackTimeouts {
  return SLOW.has(`${route.method} ${route.template}`) ? slowCall : quickCall;
}

/** The whole of an answer that the gate has to read. */
export async function answerText(answer: RackAnswer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.byteLength;
    if (size > ANSWER_BYTES_MAX) {
      answer.discard();
      throw new RackFault("rack_answer_too_large", true, "the answer is larger than 16 MiB");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export interface Sending {
  /** In place of the rack's. */
  readonly body?: Buffer;
  readonly headers?: readonly HeaderPair[];
}

/** Rejects when the rack's answer breaks off: the client sees that as well. */
export async function sendAnswer(exchange: ProxyExchange, answer: RackAnswer, sending: Sending = {}): Promise<void> {
  const { response } = exchange;
  const { body, headers = [] } = sending;
  if (response.destroyed) {
    answer.discard();
    return;
  }
  // The rack's own length is that of another body, where the gate has changed it.
  const own =
    body === undefined ? answer.headers : answer.headers.filter(([name]) => name.toLowerCase() !== "content-length");
  const length: readonly HeaderPair[] = body === undefined ? [] : [["Content-Length", String(body.byteLength)]];
  const all = [...own, ...SAFE, ...length, ["X-Request-Id", exchange.id] as const, ...headers];
  response.writeHead(answer.status, answer.statusText, all.flat());
  if (exchange.method === "HEAD" || BODILESS.has(answer.status)) {
    answer.discard();
    response.end();
  } else if (body !== undefined) {
    response.end(body);
  } else await passOn(answer.body, response);
}

/** As fast as the client takes it; a rack's answer that breaks off breaks the client's off. */
async function passOn(body: AsyncIterable<Uint8Array>, response: ServerResponse): Promise<void> {
  if (!(body instanceof Readable)) {
    await pipeline(body, response);
    return;
  }
  // `pipeline` makes an exception per call, to abort what has ended: a third of the time that a small answer takes.
  await new Promise<void>((resolve, reject) => {
    body.once("error", (error) => {
      response.destroy();
      reject(error);
    });
    response.once("close", () => {
      body.destroy();
      resolve();
    });
    body.pipe(response);
  });
}

/** What a rack answers is nobody's page here. */
const SAFE: readonly HeaderPair[] = [
  ["X-Content-Type-Options", "nosniff"],
  ["Content-Security-Policy", "default-src 'none'; sandbox"],
  ["Cache-Control", "no-store"],
];
