/** A message to somebody about their own account, written with what happened. Implements docs/spec/identity.md R-FACT-8. */
import type { NewId, PersonId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Instant } from "../../core/person.ts";
import type { RecordChanges } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { mailEffect, type AccountMessage } from "./mail-effect.ts";

/** Records to write with the command's own; none while no mail is sent. */
export function accountMail(
  app: Pick<Application, "orgId" | "settings">,
  { newId, now }: { readonly newId: NewId; readonly now: Instant },
  about: { readonly message: AccountMessage; readonly personId: PersonId; readonly data?: JsonObject },
): Pick<RecordChanges, "effect"> {
  if (app.settings.notifier === undefined) return {};
  const { message, personId, data = {} } = about;
  const plan = { orgId: app.orgId, message, eventId: newId<"event">(), to: { person: personId }, data };
  return { effect: [mailEffect(plan, { newId, at: now })] };
}
