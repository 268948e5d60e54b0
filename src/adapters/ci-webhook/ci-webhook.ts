/**
 * Jenkins and every other CI: a signed message (Standard Webhooks) to the address that the app's settings name. Implements the row
 * `webhook` of docs/spec/deploy.md R-CI-7; people set the address, so the exchange is one over the guarded fetch.
 */
import { createHmac } from "node:crypto";
import { ciLink } from "../../gates/deploy/ci-links.ts";
import type { DeployOutcome } from "../../gates/deploy/ci-outcome.ts";
import { ciProblems } from "../../gates/deploy/ci-problems.ts";
import { ciFault, done, permanent, type EffectResult } from "../../gates/deploy/effect-result.ts";
import { readCall } from "../../gates/deploy/provider-answer.ts";
import type { CiProvider, CiRequest } from "../../ports/ci-provider.ts";
import type { ProviderExchange } from "../../ports/provider-exchange.ts";

export interface CiWebhookWorld {
  /** Over the guarded fetch. */
  readonly exchange: ProviderExchange;
  readonly clock: () => number;
  /** `whsec_` and base64, as Standard Webhooks writes it; null when this app has none. */
  readonly secretOf: (scope: string, app: string) => string | null;
  /** 10 s; shorter in tests of what happens then. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Nothing of the answer is used. */
const BYTES_MAX = 64 * 1024;
const SECRET_PREFIX = "whsec_";
const SECRET_BYTES_MIN = 24;
const WORDS = { forbidden: "the receiver refused it", missing: "the receiver does not know this address" } as const;

export function createCiWebhook(world: CiWebhookWorld): CiProvider {
  return {
    describe(metadata, settings) {
      const problems = ciProblems({ metadata, settings, hasCredential: true });
      return { ready: problems.length === 0, problems, url: ciLink(metadata, settings) };
    },
    /** The receiver knows what waits; there is nothing to ask it. */
    async verify({ metadata, settings }) {
      const problems = ciProblems({ metadata, settings, hasCredential: true });
      return problems.length === 0 ? { kind: "matches", status: "waiting" } : { kind: "problems", problems };
    },
    unblock: (request) => post(world, request, "approved"),
    close: (request, outcome) => post(world, request, outcome),
  };
}

async function post(world: CiWebhookWorld, request: CiRequest, outcome: DeployOutcome): Promise<EffectResult> {
  const { scope, app, effectId, object, settings } = request;
  if (settings.webhookUrl === null) return permanent("ci_not_configured", "ci_webhook_url is not set for this app");
  const key = keyOf(world.secretOf(scope, app));
  if (key === null) return permanent("ci_not_configured", "the app has no secret to sign messages to its CI with");
  const ended = outcome === "approved" ? ((await request.lastLook?.()) ?? null) : null;
  if (ended !== null) return ended;
  const body = JSON.stringify({ type: `deploy.${outcome}`, data: object });
  const timestamp = String(Math.floor(world.clock() / 1_000));
  const signature = createHmac("sha256", key).update(`${effectId}.${timestamp}.${body}`).digest("base64");
  const answer = await world.exchange({
    method: "POST",
    url: settings.webhookUrl,
    headers: {
      "content-type": "application/json",
      "user-agent": "countersign",
      "webhook-id": effectId,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${signature}`,
    },
    body,
    timeoutMs: world.timeoutMs ?? TIMEOUT_MS,
    bytesMax: BYTES_MAX,
  });
  const read = readCall("the receiver", answer, (data) => ({ success: true, data }));
  return "failed" in read ? ciFault(read.failed, WORDS) : done();
}

function keyOf(secret: string | null): Buffer | null {
  if (secret?.startsWith(SECRET_PREFIX) !== true) return null;
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), "base64");
  return key.length < SECRET_BYTES_MIN ? null : key;
}
