/** An administrator says that something need not be done outside any more (docs/spec/deploy.md 11.3, jobs). */
import type { Actor } from "../admitted-actor.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { effectEntry } from "../effects/effect-entry.ts";
import { ledgerActor } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";

/** Null when it is done. What was done already stays done. */
export function withdrawEffect(app: Application, actor: Actor, id: string): Promise<Refusal | null> {
  return app.store.submit<Refusal | null>({
    name: "withdraw_effect",
    needs: { records: [recordsBy("effect", "id", [id])] },
    carryOut(world) {
      const [effect] = world.records("effect", "id", id);
      if (effect?.orgId !== app.orgId) return { answer: refuse("not_found", "job not found"), changes: NO_CHANGE };
      if (effect.state !== "pending") {
        return { answer: refuse("wrong_state", "only a job that waits can be deleted"), changes: NO_CHANGE };
      }
      const lastError = { code: "withdrawn_by_person", message: "An administrator withdrew it" };
      const after: EffectRecord = { ...effect, state: "withdrawn", lastError, doneAt: world.now };
      const did = { actor: ledgerActor(actor, app.sha256), credential: actor.credential };
      const line = auditRecord(
        actor,
        { entry: 0, world },
        {
          ...{ action: "job.delete", resourceType: "job", resourceId: id, summary: "A job was withdrawn" },
          ...{ before: { state: "pending" }, after: { state: "withdrawn" }, metadata: { kind: effect.kind } },
        },
      );
      const entry = effectEntry({ kind: "effect.exhausted", effect: after, ...did }, app);
      return { answer: null, changes: { entries: [entry], records: { effect: [after] }, audit: [line] } };
    },
  });
}
