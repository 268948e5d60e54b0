/** Events are sent again: new deliveries of the same events, the same event ids. Implements docs/spec/engine.md R-HOOK-14. */
import type { Actor } from "../admitted-actor.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import type { DeliveryFilter } from "../../ports/reader.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { describe, hidden, ledgerTime } from "../entry-writer.ts";
import { ledgerActor, ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";
import { textOf } from "./mail-facts.ts";
import { webhookEffect } from "./webhook-effect.ts";

export type RedeliveryFilter = Required<Pick<DeliveryFilter, "since" | "until">> &
  Pick<DeliveryFilter, "requestId" | "status" | "eventType">;

const AT_ONCE = 1_000;

/** How many are on their way. */
export async function redeliver(
  app: Application,
  actor: Actor,
  filter: RedeliveryFilter,
): Promise<{ readonly queued: number } | Refusal> {
  const page = await app.reader.deliveries({ ...filter, limit: AT_ONCE });
  if (page.next !== null) {
    const message = `There are more than ${String(AT_ONCE)}: choose a shorter range`;
    return refuse("invalid_input", message, [{ path: ["body", "until"], message }]);
  }
  // An event that was sent again before is sent once.
  const events = new Map(page.items.map(({ effect }) => [`${effect.requestId ?? ""}:${eventOf(effect).id}`, effect]));
  return app.store.submit<{ readonly queued: number }>({
    name: "redeliver",
    needs: {},
    carryOut(world) {
      if (events.size === 0) return { answer: { queued: 0 }, changes: NO_CHANGE };
      const again = `:${world.newId<"event">()}`;
      const effect = [...events.values()].flatMap((old) => {
        const { orgId, requestId, payload } = old;
        const plan = { orgId, callback: { url: textOf(payload, ["url"]) ?? "" }, event: eventOf(old), again };
        return requestId === null ? [] : [webhookEffect({ ...plan, requestId }, { newId: world.newId, at: world.now })];
      });
      const range = { since: ledgerTime(filter.since), until: ledgerTime(filter.until), queued: effect.length };
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "webhook.changed", resource: null, request: null },
          ...{ actor: ledgerActor(actor, app.sha256), credential: actor.credential },
          data: { key: "delivery.redeliver", old: null, new: hidden(range) },
        },
        app,
      );
      const content = {
        ...{ action: "delivery.redeliver", resourceType: "delivery", resourceId: again.slice(1) },
        ...{ summary: `${String(effect.length)} events are sent again`, before: null, after: range, metadata: {} },
      };
      const audit = [auditRecord(actor, { entry: 0, world }, content)];
      return { answer: { queued: effect.length }, changes: { entries: [entry], audit, records: { effect } } };
    },
  });
}

function eventOf({ payload, position }: EffectRecord): { id: string; sequence: number; type: string } {
  return { id: textOf(payload, ["event"]) ?? "", sequence: position, type: textOf(payload, ["type"]) ?? "" };
}
