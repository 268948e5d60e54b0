/** Enrolling a passkey: options with a challenge, then what the browser answers (docs/spec/identity.md R-FACT-1, R-FACT-2, R-FACT-12). */
import type { JsonObject, JsonValue } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { encodeSpki, parsePublicKey } from "../evidence/public-key.ts";
import type { CeremonyRecord } from "../ports/ceremony-records.ts";
import type { NewPasskey, PasskeyFault } from "../ports/factors.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { enrolFactor, type Enrolled } from "./enrol-factor.ts";
import type { EntryData } from "./entry-writer.ts";
import { factorRules, isAllowedPasskey } from "./factor-rules.ts";
import type { Prover } from "./factor-throttle.ts";
import { base64url, hex } from "./ledger-names.ts";

const PURPOSE = "enrol_passkey";
const CHALLENGE_BYTES = 32;
const HANDLE_BYTES = 32;
const CHALLENGE_MS = 120_000;

export interface OfferedPasskey {
  readonly ceremony: string;
  readonly options: JsonObject;
}

export async function offerPasskeyEnrolment(
  app: Application,
  { personId, sessionId }: Prover,
): Promise<OfferedPasskey | Refusal> {
  const [[person], factors, rules] = await Promise.all([
    app.reader.records(recordsBy("person", "id", [personId])),
    app.reader.records(recordsBy("factor", "personId", [personId])),
    factorRules(app),
  ]);
  if (person === undefined) return refuse("not_found", "Only people have factors");
  const challenge = app.random(CHALLENGE_BYTES);
  const handle = person.handle ?? base64url(app.random(HANDLE_BYTES));
  const now = app.clock();
  const ceremony: CeremonyRecord = {
    ...{ id: app.newId(), purpose: PURPOSE, personId, sessionId, act: "", challenge: base64url(challenge) },
    ...{ data: { handle }, createdAt: now, expiresAt: now + CHALLENGE_MS, usedAt: null },
  };
  await app.scratch.add("ceremony", ceremony);
  const options = app.passkeys.registrationOptions({
    ...{ challenge, handle, name: person.email ?? person.assignee },
    displayName: person.displayName ?? person.assignee,
    exclude: factors.filter(({ type, removedAt }) => type === "passkey" && removedAt === null),
  });
  // Browsers hand out the model of the authenticator only to who asks for it.
  const asked = rules.aaguids === null ? options : { ...options, attestation: "direct" };
  return { ceremony: ceremony.id, options: asked };
}

export interface PasskeyAnswer {
  readonly ceremony: string;
  readonly response: JsonValue;
  readonly name: string;
  readonly inEnrolment: boolean;
}

export async function enrolPasskey(app: Application, who: Prover, answer: PasskeyAnswer): Promise<Enrolled | Refusal> {
  const ceremony = await app.scratch.consume("ceremony", answer.ceremony, app.clock());
  if (ceremony === undefined || !isOwn(ceremony, who)) {
    return refuse("assertion_invalid", "This challenge was used before, or its time is over: begin again");
  }
  const passkey = await app.passkeys.verifyRegistration(answer.response, ceremony.challenge);
  if ("fault" in passkey) return faultRefusal(passkey.fault);
  const key = parsePublicKey(passkey.publicKey);
  if (key === null) return faultRefusal("assertion_invalid");
  const rules = await factorRules(app);
  if (!isAllowedPasskey(passkey, rules)) {
    return refuse("factor_not_device_bound", "Your organization takes only approved keys that are bound to one device");
  }
  const { handle } = ceremony.data;
  const told = toldOf(app, passkey, encodeSpki(key));
  return enrolFactor(app, {
    ...{ who, factorId: app.newId(), told, handle: typeof handle === "string" ? handle : null },
    inEnrolment: answer.inEnrolment,
    factor: {
      ...{ type: "passkey", name: answer.name, ...passkey, rpId: app.passkeys.rpId },
      attestation: rules.aaguids === null ? null : passkey.attestation,
    },
  });
}

function isOwn({ purpose, personId, sessionId }: CeremonyRecord, who: Prover): boolean {
  return purpose === PURPOSE && personId === who.personId && sessionId === who.sessionId;
}

function toldOf(app: Application, passkey: NewPasskey, spki: string): EntryData {
  const { algorithm, aaguid, backupEligible } = passkey;
  const digest = `sha256:${hex(app.sha256(bytesOf(passkey.credentialId)))}`;
  return { spki, alg: algorithm, credential_digest: digest, aaguid, backup_eligible: backupEligible };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
}

function faultRefusal(fault: PasskeyFault["fault"]): Refusal {
  switch (fault) {
    case "user_not_verified":
      return refuse(fault, "The passkey did not check that it is you: set up a PIN or a finger first");
    case "assertion_invalid":
    case "factor_counter_regressed":
      return refuse(
        "assertion_invalid",
        "What the passkey answered cannot be used here: try again, or use another one",
      );
  }
}
