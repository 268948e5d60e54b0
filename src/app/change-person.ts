/** Name, address and mark for emergencies (R-LOCAL-1) of a person, and the end of all their sessions, by an administrator. */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { permits } from "../core/permission.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { auditRecord } from "./audit.ts";
import { hasEmergencyPerson, markedPeople, type MarkedPeople } from "./emergency-people.ts";
import { hidden } from "./entry-writer.ts";
import { NO_CHANGE } from "./no-change.ts";
import { grantsOf, outranked } from "./outranked.ts";
import { isOneself, personAct, type PersonAct } from "./person-changes.ts";
import { endedSessions } from "./person-ending.ts";
import { personUnknown } from "./person-page.ts";

export interface PersonChange {
  readonly personId: PersonId;
  readonly name?: string;
  readonly email?: string;
  /** May sign in with a passkey or password although the organization requires its provider (R-LOCAL-1). */
  readonly breakGlass?: boolean;
}

export async function changePerson(
  app: Application,
  actor: Actor,
  change: PersonChange,
): Promise<PersonRecord | Refusal> {
  const { personId } = change;
  const marked = change.breakGlass === false ? await markedPeople(app) : NOBODY;
  return app.store.submit<PersonRecord | Refusal>({
    name: "change_person",
    needs: {
      personIds: [personId, ...marked.personIds],
      records: [grantsOf([personId]), recordsBy("setting", "orgId", [app.orgId]), ...marked.records],
    },
    alone: true,
    carryOut: (world) => carryOut(app, actor, { ...change, marked }, world),
  });
}

type Asked = PersonChange & { readonly marked: MarkedPeople };

function carryOut(app: Application, actor: Actor, asked: Asked, world: World): Carried<PersonRecord | Refusal> {
  const refused = (refusal: Refusal): Carried<Refusal> => ({ answer: refusal, changes: NO_CHANGE });
  const { personId } = asked;
  const person = world.personRecord(personId);
  if (person?.orgId !== app.orgId || person.status === "erased") return refused(personUnknown());
  const { name = person.displayName, email = person.email, breakGlass = person.breakGlass } = asked;
  const changed: PersonRecord = { ...person, displayName: name, email, breakGlass };
  const fault = outranked(app, actor, personId, world) ?? markRefusal(app, actor, { person, changed, asked }, world);
  if (fault !== null) return refused(fault);
  const act = changeAct(person, changed);
  if (act === null) return { answer: person, changes: NO_CHANGE };
  return { answer: changed, changes: { ...personAct(app, actor, act, world), records: { person: [changed] } } };
}

/** Null when nothing is different. */
function changeAct(before: PersonRecord, after: PersonRecord): PersonAct | null {
  const { displayName, email, breakGlass } = after;
  const isNamed = displayName !== before.displayName || email !== before.email;
  const isMarked = breakGlass !== before.breakGlass;
  if (!isNamed && !isMarked) return null;
  const words = breakGlass ? "was marked for emergencies" : "is no longer marked for emergencies";
  return {
    ...{ kind: "person.linked", person: before },
    data: {
      source: "admin",
      ...(isNamed ? { name: hidden(displayName), email: hidden(email) } : {}),
      ...(isMarked ? { break_glass: breakGlass } : {}),
    },
    did: [...(isNamed ? ["has another name or address"] : []), ...(isMarked ? [words] : [])].join(" and "),
    ...(isMarked ? { before: { break_glass: !breakGlass }, after: { break_glass: breakGlass } } : {}),
  };
}

const NOBODY: MarkedPeople = { personIds: [], records: [] };

interface Marking {
  readonly person: PersonRecord;
  readonly changed: PersonRecord;
  readonly asked: Asked;
}

/** A way in past the provider is given as roles are: never to oneself, and the last one is kept while it is needed. */
function markRefusal(
  app: Application,
  actor: Actor,
  { person, changed, asked }: Marking,
  world: World,
): Refusal | null {
  if (changed.breakGlass === person.breakGlass) return null;
  if (!permits(actor.permissions, "org:role:assign")) {
    return refuse("permission_denied", "Permission 'org:role:assign' required");
  }
  if (isOneself(actor, person.id)) return refuse("self_role_change", "Nobody changes their own mark for emergencies");
  const isRequired = world
    .records("setting", "orgId", app.orgId)
    .some(({ key, value }) => key === "require_sso" && value === true);
  if (changed.breakGlass || !isRequired || hasEmergencyPerson(app, world, asked.marked, person.id)) return null;
  const message = "While the identity provider is required, somebody active stays marked: mark another person first";
  return refuse("wrong_state", message);
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
