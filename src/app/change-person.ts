/** Name and address of a person, and the end of all their sessions, by an administrator. */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import type { Refusal } from "../core/refusal.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { hidden } from "./entry-writer.ts";
import { NO_CHANGE } from "./no-change.ts";
import { grantsOf, outranked } from "./outranked.ts";
import { personAct } from "./person-changes.ts";
import { endedSessions } from "./person-ending.ts";
import { personUnknown } from "./person-page.ts";

export interface PersonChange {
  readonly personId: PersonId;
  readonly name?: string;
  readonly email?: string;
}

export function changePerson(app: Application, actor: Actor, change: PersonChange): Promise<PersonRecord | Refusal> {
  const { personId } = change;
  return app.store.submit<PersonRecord | Refusal>({
    name: "change_person",
    needs: { personIds: [personId], records: [grantsOf([personId])] },
    alone: true,
    carryOut(world) {
      const person = world.personRecord(personId);
      if (person?.orgId !== app.orgId || person.status === "erased") {
        return { answer: personUnknown(), changes: NO_CHANGE };
      }
      const refused = outranked(app, actor, personId, world);
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const { name = person.displayName, email = person.email } = change;
      if (name === person.displayName && email === person.email) return { answer: person, changes: NO_CHANGE };
      const changed: PersonRecord = { ...person, displayName: name, email };
      const data = { source: "admin", name: hidden(name), email: hidden(email) };
      const told = personAct(
        app,
        actor,
        { kind: "person.linked", person, data, did: "has another name or address" },
        world,
      );
      return { answer: changed, changes: { ...told, records: { person: [changed] } } };
    },
  });
}

export function endSessionsOf(app: Application, actor: Actor, personId: PersonId): Promise<null | Refusal> {
  return app.store.submit<null | Refusal>({
    name: "end_sessions_of",
    needs: { personIds: [personId], records: [recordsBy("session", "personId", [personId]), grantsOf([personId])] },
    carryOut(world) {
      const person = world.personRecord(personId);
      if (person?.orgId !== app.orgId) return { answer: personUnknown(), changes: NO_CHANGE };
      const refused = outranked(app, actor, personId, world);
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const ended = endedSessions(app, world, personId, "revoked");
      if (ended.entries.length === 0) return { answer: null, changes: NO_CHANGE };
      const line = auditRecord(
        actor,
        { entry: 0, world },
        {
          ...{ action: "person.signed_out", resourceType: "person", resourceId: personId },
          summary: `${person.assignee} was signed out everywhere`,
          ...{ before: null, after: null, metadata: { sessions: ended.entries.length } },
        },
      );
      return { answer: null, changes: { ...ended, audit: [line] } };
    },
  });
}
