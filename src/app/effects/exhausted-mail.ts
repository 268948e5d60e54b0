/** Administrators hear of what was given up; of mail itself they hear on the page of deliveries (docs/spec/engine.md section 15). */
import type { EffectRecord } from "../../ports/effects.ts";
import type { Application } from "../application.ts";
import type { EndFollows } from "./effect-given-up.ts";
import { mailEffects } from "./mail-effect.ts";

export function exhaustedMail({ settings: { notifier } }: Pick<Application, "settings">): EndFollows {
  return (effect, { newId, now }) => {
    if (notifier === undefined || effect.kind === "mail") return [];
    const data = { kind: effect.kind, attempts: String(effect.attempts), last_error: lastError(effect) };
    const about = { orgId: effect.orgId, message: "effect_exhausted", eventId: newId<"event">(), data } as const;
    const plans = notifier.adminAddresses.map((address) => ({ ...about, to: { address } }));
    return mailEffects(plans, { newId, at: now });
  };
}

function lastError({ lastError: error }: EffectRecord): string {
  return error === null ? "none" : `${error.code}: ${error.message}`;
}
