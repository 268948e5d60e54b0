/** A person gives up one of their identities: its subject is nobody from then on (docs/spec/identity.md R-ID-2, section 4). */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { IdentityRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { hidden } from "./entry-writer.ts";
import { NO_CHANGE } from "./no-change.ts";
import { joinedChanges, personAct } from "./person-changes.ts";
import { endedSession } from "./session-record.ts";
import { personUnknown } from "./person-page.ts";

export async function ownIdentities(app: Application, personId: PersonId): Promise<readonly IdentityRecord[]> {
  const identities = await app.reader.records(recordsBy("identity", "personId", [personId]));
  return identities.filter(({ unlinkedAt }) => unlinkedAt === null);
}

export function unlinkIdentity(
  app: Application,
  actor: Actor,
  { personId, identityId }: { readonly personId: PersonId; readonly identityId: string },
): Promise<null | Refusal> {
  return app.store.submit<null | Refusal>({
    name: "unlink_identity",
    needs: {
      personIds: [personId],
      records: [
        recordsBy("identity", "personId", [personId]),
        recordsBy("factor", "personId", [personId]),
        recordsBy("session", "personId", [personId]),
      ],
    },
    alone: true,
    carryOut(world) {
      const person = world.personRecord(personId);
      const own = world.records("identity", "personId", personId).filter(({ unlinkedAt }) => unlinkedAt === null);
      const identity = own.find(({ id }) => id === identityId);
      if (person === undefined) return { answer: personUnknown(), changes: NO_CHANGE };
      if (identity === undefined)
        return { answer: refuse("not_found", "You have no such identity"), changes: NO_CHANGE };
      const passkey = world
        .records("factor", "personId", personId)
        .some(({ type, removedAt, disabledAt }) => type === "passkey" && removedAt === null && disabledAt === null);
      if (own.length === 1 && !passkey) {
        const message = "This is the only way in that you have: link another identity or add a passkey first";
        return { answer: refuse("factor_last_one", message), changes: NO_CHANGE };
      }
      const told = personAct(
        app,
        actor,
        { kind: "person.unlinked", person, data: { issuer: hidden(identity.issuer) }, did: "unlinked an identity" },
        world,
      );
      const ended = world
        .records("session", "personId", personId)
        .filter((one) => one.endedAt === null && identity.providerId !== null && one.providerId === identity.providerId)
        .map((session) => endedSession(app, session, world.now, "unlinked"));
      const changes = joinedChanges([
        { ...told, records: { identity: [{ ...identity, unlinkedAt: world.now }] } },
        { entries: ended.map(({ entry }) => entry), records: { session: ended.map(({ record }) => record) } },
      ]);
      return { answer: null, changes };
    },
  });
}
