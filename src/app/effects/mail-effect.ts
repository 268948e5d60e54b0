/**
 * A mail as it is decided: which message, to whom, about what, by their ids. Names, addresses and texts are looked up when it is
 * sent, so that the outbox holds nothing personal. Implements docs/spec/engine.md R-MAIL-1.
 */
import type { NewId, PersonId, RequestId, TaskId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import { newEffect } from "./new-effect.ts";

export type TaskMessage = "task_assigned" | "task_escalated" | "task_reassigned" | "task_expired" | "override";
export type RequestMessage =
  | "delegated_for_you"
  | "task_not_needed"
  | "request_approved"
  | "request_rejected"
  | "request_cancelled"
  | "request_expired"
  | "resolution_failed";
export type AccountMessage =
  | "factor_added"
  | "factor_removed"
  | "factor_renamed"
  | "factor_vouched"
  | "password_set"
  | "backup_codes_made"
  | "factor_throttled"
  | "factor_switched_off"
  | "counter_regressed"
  | "recovery_link_made"
  | "account_recovered";
export type MailName =
  | TaskMessage
  | RequestMessage
  | AccountMessage
  | "delegation_created"
  | "delegation_ended"
  | "effect_exhausted"
  | "rack_params_set"
  | "token_expiring";

/** Somebody known, whoever a request names as its requester, or an address of the configuration. */
export type MailRecipient =
  { readonly person: PersonId } | { readonly requesterOf: RequestId } | { readonly address: string };

export interface MailPlan {
  readonly orgId: string;
  readonly message: MailName;
  /** Of which this is the message: with the recipient it makes the Message-ID. */
  readonly eventId: string;
  readonly to: MailRecipient;
  readonly requestId?: RequestId;
  readonly taskId?: TaskId;
  readonly data?: JsonObject;
}

export function mailEffect(
  plan: MailPlan,
  { newId, at }: { readonly newId: NewId; readonly at: Instant },
): EffectRecord {
  const { orgId, message, eventId, to, requestId = null, taskId = null, data = {} } = plan;
  return newEffect({
    ...{ id: newId(), orgId, kind: "mail", requestId, at },
    // A lane of its own: no message waits for another.
    ...{ lane: `mail:${eventId}:${recipientKey(to)}`, position: 0 },
    payload: { message, event: eventId, to: { ...to }, task: taskId, data },
  });
}

/** One message per event and recipient (R-MAIL-1): the first one planned. */
export function mailEffects(
  plans: readonly MailPlan[],
  by: { readonly newId: NewId; readonly at: Instant },
): readonly EffectRecord[] {
  const planned = new Map<string, MailPlan>();
  for (const plan of plans) {
    const key = `${plan.eventId}:${recipientKey(plan.to)}`;
    if (!planned.has(key)) planned.set(key, plan);
  }
  return [...planned.values()].map((plan) => mailEffect(plan, by));
}

function recipientKey(to: MailRecipient): string {
  if ("person" in to) return to.person;
  return "requesterOf" in to ? `requester:${to.requesterOf}` : `address:${to.address}`;
}
