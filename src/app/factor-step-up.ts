/** A factor was proven to open the step-up window: the session gets a new secret, and the old one dies with it (docs/spec/identity.md R-SESS-2, R-STEP-4). */
import { refuse, type Refusal } from "../core/refusal.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import type { ProvenFactor } from "./proof.ts";
import { renewedSession, sessionName } from "./session-record.ts";

export interface SteppedUp {
  readonly token: string;
  readonly session: SessionRecord;
}

export async function stepUp(
  app: Application,
  { tokenHash }: SessionRecord,
  { factorId }: ProvenFactor,
): Promise<SteppedUp | Refusal> {
  return app.store.submit<SteppedUp | Refusal>({
    name: "step_up",
    needs: { records: [recordsBy("session", "tokenHash", [tokenHash])] },
    carryOut(world) {
      const [session] = world.records("session", "tokenHash", tokenHash);
      if (session?.endedAt !== null) {
        return { answer: refuse("session_expired", "Your session has ended: sign in again"), changes: NO_CHANGE };
      }
      const { token, record, records } = renewedSession(app, session, world.now, {
        factorAt: world.now,
        factorId,
        aal: 2,
      });
      const name = sessionName(record);
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "session.started", actor: ledgerId("usr", record.personId) },
          ...{ credential: name, resource: null, request: null },
          data: { session: name, method: record.method, channel: record.kind, aal: record.aal, cause: "step_up" },
        },
        app,
      );
      return { answer: { token, session: record }, changes: { entries: [entry], records: { session: records } } };
    },
  });
}
