/**
 * Failed proofs slow a person's factors down; right ones do not count. Whoever holds a session may try, so nothing a
 * stranger does locks anybody out (docs/spec/identity.md R-FACT-7, R-STEP-3).
 */
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { describe, hidden, type EntryData } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { actRoute, SIGN_IN_ACT } from "./proof-act.ts";
import { sessionName } from "./session-record.ts";

const SCOPE = "factor";
/** 5 in 5 minutes: 15 minutes without any proof, doubling to 4 hours. */
const RULE = { limit: 5, windowSeconds: 300, blockSeconds: 900, blockSecondsMax: 14_400 } as const;
/** So many in a row switch the factor off until recovery. */
const IN_A_ROW_MAX = 100;

export interface Prover {
  readonly personId: PersonId;
  /** Null for a token, and before there is a session. */
  readonly sessionId: string | null;
}

/** Null while the person may try. */
export async function throttled(app: Application, personId: PersonId, now: Instant): Promise<Refusal | null> {
  const { blockedUntil } = await app.failures.state(SCOPE, personId, now);
  if (blockedUntil === null || blockedUntil <= now) return null;
  const minutes = Math.ceil((blockedUntil - now) / 60_000);
  return refuse("factor_throttled", `Too many attempts - try again in ${String(minutes)} minutes`);
}

export interface FailedProof {
  readonly act: string;
  readonly refusal: Refusal;
  /** Those that the proof was tried on. */
  readonly tried: readonly FactorRecord[];
}

/** Counted in a transaction of its own, whatever becomes of the act. */
export async function countFailure(app: Application, who: Prover, failed: FailedProof, now: Instant): Promise<void> {
  const { inARow, blockedUntil } = await app.failures.fail(SCOPE, who.personId, RULE, now);
  noteFailure(app, who, failed);
  if (blockedUntil !== null && blockedUntil > now) await tellThrottled(app, who, failed);
  if (inARow >= IN_A_ROW_MAX) await switchOff(app, who, failed);
}

export async function forgetFailures(app: Application, personId: PersonId): Promise<void> {
  await app.failures.succeed(SCOPE, personId);
}

/** An entry each, up to a bound per person and hour; sign-ins have entries of their own. */
function noteFailure(app: Application, who: Prover, { act, refusal }: FailedProof): void {
  if (act === SIGN_IN_ACT || !app.refusals.count(who.personId, app.clock())) return;
  app.refusals.writeAside(recordFailure(app, refusedEntry(app, who, { code: refusal.refusal, route: actRoute(act) })));
}

/** The person hears of it by every channel: it may not have been them. */
async function tellThrottled(app: Application, who: Prover, { act }: FailedProof): Promise<void> {
  if (app.settings.notifier === undefined) return;
  await app.store.submit({
    name: "tell_throttled",
    needs: {},
    carryOut(world) {
      const entry = refusedEntry(app, who, { code: "factor_throttled", route: actRoute(act) });
      const records = accountMail(app, world, { message: "factor_throttled", personId: who.personId });
      return { answer: null, changes: { entries: [entry], records } };
    },
  });
}

async function recordFailure(app: Application, entry: DescribedEntry): Promise<void> {
  await app.store.submit({
    name: "record_failed_proof",
    needs: {},
    carryOut: () => ({ answer: null, changes: { entries: [entry] } }),
  });
}

/** The factor counts for nothing until the person recovers. */
async function switchOff(app: Application, who: Prover, { act, tried }: FailedProof): Promise<void> {
  if (tried.length === 0) return;
  const ids = tried.map(({ id }) => id);
  await app.store.submit({
    name: "switch_off_factor",
    needs: { records: [recordsBy("factor", "id", ids)] },
    carryOut(world) {
      const live = ids
        .flatMap((id) => world.records("factor", "id", id))
        .filter(({ disabledAt }) => disabledAt === null);
      if (live.length === 0) return { answer: null, changes: NO_CHANGE };
      const off = live.map((factor): FactorRecord => ({ ...factor, disabledAt: world.now }));
      const told = accountMail(app, world, { message: "factor_switched_off", personId: who.personId });
      const ctx = hidden({ factors: off.map(({ id }) => ledgerId("fac", id)) });
      const entry = refusedEntry(app, who, {
        code: "factor_throttled",
        route: actRoute(act),
        count: IN_A_ROW_MAX,
        ctx,
      });
      return { answer: null, changes: { entries: [entry], records: { factor: off, ...told } } };
    },
  });
}

function refusedEntry(app: Application, { personId, sessionId }: Prover, data: EntryData): DescribedEntry {
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "access.refused", actor: ledgerId("usr", personId) },
      ...{ credential: sessionId === null ? null : sessionName({ id: sessionId }), resource: null, request: null },
      data,
    },
    app,
  );
}
