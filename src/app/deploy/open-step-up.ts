/**
 * A factor was proven to open the step-up window of a terminal. Its secret stays: the clients of the older kind have no way to
 * learn another one (docs/spec/deploy.md 11.2). Browsers get a new one, by `stepUp`.
 */
import { refuse, type Refusal } from "../../core/refusal.ts";
import type { SessionRecord } from "../../ports/identity-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { describe } from "../entry-writer.ts";
import { ledgerId } from "../ledger-names.ts";
import { NO_CHANGE } from "../no-change.ts";
import type { ProvenFactor } from "../proof.ts";
import { sessionName } from "../session-record.ts";

export function openStepUp(
  app: Application,
  { tokenHash }: SessionRecord,
  { factorId }: ProvenFactor,
): Promise<SessionRecord | Refusal> {
  return app.store.submit<SessionRecord | Refusal>({
    name: "open_step_up",
    needs: { records: [recordsBy("session", "tokenHash", [tokenHash])] },
    carryOut(world) {
      const [session] = world.records("session", "tokenHash", tokenHash);
      if (session?.endedAt !== null) {
        return { answer: refuse("session_expired", "Your session has ended: sign in again"), changes: NO_CHANGE };
      }
      const record: SessionRecord = { ...session, factorAt: world.now, factorId, aal: 2 };
      const name = sessionName(record);
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "session.started", actor: ledgerId("usr", record.personId) },
          ...{ credential: name, resource: null, request: null },
          data: { session: name, method: record.method, channel: record.kind, aal: record.aal, cause: "step_up" },
        },
        app,
      );
      return { answer: record, changes: { entries: [entry], records: { session: [record] } } };
    },
  });
}
