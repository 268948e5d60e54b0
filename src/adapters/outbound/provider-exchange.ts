/**
 * Makes one call out of a `fetch`: bounded in time and size, redirects not followed, JSON parsed, and every failure a value.
 * Implements docs/spec/deploy.md R-CI-8 for each client of a version control or CI service.
 */
import type {
  ProviderAnswer,
  ProviderCall,
  ProviderExchange,
  ProviderUnreachable,
} from "../../ports/provider-exchange.ts";

/** The standard `fetch`, or the guarded one where people set the address. */
export type ExchangeFetch = (url: string, init: ExchangeInit) => Promise<Response>;

export interface ExchangeInit {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
  readonly redirect: "manual";
}

export function createProviderExchange(fetch: ExchangeFetch): ProviderExchange {
  return async (call) => {
    const ends = AbortSignal.timeout(call.timeoutMs);
    const signal = call.signal === undefined ? ends : AbortSignal.any([ends, call.signal]);
    const { method, headers, body } = call;
    try {
      const answer = await fetch(call.url, { method, headers, body, signal, redirect: "manual" });
      return await readAnswer(answer, call);
    } catch (cause) {
      if (call.signal?.aborted === true) return unreachable("the time for this was over");
      if (ends.aborted) return unreachable(`no answer within ${String(call.timeoutMs / 1_000)} s`);
      return unreachable(reasonOf(cause));
    }
  };
}

async function readAnswer(answer: Response, { bytesMax }: ProviderCall): Promise<ProviderAnswer | ProviderUnreachable> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
    size += chunk.length;
    if (size > bytesMax) {
      return { unreachable: `the answer is larger than ${String(bytesMax)} bytes`, tooLarge: true };
    }
    chunks.push(chunk);
  }
  return {
    status: answer.status,
    header: (name) => answer.headers.get(name),
    body: parsed(Buffer.concat(chunks).toString("utf8")),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The code of the system, never the address: an address may hold what nobody else should read. */
function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (reason instanceof Error && "code" in reason && typeof reason.code === "string") {
    return `the connection failed (${reason.code})`;
  }
  return reason instanceof Error && reason.name === "OutboundRefused" ? reason.message : "the connection failed";
}

function unreachable(why: string): ProviderUnreachable {
  return { unreachable: why, tooLarge: false };
}
