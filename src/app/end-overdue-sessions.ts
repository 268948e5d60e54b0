/** Tells the ledger of sessions whose time is over; they opened nothing from their last moment on (docs/spec/identity.md R-SESS-3). */
import type { Carried, StoreCommand } from "../ports/command-store.ts";
import type { Housekeeping, OverdueSession } from "../ports/housekeeping.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";
import { holds } from "./open-session.ts";
import { endedSession } from "./session-record.ts";

const AT_ONCE = 200;

/** Some at a time, all of an organization in one command; says how many were found. */
export async function endOverdueSessions(
  app: Application,
  housekeeping: Pick<Housekeeping, "overdueSessions">,
): Promise<number> {
  const overdue = await housekeeping.overdueSessions(app.clock(), AT_ONCE);
  for (const orgId of new Set(overdue.map((session) => session.orgId))) {
    const own = app.forOrganization(orgId);
    await own.store.submit(
      end(
        own,
        overdue.filter((session) => session.orgId === orgId),
      ),
    );
  }
  return overdue.length < AT_ONCE ? 0 : overdue.length;
}

function end(app: Application, overdue: readonly OverdueSession[]): StoreCommand<null> {
  const hashes = overdue.map(({ tokenHash }) => tokenHash);
  return {
    name: "end_overdue_sessions",
    needs: { records: [recordsBy("session", "tokenHash", hashes)] },
    carryOut(world): Carried<null> {
      const ended = hashes
        .flatMap((hash) => world.records("session", "tokenHash", hash))
        .filter((session) => session.endedAt === null && !holds(app, session, world.now))
        .map((session) => endedSession(app, session, world.now, causeOf(session, world.now)));
      if (ended.length === 0) return { answer: null, changes: NO_CHANGE };
      const records = { session: ended.map(({ record }) => record) };
      return { answer: null, changes: { entries: ended.map(({ entry }) => entry), records } };
    },
  };
}

function causeOf({ expiresAt }: SessionRecord, now: number): string {
  return expiresAt <= now ? "expired" : "idle";
}
