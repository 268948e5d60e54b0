/** Posts signed events through the guarded fetch; every failure is a value. Implements docs/spec/engine.md R-HOOK-2 and R-HOOK-7. */
import { createHash } from "node:crypto";
import type { WebhookAnswer, WebhookSender } from "../../ports/webhook-sender.ts";
import { approvalHeaders, standardHeaders, type SigningKey } from "./sign-webhook.ts";

/** The guarded fetch: it checks where the address leads, follows nothing, and bounds what is read. */
export type WebhookFetch = (
  url: string,
  init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

export interface WebhookSenderOptions {
  /** Bounded in time and in bytes that are read. */
  readonly fetch: WebhookFetch;
  readonly userAgent: string;
  /** Null: no standard headers. */
  readonly standardKey: SigningKey | null;
}

const SNIPPET_MAX = 200;

export function createWebhookSender({ fetch, userAgent, standardKey }: WebhookSenderOptions): WebhookSender {
  return {
    keys: standardKey === null ? [] : [{ id: keyId(standardKey), publicKey: standardKey.publicKey }],
    async send({ url, eventId, body, at, secret, previous }, signal) {
      const signing = { eventId, timestamp: Math.floor(at / 1_000), body, secret, previous };
      const headers = {
        ...{ "Content-Type": "application/json", "User-Agent": userAgent },
        ...approvalHeaders(signing),
        ...(standardKey === null ? {} : standardHeaders(signing, standardKey)),
      };
      try {
        const answer = await fetch(url, { method: "POST", headers, body, signal });
        return { status: answer.status, snippet: await snippetOf(answer), retryAfterMs: retryAfter(answer, at) };
      } catch (error) {
        return faultOf(error, signal);
      }
    },
  };
}

function keyId({ publicKey }: SigningKey): string {
  return createHash("sha256").update(publicKey).digest("hex").slice(0, 16);
}

async function snippetOf(answer: Response): Promise<string> {
  const text = await answer.text();
  return Array.from(text.replaceAll(/[\p{Cc}\p{Cs}]+/gu, " "))
    .slice(0, SNIPPET_MAX)
    .join("");
}

/** Seconds or a date; only where it means something. */
function retryAfter({ status, headers }: Response, now: number): number | null {
  const given = headers.get("retry-after");
  if (given === null || (status !== 429 && status !== 503)) return null;
  if (/^\d{1,9}$/.test(given)) return Number(given) * 1_000;
  const at = Date.parse(given);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** Codes and sentences of ours: what libraries say may name addresses inside. */
function faultOf(error: unknown, signal: AbortSignal): WebhookAnswer {
  if (signal.aborted || isNamed(error, "TimeoutError") || isNamed(error, "AbortError")) {
    return { code: "timeout", message: "no answer in time" };
  }
  if (error instanceof Error && error.name === "OutboundRefused") return refusedFault(error.message);
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : null;
  return { code: "unreachable", message: `the connection failed${code === null ? "" : ` (${code})`}` };
}

/** Why the call was not made, or was given up. */
function refusedFault(message: string): WebhookAnswer {
  const [, status] = /^the answer was (\d{3})/.exec(message) ?? [];
  if (status !== undefined) return { code: `http_${status}`, message };
  if (message === "it took too long") return { code: "timeout", message: "no answer in time" };
  return { code: message.includes("not allowed") ? "address_not_allowed" : "unreachable", message };
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
