/** What the ledger says about an effect after it was decided: given up, or tried again (docs/spec/effects.md). */
import type { DescribedEntry } from "../../ports/change-set.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import { describe, type EntryTools } from "../entry-writer.ts";
import { ledgerId } from "../ledger-names.ts";

export interface EffectFact {
  readonly kind: "effect.exhausted" | "effect.retried";
  readonly effect: EffectRecord;
  readonly actor: string;
  readonly credential: string | null;
}

export function effectEntry({ kind, effect, actor, credential }: EffectFact, tools: EntryTools): DescribedEntry {
  return describe(
    {
      ...{ org: ledgerId("org", effect.orgId), kind, actor, credential, resource: null },
      request: effect.requestId === null ? null : ledgerId("req", effect.requestId),
      data: {
        effect: `eff_${effect.id.replaceAll("-", "")}`,
        type: effect.kind.replaceAll(".", "_"),
        attempts: effect.attempts,
        last_code: effect.lastError?.code ?? null,
      },
    },
    tools,
  );
}
