/**
 * Does this proof prove a factor of this person, for this act? The one function in which every proof ends, however it was
 * sent (docs/spec/identity.md R-STEP-1 to R-STEP-4, R-FACT-4, R-FACT-5, R-FACT-7, R-FACT-11).
 */
import type { JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Asserted, PasskeyFault } from "../ports/factors.ts";
import type { FactorRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import { SecretUnreadable } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import { confirmByUse, spendBackupCode, typedCodeHash } from "./backup-codes.ts";
import { backupCodeUsableFrom } from "./factor-cool-down.ts";
import { factorSecret } from "./factor-places.ts";
import { factorRules } from "./factor-rules.ts";
import { countFailure, forgetFailures, throttled, type Prover } from "./factor-throttle.ts";
import { counterRegressed, factorUnknown, isLiveFactor, recordRegression, recordUse } from "./factor-used.ts";
import { actCode, servesAct, SIGN_IN_ACT, STEP_UP_ACT } from "./proof-act.ts";
import type { Proof, ProvenFactor } from "./proof.ts";

/** Far beyond the steps in which a code would still be taken. */
const SPENT_CODE_MS = 600_000;

/** A proof is spent by looking at it, whatever becomes of the act (R-STEP-3). */
export async function proveFactor(
  app: Application,
  who: Prover,
  act: string,
  proof: Proof,
): Promise<ProvenFactor | Refusal> {
  const now = app.clock();
  const blocked = await throttled(app, who.personId, now);
  if (blocked !== null) return blocked;
  const looked = await look(app, { who, act, now }, proof);
  if ("failed" in looked) {
    const { failed, tried = [] } = looked;
    if (looked.counts) await countFailure(app, who, { act, refusal: failed, tried }, now);
    return failed;
  }
  // Many guesses sent at once all came past the first look: a right one among them must not count.
  const meanwhile = await throttled(app, who.personId, now);
  if (meanwhile !== null) return meanwhile;
  await forgetFailures(app, who.personId);
  return looked;
}

interface Attempt {
  readonly who: Prover;
  readonly act: string;
  readonly now: Instant;
}

interface Failed {
  readonly failed: Refusal;
  /** False for what is no guess: an answer that came too late, a setting that forbids it. */
  readonly counts: boolean;
  readonly tried?: readonly FactorRecord[];
}

function look(app: Application, attempt: Attempt, proof: Proof): Promise<ProvenFactor | Failed> {
  switch (proof.type) {
    case "passkey":
      return lookAtPasskey(app, attempt, proof);
    case "totp":
      return lookAtCode(app, attempt, proof.code);
    case "backup_code":
      return lookAtBackupCode(app, attempt, proof.code);
  }
}

async function lookAtPasskey(
  app: Application,
  attempt: Attempt,
  proof: { readonly challenge: string; readonly response: JsonValue },
): Promise<ProvenFactor | Failed> {
  const { who, act, now } = attempt;
  const ceremony = await app.scratch.consume("ceremony", proof.challenge, now);
  if (ceremony === undefined) {
    return {
      failed: notProven("This challenge was used before, or its time is over: ask for a new one"),
      counts: false,
    };
  }
  const isOurs = ceremony.purpose === "proof" && ceremony.personId === who.personId;
  if (!isOurs || ceremony.sessionId !== who.sessionId || !servesAct(ceremony.act, act)) {
    return { failed: notProven("This answer was given to another question"), counts: true };
  }
  const factor = await ownPasskey(app, who, proof.response);
  if (factor === null) return { failed: factorUnknown(), counts: true };
  const asserted = await app.passkeys.verifyAssertion(proof.response, ceremony.challenge, factor);
  if ("fault" in asserted) return passkeyFailed(app, who, { factor, fault: asserted.fault });
  return used(app, attempt, { factor, asserted });
}

/** The person's own live passkey that the answer names; one that names its user must name them. */
async function ownPasskey(app: Application, { personId }: Prover, response: JsonValue): Promise<FactorRecord | null> {
  const credentialId = app.passkeys.credentialIdOf(response);
  if (credentialId === null) return null;
  const [factor] = await app.reader.records(recordsBy("factor", "credentialId", [credentialId]));
  if (factor?.personId !== personId || factor.type !== "passkey" || !isLiveFactor(factor)) return null;
  const handle = app.passkeys.userHandleOf(response);
  if (handle === null) return factor;
  const [person] = await app.reader.records(recordsBy("person", "id", [personId]));
  return person?.handle === handle ? factor : null;
}

async function passkeyFailed(
  app: Application,
  who: Prover,
  { factor, fault }: { readonly factor: FactorRecord; readonly fault: PasskeyFault["fault"] },
): Promise<Failed> {
  const tried = [factor];
  switch (fault) {
    case "factor_counter_regressed":
      await recordRegression(app, who, factor.id);
      return { failed: counterRegressed(), counts: true, tried };
    case "user_not_verified":
      return {
        failed: refuse(fault, "The passkey did not check that it is you: unlock it with PIN or finger"),
        counts: true,
        tried,
      };
    case "assertion_invalid":
      return { failed: notProven("The passkey's answer is not right"), counts: true, tried };
  }
}

async function lookAtCode(app: Application, attempt: Attempt, code: string): Promise<ProvenFactor | Failed> {
  const { who, now } = attempt;
  const known = await app.reader.records(recordsBy("factor", "personId", [who.personId]));
  const tried = known.filter((factor) => factor.type === "totp" && isLiveFactor(factor));
  for (const factor of tried) {
    const step = stepOf(app, factor, { code, now });
    if (step !== null && isRefusal(step)) return { failed: step, counts: false };
    if (step === null) continue;
    const isFirst = await app.scratch.add("spentProof", {
      ...{ scope: `totp:${factor.id}`, value: String(step.step), answer: null },
      ...{ spentAt: now, expiresAt: now + SPENT_CODE_MS },
    });
    if (isFirst) return used(app, attempt, { factor, asserted: null });
    return { failed: notProven("This code was used before: wait for the next one"), counts: true, tried };
  }
  return { failed: notProven("This code is not right"), counts: true, tried };
}

function stepOf(
  app: Application,
  factor: FactorRecord,
  { code, now }: { readonly code: string; readonly now: Instant },
): { readonly step: number } | Refusal | null {
  try {
    const secret = app.seals.open(factor.secret ?? "", factorSecret(factor.id));
    const step = app.totp.matchingStep(secret, code, now);
    return step === null ? null : { step };
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error;
    return secretUnreadable();
  }
}

async function lookAtBackupCode(app: Application, attempt: Attempt, code: string): Promise<ProvenFactor | Failed> {
  const { who, act, now } = attempt;
  const codeHash = typedCodeHash(app, code);
  if (codeHash === null) return { failed: notProven("This is no backup code"), counts: true };
  const isForAct = act !== SIGN_IN_ACT && act !== STEP_UP_ACT;
  if (isForAct && !(await factorRules(app)).backupCodesDecide) {
    const message = "Backup codes sign in here and nothing else: use a passkey or an authenticator";
    return { failed: refuse("invalid_mfa_type", message), counts: false };
  }
  await confirmByUse(app, who, codeHash);
  const spent = await spendBackupCode(app, who, { codeHash, act: actCode(act) });
  if (isRefusal(spent)) return { failed: spent, counts: true };
  const usableAt = await backupCodeUsableFrom(app, who.personId, spent.createdAt);
  return { factorId: null, method: "backup_code", at: now, usableAt };
}

async function used(
  app: Application,
  { who, act, now }: Attempt,
  { factor, asserted }: { readonly factor: FactorRecord; readonly asserted: Asserted | null },
): Promise<ProvenFactor | Failed> {
  const record = await recordUse(app, { who, factorId: factor.id, act, asserted });
  if (isRefusal(record)) return { failed: record, counts: true, tried: [factor] };
  return { factorId: record.id, method: record.type, at: now, usableAt: record.usableAt };
}

function notProven(message: string): Refusal {
  return refuse("mfa_verification_failed", message);
}

function secretUnreadable(): Refusal {
  return refuse("secret_unreadable", "The server cannot open its copy of this secret: tell whoever runs it");
}
