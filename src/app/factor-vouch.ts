/** A second person ends the cool-down of somebody's new factor, with a reason; nobody does it for themselves (docs/spec/identity.md R-FACT-9). */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { hidden, ledgerTime } from "./entry-writer.ts";
import { factorEntry } from "./factor-entry.ts";
import { noSuchFactor } from "./factor-change.ts";
import type { Prover } from "./factor-throttle.ts";
import { isLiveFactor } from "./factor-used.ts";
import { NO_CHANGE } from "./no-change.ts";
import { grantsOf, outranked } from "./outranked.ts";

export interface Vouching {
  readonly personId: PersonId;
  readonly factorId: string;
  readonly reason: string;
}

/** `by` holds `org:factor:vouch` and has proven a factor in this call: the authorization table asks for both. */
export async function vouchFactor(
  app: Application,
  actor: Actor,
  by: Prover,
  about: Vouching,
): Promise<FactorRecord | Refusal> {
  const { personId, factorId, reason } = about;
  if (by.personId === personId) return refuse("self_vouch", "Nobody vouches for their own factor: ask somebody else");
  // A factor is its person's everywhere: only their own organization knows them well enough to vouch for it.
  const person = await app.reader.person(personId);
  if (person?.record.orgId !== app.orgId) return noSuchFactor();
  return app.store.submit<FactorRecord | Refusal>({
    name: "vouch_factor",
    needs: { records: [recordsBy("factor", "id", [factorId]), grantsOf([personId])] },
    carryOut(world) {
      const [factor] = world.records("factor", "id", factorId);
      if (factor?.personId !== personId || !isLiveFactor(factor)) return { answer: noSuchFactor(), changes: NO_CHANGE };
      if (factor.usableAt <= world.now) return { answer: factor, changes: NO_CHANGE };
      const refused = outranked(app, actor, personId, world);
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const vouched: FactorRecord = { ...factor, usableAt: world.now };
      const entry = factorEntry(app, {
        ...{ kind: "factor.vouched", id: factorId, type: factor.type, personId, by: by.personId },
        sessionId: by.sessionId,
        data: { usable_at: ledgerTime(world.now), ctx: hidden({ reason }) },
      });
      const told = accountMail(app, world, { message: "factor_vouched", personId, data: { factor_type: factor.type } });
      return { answer: vouched, changes: { entries: [entry], records: { factor: [vouched], ...told } } };
    },
  });
}
