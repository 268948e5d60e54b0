/**
 * What a proven factor leaves behind: when it was used, its counter, an entry, and the renewed window of the session
 * (docs/spec/identity.md R-STEP-4). A counter that did not grow is a copied key (R-FACT-11).
 */
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { Asserted } from "../ports/factors.ts";
import type { FactorRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { accountMail } from "./effects/account-mail.ts";
import { factorEntry } from "./factor-entry.ts";
import type { Prover } from "./factor-throttle.ts";
import { NO_CHANGE } from "./no-change.ts";
import { actCode } from "./proof-act.ts";

export interface UsedFactor {
  readonly who: Prover;
  readonly factorId: string;
  readonly act: string;
  /** Null for an authenticator's code. */
  readonly asserted: Asserted | null;
}

/** The factor as it is now, or why it does not serve after all. */
export async function recordUse(app: Application, used: UsedFactor): Promise<FactorRecord | Refusal> {
  const { sessionId } = used.who;
  return app.store.submit<FactorRecord | Refusal>({
    name: "use_factor",
    needs: {
      records: [
        recordsBy("factor", "id", [used.factorId]),
        recordsBy("session", "id", sessionId === null ? [] : [sessionId]),
      ],
    },
    carryOut: (world) => carryOut(app, world, used),
  });
}

function carryOut(app: Application, world: World, used: UsedFactor): Carried<FactorRecord | Refusal> {
  const { who, factorId, asserted, act } = used;
  const [factor] = world.records("factor", "id", factorId);
  if (factor === undefined || !isLiveFactor(factor)) return { answer: factorUnknown(), changes: NO_CHANGE };
  if (asserted !== null && isRegressed(asserted.signCount, factor.signCount ?? 0)) {
    return { answer: counterRegressed(), changes: regression(app, world, { who, factor }) };
  }
  const record: FactorRecord = {
    ...factor,
    lastUsedAt: world.now,
    ...(asserted === null ? {} : { signCount: asserted.signCount, backedUp: asserted.backedUp }),
  };
  const about = { kind: "factor.used", id: factor.id, type: factor.type, ...who } as const;
  return {
    answer: record,
    changes: {
      entries: [factorEntry(app, { ...about, data: { act: actCode(act) } })],
      records: { factor: [record], session: renewedWindow(world, who, factor.id) },
    },
  };
}

/** The session in which it was proven, with its window open from now. */
function renewedWindow(world: World, { sessionId, personId }: Prover, factorId: string): readonly SessionRecord[] {
  if (sessionId === null) return [];
  return world
    .records("session", "id", sessionId)
    .filter((session) => session.personId === personId && session.endedAt === null)
    .map((session) => ({ ...session, factorAt: world.now, factorId }));
}

/** The key no longer signs decisions; it may have been copied (R-FACT-11). */
export async function recordRegression(app: Application, who: Prover, factorId: string): Promise<void> {
  await app.store.submit({
    name: "record_counter_regression",
    needs: { records: [recordsBy("factor", "id", [factorId])] },
    carryOut(world) {
      const [factor] = world.records("factor", "id", factorId);
      return { answer: null, changes: factor === undefined ? NO_CHANGE : regression(app, world, { who, factor }) };
    },
  });
}

export function regression(
  app: Application,
  world: World,
  { who, factor }: { readonly who: Prover; readonly factor: FactorRecord },
): Carried<null>["changes"] {
  const { id, type } = factor;
  const record: FactorRecord = { ...factor, signingDisabledAt: factor.signingDisabledAt ?? world.now };
  const entry = factorEntry(app, { kind: "factor.counter_regressed", id, type, ...who });
  const told = accountMail(app, world, {
    ...{ message: "counter_regressed", personId: factor.personId, data: { factor_type: type } },
  });
  return { entries: [entry], records: { factor: [record], ...told } };
}

export function isLiveFactor({ removedAt, disabledAt }: FactorRecord): boolean {
  return removedAt === null && disabledAt === null;
}

export function factorUnknown(): Refusal {
  return refuse("factor_unknown", "This is none of your factors here");
}

export function counterRegressed(): Refusal {
  const message =
    "The counter of this passkey went back: it may have been copied. Use another factor and tell an administrator";
  return refuse("factor_counter_regressed", message);
}

/** Two answers of one key may arrive in either order; the later one by count is the later one. */
function isRegressed(signCount: number, known: number): boolean {
  return (signCount !== 0 || known !== 0) && signCount <= known;
}
