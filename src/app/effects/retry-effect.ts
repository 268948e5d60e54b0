/** An administrator has a failed effect done again. Implements docs/spec/effects.md and docs/spec/engine.md R-HOOK-13. */
import type { Actor } from "../admitted-actor.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { EffectKind, EffectRecord } from "../../ports/effects.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { ledgerActor } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";
import { effectEntry } from "./effect-entry.ts";

/** Pending again, as if it had never been tried; what was tried before stays shown. */
export function retryEffect(
  app: Application,
  actor: Actor,
  { id, kinds }: { readonly id: string; readonly kinds: readonly EffectKind[] },
): Promise<EffectRecord | Refusal> {
  return app.store.submit<EffectRecord | Refusal>({
    name: "retry_effect",
    needs: { records: [recordsBy("effect", "id", [id])] },
    carryOut(world) {
      const [effect] = world.records("effect", "id", id);
      if (effect?.orgId !== app.orgId || !kinds.includes(effect.kind)) {
        return { answer: refuse("delivery_not_found", "There is no such delivery"), changes: NO_CHANGE };
      }
      if (effect.state === "done") {
        const message = "Delivery already succeeded — nothing to retry";
        return { answer: refuse("wrong_state", message), changes: NO_CHANGE };
      }
      if (effect.state === "withdrawn") {
        const message = "It need not be done any more — nothing to retry";
        return { answer: refuse("wrong_state", message), changes: NO_CHANGE };
      }
      const renewed = { state: "pending", attempts: 0, lastError: null, result: null, doneAt: null } as const;
      const after: EffectRecord = { ...effect, ...renewed, dueAt: world.now };
      const did = { actor: ledgerActor(actor, app.sha256), credential: actor.credential };
      const line = auditRecord(
        actor,
        { entry: 0, world },
        {
          ...{ action: "delivery.retry", resourceType: "delivery", resourceId: id },
          summary: "A delivery was started again",
          before: {
            status: effect.state === "failed" ? "exhausted" : "pending",
            attempt: effect.attempts,
            ...errorOf(effect),
          },
          after: { status: "pending", attempt: 0 },
          metadata: { request_id: effect.requestId },
        },
      );
      return {
        answer: after,
        changes: {
          entries: [effectEntry({ kind: "effect.retried", effect, ...did }, app)],
          ...{ records: { effect: [after] }, audit: [line] },
        },
      };
    },
  });
}

function errorOf({ lastError }: EffectRecord): { last_status_code: number | null; last_error: string | null } {
  const [, status] = /^http_(\d{3})$/.exec(lastError?.code ?? "") ?? [];
  return { last_status_code: status === undefined ? null : Number(status), last_error: lastError?.message ?? null };
}
