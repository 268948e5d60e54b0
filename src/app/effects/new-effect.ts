/** An effect as a command writes it: due now, never tried (docs/spec/effects.md). */
import type { RequestId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { EffectKind, EffectRecord } from "../../ports/effects.ts";

export interface EffectPlan {
  readonly id: string;
  readonly orgId: string;
  readonly kind: EffectKind;
  readonly lane: string;
  readonly position: number;
  readonly requestId: RequestId | null;
  readonly payload: JsonObject;
  readonly at: Instant;
  readonly endsAt?: Instant | null;
}

export function newEffect({ at, endsAt = null, ...plan }: EffectPlan): EffectRecord {
  const untried = { state: "pending", attempts: 0, lastError: null, result: null, doneAt: null } as const;
  return { ...plan, ...untried, createdAt: at, dueAt: at, endsAt };
}
