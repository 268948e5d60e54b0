/** One session of a person ends, by themselves or by an administrator (docs/spec/deploy.md 11.3, identity R-SESS-3). */
import type { PersonId } from "../../core/ids.ts";
import type { Actor } from "../admitted-actor.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { auditRecord } from "../audit.ts";
import { NO_CHANGE } from "../no-change.ts";
import { grantsOf, outranked } from "../outranked.ts";
import { endedSession } from "../session-record.ts";

/** Null when it has ended. */
export function endSessionOf(
  app: Application,
  actor: Actor,
  { personId, sessionId }: { readonly personId: PersonId; readonly sessionId: string },
): Promise<Refusal | null> {
  return app.store.submit<Refusal | null>({
    name: "end_session_of",
    needs: { personIds: [personId], records: [recordsBy("session", "personId", [personId]), grantsOf([personId])] },
    carryOut(world) {
      const higher = outranked(app, actor, personId, world);
      if (higher !== null) return { answer: higher, changes: NO_CHANGE };
      const session = world
        .records("session", "personId", personId)
        .find(({ id, orgId, endedAt }) => id === sessionId && orgId === app.orgId && endedAt === null);
      const person = world.personRecord(personId);
      if (session === undefined || person === undefined) {
        return { answer: refuse("not_found", "session not found"), changes: NO_CHANGE };
      }
      const { record, entry } = endedSession(app, session, world.now, "revoked");
      const line = auditRecord(
        actor,
        { entry: 0, world },
        {
          ...{ action: "user.sessions.revoke", resourceType: "person", resourceId: personId },
          summary: `A session of ${person.assignee} was ended`,
          ...{ before: null, after: null, metadata: { channel: session.kind } },
        },
      );
      return { answer: null, changes: { entries: [entry], audit: [line], records: { session: [record] } } };
    },
  });
}
