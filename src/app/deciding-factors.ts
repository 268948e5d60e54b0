/**
 * Which of a person's factors can prove a decision now? Implements the table of docs/spec/identity.md section 5, R-FACT-9 (cool-down),
 * R-FACT-11 (a key that may be a copy) and R-FACT-12 (keys bound to a device).
 */
import type { Assurance, ProofMethod } from "../core/assurance-level.ts";
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { factorRules, isAllowedPasskey, type FactorRules } from "./factor-rules.ts";
import { isLiveFactor } from "./factor-used.ts";

type SigningRules = Pick<FactorRules, "aaguids">;

/** Row 5 of table 7.3, for a factor of the person; null when it may sign. */
export function signingRefusal(factor: FactorRecord, rules: SigningRules, now: Instant): Refusal | null {
  if (factor.type !== "passkey" || !isLiveFactor(factor) || factor.signingDisabledAt !== null) {
    return refuse("factor_unknown", "This passkey does not sign any more: use another one");
  }
  if (factor.usableAt > now) return coolingDown(factor.usableAt);
  if (isAllowedPasskey(factor, rules)) return null;
  return refuse("factor_not_device_bound", "Only passkeys that are bound to an approved device sign here");
}

export function coolingDown(usableAt: Instant): Refusal {
  const time = new Date(usableAt).toISOString();
  return refuse("factor_cooling_down", `This factor is new: it can serve decisions from ${time}`);
}

/** The passkeys that may sign, or why none may. */
export function signingFactors(
  factors: readonly FactorRecord[],
  rules: SigningRules,
  now: Instant,
): readonly FactorRecord[] | Refusal {
  const passkeys = factors.filter(({ type, removedAt }) => type === "passkey" && removedAt === null);
  const usable = passkeys.filter((factor) => signingRefusal(factor, rules, now) === null);
  if (usable.length > 0) return usable;
  const newest = passkeys.toSorted((left, right) => right.createdAt - left.createdAt)[0];
  const why = newest === undefined ? null : signingRefusal(newest, rules, now);
  return why ?? refuse("mfa_enrollment_required", "Decisions here are signed: enrol a passkey first");
}

/** Kinds of proof that the person could bring now, strongest first. */
export async function decidingMethods(
  app: Application,
  personId: PersonId,
  needed: Assurance,
): Promise<readonly ProofMethod[]> {
  if (needed === "session") return [];
  const [factors, codes, rules] = await Promise.all([
    app.reader.records(recordsBy("factor", "personId", [personId])),
    app.reader.records(recordsBy("backupCode", "personId", [personId])),
    factorRules(app),
  ]);
  const now = app.clock();
  if (needed === "signed") return isRefusal(signingFactors(factors, rules, now)) ? [] : ["passkey"];
  const usable = factors.filter((factor) => isLiveFactor(factor) && factor.usableAt <= now);
  const hasCode = codes.some(({ usedAt, endedAt }) => usedAt === null && endedAt === null);
  return [
    ...(["passkey", "totp"] as const).filter((type) => usable.some((factor) => factor.type === type)),
    ...(hasCode && rules.backupCodesDecide ? (["backup_code"] as const) : []),
  ];
}
