/** Which kind of factor a person would rather be asked for first. It decides nothing (docs/spec/deploy.md 11.2). */
import type { PersonId } from "../core/ids.ts";
import type { FactorPreferenceRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";
import type { Prover } from "./factor-throttle.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { sessionName } from "./session-record.ts";

type Method = FactorPreferenceRecord["method"];

export async function preferredMethod(
  { reader }: Pick<Application, "reader">,
  personId: PersonId,
): Promise<Method | null> {
  const [kept] = await reader.records(recordsBy("factorPreference", "personId", [personId]));
  return kept?.method ?? null;
}

export async function preferMethod(app: Application, { personId, sessionId }: Prover, method: Method): Promise<null> {
  return app.store.submit<null>({
    name: "prefer_factor",
    needs: { records: [recordsBy("factorPreference", "personId", [personId])] },
    carryOut(world) {
      const [before] = world.records("factorPreference", "personId", personId);
      if (before?.method === method) return { answer: null, changes: NO_CHANGE };
      const entry = describe(
        {
          ...{ org: ledgerId("org", app.orgId), kind: "setting.changed", actor: ledgerId("usr", personId) },
          ...{ credential: sessionId === null ? null : sessionName({ id: sessionId }), resource: null, request: null },
          data: {
            key: "factor.preferred",
            ...{ old: before === undefined ? null : hidden({ method: before.method }), new: hidden({ method }) },
          },
        },
        app,
      );
      const kept: FactorPreferenceRecord = { personId, method, updatedAt: world.now };
      return { answer: null, changes: { entries: [entry], records: { factorPreference: [kept] } } };
    },
  });
}
