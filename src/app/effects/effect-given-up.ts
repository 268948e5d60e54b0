/**
 * Nobody will try this effect again, although it was not done: the ledger says so, once (docs/spec/effects.md). The record is
 * written with the entry: a result on a failed effect says that its end was told.
 */
import type { RecordChanges } from "../../ports/records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import type { World } from "../../ports/command-store.ts";
import type { Application } from "../application.ts";
import { ledgerTime } from "../entry-writer.ts";
import { NO_CHANGE } from "../no-change.ts";
import { effectEntry } from "./effect-entry.ts";

/** Further effects of the end, such as a message to administrators. */
export type EndFollows = (effect: EffectRecord, world: World) => readonly EffectRecord[];

/** Answers whether it was told now; false when it goes on, was told before, or is gone. */
export function effectGivenUp(app: Application, effectId: string, follows: EndFollows = () => []): Promise<boolean> {
  return app.store.submit<boolean>({
    name: "effect_given_up",
    needs: { records: [recordsBy("effect", "id", [effectId])] },
    carryOut(world) {
      const [effect] = world.records("effect", "id", effectId);
      if (effect?.state !== "failed" || effect.result !== null) return { answer: false, changes: NO_CHANGE };
      const fact = { kind: "effect.exhausted", effect, actor: "sys_worker", credential: null } as const;
      const told: EffectRecord = { ...effect, result: { told_at: ledgerTime(world.now) } };
      const records: RecordChanges = { effect: [told, ...follows(effect, world)] };
      return { answer: true, changes: { entries: [effectEntry(fact, app)], records } };
    },
  });
}
