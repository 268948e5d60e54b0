/** A person's password, set or changed: every other session of theirs ends (docs/spec/identity.md R-LOCAL-2, R-SESS-3). */
import { refuse, type Refusal } from "../core/refusal.ts";
import type { PasswordRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { grownSession, holdingsIn, holdingsNeeded, liveSession, type GrownSession } from "./factor-enrolment.ts";
import { factorEntry } from "./factor-entry.ts";
import type { Prover } from "./factor-throttle.ts";
import { NO_CHANGE } from "./no-change.ts";
import { endedSession } from "./session-record.ts";

export interface PasswordSet {
  readonly renewed: GrownSession["renewed"];
}

export async function setPassword(
  app: Application,
  who: Prover,
  { password, inEnrolment }: { readonly password: string; readonly inEnrolment: boolean },
): Promise<PasswordSet | Refusal> {
  const weakness = app.passwords.weakness(password, await namesHere(app, who));
  if (weakness !== null) {
    return refuse("password_weak", weakness, [
      { path: ["body", "password"], message: weakness, code: "password_weak" },
    ]);
  }
  const hash = await app.passwords.hash(password);
  const { personId } = who;
  return app.store.submit<PasswordSet | Refusal>({
    name: "set_password",
    needs: {
      personIds: [personId],
      records: [...holdingsNeeded(who), recordsBy("session", "personId", [personId])],
    },
    ...(inEnrolment ? { alone: true } : {}),
    carryOut(world) {
      if (liveSession(world, who) === undefined) {
        return { answer: refuse("session_expired", "Your session has ended: sign in again"), changes: NO_CHANGE };
      }
      const record: PasswordRecord = { personId, hash, changedAt: world.now };
      const holdings = { ...holdingsIn(world, personId), hasPassword: true };
      const grown = grownSession(app, world, { who, holdings, confirmed: null });
      const ended = world
        .records("session", "personId", personId)
        .filter((session: SessionRecord) => session.endedAt === null && session.id !== who.sessionId)
        .map((session) => endedSession(app, session, world.now, "password_changed"));
      const entry = factorEntry(app, { kind: "factor.enrolled", id: world.newId(), type: "password", ...who });
      return {
        answer: { renewed: grown.renewed },
        changes: {
          entries: [entry, ...grown.entries, ...ended.map((each) => each.entry)],
          records: {
            password: [record],
            session: [...ended.map((each) => each.record), ...grown.sessions],
            person: grown.people,
            ...accountMail(app, world, { message: "password_set", personId }),
          },
        },
      };
    },
  });
}

/** What no password here may consist of: names of the organization, the product, the host and the person. */
async function namesHere(app: Application, { personId }: Prover): Promise<readonly string[]> {
  const [[organization], [person]] = await Promise.all([
    app.reader.records(recordsBy("organization", "id", [app.orgId])),
    app.reader.records(recordsBy("person", "id", [personId])),
  ]);
  const host = /^[a-z]+:\/\/([^/:]+)/.exec(app.identity.publicUrl)?.[1] ?? "";
  const own = [person?.assignee, person?.displayName, person?.email];
  return ["Countersign", host, organization?.name ?? "", ...own.flatMap((name) => name ?? [])];
}
