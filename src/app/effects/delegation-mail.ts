/** Both people hear that a delegation was made or ended (docs/spec/engine.md section 15). */
import type { DelegationRecord } from "../../ports/change-set.ts";
import type { World } from "../../ports/command-store.ts";
import type { RecordChanges } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { mailEffects } from "./mail-effect.ts";
import { shownTime } from "./mail-text.ts";

export function delegationMail(
  app: Pick<Application, "orgId" | "settings">,
  { from, to, startsAt, endsAt }: DelegationRecord,
  { world, ended }: { readonly world: World; readonly ended: boolean },
): Pick<RecordChanges, "effect"> {
  if (app.settings.notifier === undefined) return {};
  const message = ended ? "delegation_ended" : "delegation_created";
  const data = { from, to, starts_at: shownTime(startsAt), ends_at: shownTime(endsAt) };
  const about = { orgId: app.orgId, message, eventId: world.newId<"event">(), data } as const;
  const plans = [from, to].map((person) => ({ ...about, to: { person } }));
  return { effect: mailEffects(plans, { newId: world.newId, at: world.now }) };
}
