/**
 * Every call to an address that somebody configured goes through here: the name is resolved once, every address it leads to is
 * checked, and the connection goes to a checked one. No redirects, no proxy, bounds on time and size.
 * Implements docs/spec/engine.md R-HOOK-20 and R-HOOK-21 for each outbound client.
 */
import { lookup as lookUp } from "node:dns/promises";
import { request as requestPlain, type ClientRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestSecure } from "node:https";
import { isIP, isIPv6, type LookupFunction } from "node:net";
import { hostOf, isReachable, outboundUrlFault, type OutboundSettings } from "./outbound-url.ts";

export interface GuardedFetchSettings extends OutboundSettings {
  readonly timeoutMs?: number;
  readonly bytesMax?: number;
  /** An answer that is larger, or breaks off, or comes too slowly is taken as far as it was read, instead of refused. */
  readonly cutAnswers?: boolean;
  /** Every address of a name; asked once per call. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** False accepts any certificate: for a provider of one's own whose certificate cannot be known. */
  readonly verifyCertificates?: boolean;
}

/** The part of the standard `fetch` that our clients use. */
export interface OutboundInit {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | null;
  readonly signal?: AbortSignal;
}

export type GuardedFetch = (url: string, init?: OutboundInit) => Promise<Response>;

/** The call was not made, or was given up: not allowed, too large, redirected. */
class OutboundRefused extends Error {
  override readonly name = "OutboundRefused";
}

const TIMEOUT_MS = 5_000;
const BYTES_MAX = 1024 * 1024;

export function createGuardedFetch(settings: GuardedFetchSettings): GuardedFetch {
  return async (text, init = {}) => {
    const fault = outboundUrlFault(text, settings);
    if (fault !== null) throw new OutboundRefused(`the address is not allowed: ${fault}`);
    const url = new URL(text);
    const ends = new AbortController();
    // The timer holds the signal: of a combined one, a time-out that nobody holds may be collected before its time.
    const timer = setTimeout(() => {
      ends.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    }, settings.timeoutMs ?? TIMEOUT_MS);
    const signal = init.signal === undefined ? ends.signal : AbortSignal.any([ends.signal, init.signal]);
    try {
      const address = await until(checkedAddress(hostOf(url), settings), signal);
      return await exchange(url, address, { init, signal, settings });
    } finally {
      clearTimeout(timer);
    }
  };
}

/** One name that leads to several places is refused when one of them is not allowed: which one answers is chance. */
async function checkedAddress(host: string, settings: GuardedFetchSettings): Promise<string> {
  const addresses = isIP(host) === 0 ? await (settings.resolve ?? resolveAll)(host) : [host];
  const [first] = addresses;
  if (first === undefined) throw new OutboundRefused("the name leads nowhere");
  if (!addresses.every((address) => isReachable(host, address, settings))) {
    throw new OutboundRefused("address not allowed");
  }
  return first;
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookUp(host, { all: true })).map(({ address }) => address);
}

interface Sending {
  readonly init: OutboundInit;
  readonly signal: AbortSignal;
  readonly settings: GuardedFetchSettings;
}

function exchange(url: URL, address: string, { init, signal, settings }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const call = send(url, {
      method: init.method ?? "GET",
      headers: { "accept-encoding": "identity", ...init.headers },
      agent: false,
      lookup: always(address),
      signal,
    });
    call.on("error", reject);
    call.on("response", (answer) => {
      // From here on the answer says how it went.
      call.off("error", reject).on("error", () => undefined);
      readWhole(answer, call, { ...settings, signal }).then(resolve, reject);
    });
    if (init.body === undefined || init.body === null) call.end();
    else call.end(init.body);
  });

  function send(to: URL, options: RequestOptions): ClientRequest {
    if (to.protocol === "http:") return requestPlain(to, options);
    return requestSecure(to, { ...options, rejectUnauthorized: settings.verifyCertificates ?? true });
  }
}

/** No second look-up: a name that answers differently the next time changes nothing. */
function always(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4;
  return (_host, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
}

function readWhole(
  answer: IncomingMessage,
  call: ClientRequest,
  { bytesMax = BYTES_MAX, cutAnswers = false, signal }: GuardedFetchSettings & Pick<Sending, "signal">,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const status = answer.statusCode ?? 0;
    const giveUp = (why: string): void => {
      const refused = new OutboundRefused(why);
      reject(refused);
      call.destroy(refused);
    };
    if (status < 200 || (status >= 300 && status < 400)) {
      giveUp(`the answer was ${String(status)}, and redirects are not followed`);
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (): void => {
      const isBodiless = status === 204 || status === 205;
      resolve(new Response(isBodiless ? null : Buffer.concat(chunks), { status, headers: headersOf(answer) }));
    };
    const cut = (): void => {
      settle();
      call.destroy();
    };
    answer.on("error", cutAnswers ? cut : reject);
    // The status came in time; how much of the body comes until the end of it is no matter.
    if (cutAnswers) signal.addEventListener("abort", cut);
    answer.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytesMax && cutAnswers) cut();
      else if (size > bytesMax) giveUp(`the answer is larger than ${String(bytesMax)} bytes`);
      else chunks.push(chunk);
    });
    answer.on("end", settle);
  });
}

function headersOf(answer: IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

/** A look-up cannot be called off, but nobody needs to wait for it. */
function until<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      reject(new OutboundRefused("it took too long"));
    };
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener("abort", stop);
    });
  });
}
