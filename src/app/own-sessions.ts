/** One's own sessions: which there are, and ending them (docs/spec/identity.md R-SESS-3, section 4). */
import type { PersonId } from "../core/ids.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Carried } from "../ports/command-store.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";
import { holds } from "./open-session.ts";
import { endedSession } from "./session-record.ts";

/** Those that still hold, newest first. */
export async function ownSessions(app: Application, personId: PersonId): Promise<readonly SessionRecord[]> {
  const sessions = await app.reader.records(recordsBy("session", "personId", [personId]));
  const now = app.clock();
  return sessions.filter((session) => holds(app, session, now)).sort((left, right) => right.createdAt - left.createdAt);
}

/** Signing out. Harmless when the session has ended meanwhile. */
export async function signOut(app: Application, { id, personId }: SessionRecord): Promise<void> {
  await end(app, personId, { cause: "signed_out", which: (session) => session.id === id });
}

/** Null when it has ended. */
export async function endOwnSession(app: Application, personId: PersonId, id: string): Promise<Refusal | null> {
  const ended = await end(app, personId, { cause: "ended_by_person", which: (session) => session.id === id });
  return ended > 0 ? null : refuse("not_found", "You have no such session");
}

/** Every session of the person but this one; says how many ended. */
export function endOtherSessions(app: Application, current: SessionRecord): Promise<number> {
  const which = (session: SessionRecord): boolean => session.id !== current.id;
  return end(app, current.personId, { cause: "ended_by_person", which });
}

interface Ending {
  readonly cause: string;
  readonly which: (session: SessionRecord) => boolean;
}

function end(app: Application, personId: PersonId, { cause, which }: Ending): Promise<number> {
  return app.store.submit<number>({
    name: "end_own_sessions",
    needs: { records: [recordsBy("session", "personId", [personId])] },
    carryOut(world): Carried<number> {
      const ended = world
        .records("session", "personId", personId)
        .filter((session) => session.endedAt === null && which(session))
        .map((session) => endedSession(app, session, world.now, cause));
      if (ended.length === 0) return { answer: 0, changes: NO_CHANGE };
      return {
        answer: ended.length,
        changes: {
          entries: ended.map(({ entry }) => entry),
          records: { session: ended.map(({ record }) => record) },
        },
      };
    },
  });
}
