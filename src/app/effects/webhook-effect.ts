/** A call of a request's address as it is decided: which event, and where to; the body is made when it is sent. */
import type { NewId, RequestId } from "../../core/ids.ts";
import type { Instant } from "../../core/person.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import { newEffect } from "./new-effect.ts";

export interface WebhookPlan {
  readonly orgId: string;
  readonly requestId: RequestId;
  readonly callback: { readonly url: string };
  readonly event: { readonly id: string; readonly sequence: number; readonly type: string };
  /** Tells calls that are made again apart from the first ones. */
  readonly again?: string;
}

export function webhookEffect(
  { orgId, requestId, callback: { url }, event: { id: event, sequence, type }, again = "" }: WebhookPlan,
  { newId, at }: { readonly newId: NewId; readonly at: Instant },
): EffectRecord {
  return newEffect({
    ...{ id: newId(), orgId, kind: "webhook", requestId, at },
    // A request has one address: what goes there goes in the order of the events (R-HOOK-9).
    ...{ lane: `webhook:${requestId}${again}`, position: sequence },
    payload: { event, sequence, type, url, host: hostOf(url) },
  });
}

/** Of an address that was checked before. */
function hostOf(url: string): string {
  return /^[a-z]+:\/\/([^/?#]+)/i.exec(url)?.[1]?.toLowerCase() ?? "";
}
