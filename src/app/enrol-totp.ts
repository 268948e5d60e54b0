/** Enrolling an authenticator: a secret to scan, then a code that shows it was (docs/spec/identity.md R-FACT-4). */
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { CeremonyRecord } from "../ports/ceremony-records.ts";
import { recordsBy } from "../ports/records.ts";
import { SecretUnreadable } from "../ports/sealing.ts";
import type { Application } from "./application.ts";
import { enrolFactor, type Enrolled } from "./enrol-factor.ts";
import { factorSecret, unconfirmedSecret } from "./factor-places.ts";
import { countFailure, throttled, type Prover } from "./factor-throttle.ts";

const PURPOSE = "enrol_totp";
/** To fetch a telephone and scan. */
const CONFIRM_MS = 600_000;
const SPENT_CODE_MS = 600_000;
const ENROL_ACT = "POST /me/factors/totp";

export interface OfferedTotp {
  readonly ceremony: string;
  readonly secret: string;
  readonly uri: string;
  readonly qr: string;
}

export async function offerTotp(app: Application, { personId, sessionId }: Prover): Promise<OfferedTotp | Refusal> {
  const [[person], [organization]] = await Promise.all([
    app.reader.records(recordsBy("person", "id", [personId])),
    app.reader.records(recordsBy("organization", "id", [app.orgId])),
  ]);
  if (person === undefined) return refuse("not_found", "Only people have factors");
  const secret = app.totp.newSecret();
  const id = app.newId();
  const now = app.clock();
  const ceremony: CeremonyRecord = {
    ...{ id, purpose: PURPOSE, personId, sessionId, act: "", challenge: "" },
    data: { secret: app.seals.seal(secret, unconfirmedSecret(id)) },
    ...{ createdAt: now, expiresAt: now + CONFIRM_MS, usedAt: null },
  };
  await app.scratch.add("ceremony", ceremony);
  const issuer = organization?.name ?? "";
  return {
    ceremony: id,
    secret,
    ...app.totp.enrolment(secret, person.email ?? person.assignee, issuer === "" ? "Countersign" : issuer),
  };
}

export interface TotpAnswer {
  readonly ceremony: string;
  readonly code: string;
  readonly name: string;
  readonly inEnrolment: boolean;
}

/** A wrong code may be tried again within the ceremony's time; a right one ends it. */
export async function enrolTotp(app: Application, who: Prover, answer: TotpAnswer): Promise<Enrolled | Refusal> {
  const now = app.clock();
  const blocked = await throttled(app, who.personId, now);
  if (blocked !== null) return blocked;
  const [ceremony] = await app.reader.records(recordsBy("ceremony", "id", [answer.ceremony]));
  if (ceremony === undefined || !isOpen(ceremony, who, now)) return over();
  const secret = secretOf(app, ceremony);
  if (isRefusal(secret)) return secret;
  const step = app.totp.matchingStep(secret.text, answer.code, now);
  if (step === null) {
    const refusal = refuse("mfa_verification_failed", "This code is not right: type the one that the app shows now");
    await countFailure(app, who, { act: ENROL_ACT, refusal, tried: [] }, now);
    return refusal;
  }
  if ((await app.scratch.consume("ceremony", ceremony.id, now)) === undefined) return over();
  const factorId = app.newId();
  // The code that confirms is spent like any other.
  await app.scratch.add("spentProof", {
    ...{ scope: `totp:${factorId}`, value: String(step), answer: null },
    ...{ spentAt: now, expiresAt: now + SPENT_CODE_MS },
  });
  const sealed = app.seals.seal(secret.text, factorSecret(factorId));
  return enrolFactor(app, {
    ...{ who, factorId, told: {}, handle: null, inEnrolment: answer.inEnrolment },
    factor: { type: "totp", name: answer.name, secret: sealed },
  });
}

function isOpen(ceremony: CeremonyRecord, who: Prover, now: number): boolean {
  const isOwn = ceremony.personId === who.personId && ceremony.sessionId === who.sessionId;
  return ceremony.purpose === PURPOSE && isOwn && ceremony.usedAt === null && ceremony.expiresAt > now;
}

function over(): Refusal {
  return refuse("not_found", "This secret was confirmed before, or its time is over: begin again");
}

function secretOf(app: Application, { id, data }: CeremonyRecord): { readonly text: string } | Refusal {
  const { secret } = data;
  try {
    return { text: app.seals.open(typeof secret === "string" ? secret : "", unconfirmedSecret(id)) };
  } catch (error) {
    if (!(error instanceof SecretUnreadable)) throw error;
    return refuse("secret_unreadable", "The server cannot open its copy of this secret: begin again");
  }
}
