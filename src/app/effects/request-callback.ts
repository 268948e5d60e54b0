/** May a request have its events sent there, signed with that secret? Implements docs/spec/engine.md R-HOOK-18, R-HOOK-20, R-API-20. */
import type { Actor } from "../admitted-actor.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { RequestCallback } from "../../core/request.ts";
import type { World } from "../../ports/command-store.ts";
import { recordsBy, type RecordQuery } from "../../ports/records.ts";
import type { WebhookSecretRecord } from "../../ports/webhook-records.ts";
import type { Application } from "../application.ts";
import { isEventChoice } from "./webhook-events.ts";

/** What `callbackRefusal` looks at. */
export function callbackNeeds(
  { orgId }: Pick<Application, "orgId">,
  callback: RequestCallback | null,
): readonly RecordQuery[] {
  return callback?.secretId == null ? [] : [recordsBy("webhookSecret", "orgId", [orgId])];
}

export function callbackRefusal(
  { orgId, settings }: Pick<Application, "orgId" | "settings">,
  world: World,
  { actor, callback }: { readonly actor: Actor; readonly callback: RequestCallback | null },
): Refusal | null {
  if (callback === null) return null;
  const { webhooks } = settings;
  if (webhooks === undefined) return faulty("callback_url", "callback_url is not available here");
  const fault = webhooks.urlFault(callback.url);
  if (fault !== null) return faulty("callback_url", `callback_url is not allowed: ${fault}`);
  const strange = callback.events.find((type) => !isEventChoice(type));
  if (strange !== undefined) return faulty("callback_events", "callback_events names an event that there is not");
  if (callback.secretId === null) return null;
  const named = world.records("webhookSecret", "orgId", orgId).find(({ name }) => name === callback.secretId);
  if (named === undefined) return faulty("callback_secret_id", "callback_secret_id is unknown");
  if (mayName(named, actor) && maySignFor(named, callback.url)) return null;
  return faulty("callback_secret_id", "callback_secret_id is not available to you");
}

function mayName({ allowedCallers }: WebhookSecretRecord, { subject, clientId }: Actor): boolean {
  if (allowedCallers === null) return true;
  return allowedCallers.includes(subject) || (clientId !== null && allowedCallers.includes(clientId));
}

/** A prefix ends where a part of the address ends: `https://a.example` is no prefix of `https://a.example.net`. */
function maySignFor({ allowedUrls }: WebhookSecretRecord, url: string): boolean {
  if (allowedUrls === null) return true;
  const asked = new URL(url).href;
  return allowedUrls.some((prefix) => {
    if (!URL.canParse(prefix)) return false;
    const allowed = new URL(prefix).href;
    return asked.startsWith(allowed) && (allowed.endsWith("/") || /^(?:[/?]|$)/.test(asked.slice(allowed.length)));
  });
}

function faulty(field: string, message: string): Refusal {
  return refuse("invalid_input", message, [{ path: ["body", field], message }]);
}
