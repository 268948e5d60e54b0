/** What was sent to callers' addresses, and sending it again (docs/spec/engine.md R-HOOK-12 to R-HOOK-14). */
import { z } from "zod";
import { redeliver } from "../../app/effects/redeliver.ts";
import { retryEffect } from "../../app/effects/retry-effect.ts";
import {
  deliveriesQuerySchema,
  deliveryAttemptOutSchema,
  deliveryOutSchema,
  redeliverSchema,
  redeliveredSchema,
} from "../../contract/deliveries.ts";
import { isId } from "../../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { listed, ok } from "../answers.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { attemptOut, deliveryOut } from "../wire/delivery-out.ts";

const tag = "administration";

export function deliveryRoutes(): readonly Endpoint[] {
  return [listing(), attempts(), retrying(), redelivering()];
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/admin/deliveries",
    summary: "Events sent to callers' addresses, newest first",
    tag,
    query: deliveriesQuerySchema,
    answers: { 200: z.array(deliveryOutSchema) },
    async handle(exchange) {
      const { query, caller } = exchange;
      const { request_id: requestId, event_type: eventType, status, url, since, until, limit, cursor } = query;
      const filter = definedMembers({ requestId, eventType, status, url, since, until, limit, cursor });
      const page = await caller.app.reader.deliveries(filter);
      return listed(page.items.map(deliveryOut), page.next, exchange);
    },
  });
}

function attempts(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/admin/deliveries/:id/attempts",
    summary: "Every attempt of a delivery, oldest first",
    tag,
    answers: { 200: z.array(deliveryAttemptOutSchema) },
    async handle({ params, caller }) {
      const id = deliveryId(params);
      const found = id === null ? undefined : await caller.app.reader.deliveryAttempts(id);
      return found === undefined ? notFound() : ok(found.map(attemptOut));
    },
  });
}

function retrying(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/admin/deliveries/:id/retry",
    summary: "Start a delivery again from its first attempt",
    tag,
    answers: { 200: deliveryOutSchema },
    async handle({ params, caller }) {
      const id = deliveryId(params);
      if (id === null) return notFound();
      const retried = await retryEffect(caller.app, caller.actor, { id, kinds: ["webhook"] });
      if (isRefusal(retried)) return retried;
      const [delivery] = (await caller.app.reader.deliveries({ id, limit: 1 })).items;
      return delivery === undefined ? notFound() : ok(deliveryOut({ ...delivery, effect: retried }));
    },
  });
}

function redelivering(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/admin/deliveries/redeliver",
    summary: "Send events of a time again",
    tag,
    body: redeliverSchema,
    answers: { 200: redeliveredSchema },
    async handle({ body, caller }) {
      const { since, until, request_id: requestId, status, event_type: eventType } = body;
      const narrower = {
        requestId: requestId ?? undefined,
        status: status ?? undefined,
        eventType: eventType ?? undefined,
      };
      const answer = await redeliver(caller.app, caller.actor, { since, until, ...definedMembers(narrower) });
      return isRefusal(answer) ? answer : ok(answer);
    },
  });
}

function deliveryId(params: Readonly<Record<string, string>>): string | null {
  const id = pathText(params, "id").toLowerCase();
  return isId(id) ? id : null;
}

function notFound(): Refusal {
  return refuse("delivery_not_found", "There is no such delivery");
}
