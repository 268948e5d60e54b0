/** A signed test event to an address, now; its result is the answer. Implements docs/spec/engine.md R-HOOK-17. */
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { WebhookSender } from "../../ports/webhook-sender.ts";
import type { Application } from "../application.ts";
import { webhookBody } from "./webhook-events.ts";
import { listSecrets, secretsAt } from "./webhook-secret.ts";

export interface TestedWebhook {
  readonly delivered: boolean;
  readonly event_id: string;
  readonly status_code: number | null;
  readonly error: string | null;
  readonly response_snippet: string | null;
  readonly duration_ms: number;
}

export async function testWebhook(
  app: Application,
  sender: WebhookSender,
  { name, url }: { readonly name: string; readonly url: string },
  signal: AbortSignal,
): Promise<TestedWebhook | Refusal> {
  const secret = (await listSecrets(app)).find((record) => record.name === name);
  if (secret === undefined) return refuse("webhook_secret_not_found", "There is no such secret");
  const fault = app.settings.webhooks?.urlFault(url) ?? null;
  if (fault !== null) {
    const message = `url is not allowed: ${fault}`;
    return refuse("invalid_input", message, [{ path: ["body", "url"], message }]);
  }
  const at = app.clock();
  const { current, previous } = secretsAt(app, secret, at);
  if (current === null) return refuse("wrong_state", "signing secret revoked");
  const eventId = app.newId<"event">();
  const event = { id: eventId, sequence: 0, type: "test", payload: {}, createdAt: at };
  const body = webhookBody(event, { includeData: false });
  const answer = await sender.send({ url, eventId, body, at, secret: current, previous }, signal);
  const duration = { event_id: eventId, duration_ms: Math.max(0, app.clock() - at) };
  if ("code" in answer) {
    return { ...duration, delivered: false, status_code: null, error: answer.message, response_snippet: null };
  }
  const { status, snippet } = answer;
  const delivered = status >= 200 && status < 300;
  const error = delivered ? null : `The answer was ${String(status)}`;
  return { ...duration, delivered, status_code: status, error, response_snippet: snippet };
}
