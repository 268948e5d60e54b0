/**
 * An administrator makes the link by which somebody who lost their factors comes back; what it does stands in
 * src/app/recover-account.ts (docs/spec/identity.md R-LOCAL-4). Nobody makes one for themselves.
 */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { statusRefusal } from "./identify.ts";
import { ledgerActor } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { newLink, type NewLink } from "./one-time-link.ts";
import { grantsOf, outranked } from "./outranked.ts";
import { isOneself, personAct } from "./person-changes.ts";
import { replacedLinks } from "./person-ending.ts";
import { personUnknown } from "./person-page.ts";

/** For somebody who never came in the invitation is made anew. */
export function makeRecoveryLink(app: Application, actor: Actor, personId: PersonId): Promise<NewLink | Refusal> {
  if (isOneself(actor, personId)) {
    const message = "Nobody makes a recovery link for themselves: ask another administrator";
    return Promise.resolve(refuse("permission_denied", message));
  }
  return app.store.submit<NewLink | Refusal>({
    name: "make_recovery_link",
    needs: { personIds: [personId], records: [recordsBy("oneTimeLink", "personId", [personId]), grantsOf([personId])] },
    alone: true,
    carryOut(world) {
      const person = world.personRecord(personId);
      if (person?.orgId !== app.orgId) return { answer: personUnknown(), changes: NO_CHANGE };
      const refused = outranked(app, actor, personId, world) ?? statusRefusal(person.status);
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      if (person.status === "placeholder") {
        const message = "Nobody ever came in under this name: invite them instead";
        return { answer: refuse("wrong_state", message), changes: NO_CHANGE };
      }
      const kind = person.status === "invited" ? "invitation" : "recovery";
      const createdBy = ledgerActor(actor, app.sha256);
      const link = newLink(app, world.now, { kind, orgId: app.orgId, personId, createdBy });
      const did = kind === "invitation" ? "was sent another invitation" : "was given a recovery link";
      const told = personAct(
        app,
        actor,
        { kind: "person.linked", person, data: { source: `${kind}_link` }, did },
        world,
      );
      const mail = kind === "recovery" ? accountMail(app, world, { message: "recovery_link_made", personId }) : {};
      const replaced = replacedLinks(world, personId, ["invitation", "recovery"]);
      return { answer: link, changes: { ...told, records: { oneTimeLink: [...replaced, link.record], ...mail } } };
    },
  });
}
