/**
 * Sends one event to the address of its request, always signed. Implements docs/spec/engine.md R-HOOK-6 to R-HOOK-8; the body is
 * made from the stored event, so that every attempt sends the same.
 */
import type { JsonObject } from "../../core/json.ts";
import type { EffectError, EffectHandler, EffectOutcome, EffectRecord } from "../../ports/effects.ts";
import type { Viewer } from "../../ports/reader.ts";
import type { WebhookAnswer, WebhookSender } from "../../ports/webhook-sender.ts";
import { SecretUnreadable } from "../../ports/sealing.ts";
import type { Application } from "../application.ts";
import { textOf } from "./mail-facts.ts";
import { webhookBody, type SentEvent } from "./webhook-events.ts";
import {
  DEFAULT_SECRET,
  keepDefaultSecret,
  listSecrets,
  secretFor,
  secretsAt,
  type SigningSecrets,
} from "./webhook-secret.ts";

export interface SendWebhookParts {
  readonly app: Application;
  readonly sender: WebhookSender;
  readonly includeData: boolean;
}

const GONE = 410;
const RETRY_AFTER_MAX_MS = 3_600_000;

/** The installation's own view: whoever gave the address reads the request. */
const ALL: Viewer = {
  ...{ personId: null, assignee: "", issuer: "", subject: "", clientId: null, machine: false, readsAll: true },
};

export function sendWebhook({ app, sender, includeData }: SendWebhookParts): EffectHandler {
  return async (effect, signal) => {
    const own = app.forOrganization(effect.orgId);
    const found = await eventOf(own, effect);
    if ("kind" in found) return found;
    const { event, url, signing, signedWith } = found;
    if (signing.current === null) return failed({ code: "secret_revoked", message: "signing secret revoked" });
    const call = { url, eventId: event.id, body: webhookBody(event, { includeData }), at: own.clock() };
    const answer = await sender.send({ ...call, secret: signing.current, previous: signing.previous }, signal);
    return outcomeOf(answer, { url, signed_with: signedWith });
  };
}

interface Found {
  readonly event: SentEvent;
  readonly url: string;
  readonly signing: SigningSecrets;
  readonly signedWith: string | null;
}

async function eventOf(app: Application, { requestId, payload }: EffectRecord): Promise<Found | EffectOutcome> {
  const url = textOf(payload, ["url"]);
  if (requestId === null || url === null) return failed(GONE_REQUEST);
  const sequence = typeof payload["sequence"] === "number" ? payload["sequence"] : 0;
  const [request, events] = await Promise.all([
    app.reader.request(requestId, ALL),
    app.reader.events(requestId, sequence - 1, ALL),
  ]);
  const event = events?.find(({ id }) => id === payload["event"]);
  const callback = request?.callback ?? null;
  if (request === undefined || callback === null || event === undefined) return failed(GONE_REQUEST);
  const secret = secretFor(await readySecrets(app), callback, request.creator);
  return signedFound(app, { event, url }, secret);
}

function signedFound(
  app: Application,
  sent: Pick<Found, "event" | "url">,
  secret: ReturnType<typeof secretFor>,
): Found | EffectOutcome {
  if (secret === undefined) return { ...sent, signing: UNSIGNED, signedWith: null };
  const signing = opened(app, secret);
  if ("code" in signing) return { kind: "retry", error: signing, afterMs: null };
  return { ...sent, signing, signedWith: secret.name };
}

/** An organization that was made since the start gets its default secret with the first call. */
async function readySecrets(app: Application): ReturnType<typeof listSecrets> {
  const known = await listSecrets(app);
  if (known.some(({ name }) => name === DEFAULT_SECRET)) return known;
  await keepDefaultSecret(app);
  return listSecrets(app);
}

const UNSIGNED: SigningSecrets = { current: null, previous: null };
const GONE_REQUEST = { code: "event_unknown", message: "There is no such event any more" } as const;

function opened(app: Application, secret: Parameters<typeof secretsAt>[1]): SigningSecrets | EffectError {
  try {
    return secretsAt(app, secret, app.clock());
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error;
    return { code: "secret_unreadable", message: "The signing secret cannot be opened: its sealing key is missing" };
  }
}

function outcomeOf(answer: WebhookAnswer, about: JsonObject): EffectOutcome {
  if ("code" in answer) {
    return { kind: "retry", error: { ...answer, detail: about }, afterMs: null };
  }
  const { status, snippet, retryAfterMs } = answer;
  const detail = { ...about, status_code: status, response_snippet: snippet };
  if (status >= 200 && status < 300) return { kind: "done", result: detail };
  const error = { code: `http_${String(status)}`, message: `The answer was ${String(status)}`, detail };
  if (status === GONE) return { kind: "failed", error };
  return { kind: "retry", error, afterMs: retryAfterMs === null ? null : Math.min(retryAfterMs, RETRY_AFTER_MAX_MS) };
}

function failed(error: EffectError): EffectOutcome {
  return { kind: "failed", error };
}
