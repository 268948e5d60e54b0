/**
 * Signing in with a passkey and nothing else: the browser offers those of this server, the answer says whose it is
 * (docs/spec/identity.md R-LOCAL-1 a). Whatever is wrong, the answer is the same.
 */
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Refusal } from "../core/refusal.ts";
import type { CeremonyRecord } from "../ports/ceremony-records.ts";
import type { Asserted } from "../ports/factors.ts";
import type { FactorRecord, PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { isLiveFactor, recordRegression } from "./factor-used.ts";
import { base64url } from "./ledger-names.ts";
import { localSignInRefusal } from "./local-sign-in.ts";
import { noteRefusedSignIn } from "./refused-sign-ins.ts";
import { credentialsInvalid, signIn, type SignedIn } from "./sign-in.ts";

const PURPOSE = "passkey_sign_in";
const CHALLENGE_BYTES = 32;
const CHALLENGE_MS = 120_000;

export interface PasskeyChallenge {
  readonly ceremony: string;
  readonly options: JsonObject;
}

export async function offerPasskeys(app: Application): Promise<PasskeyChallenge> {
  const challenge = app.random(CHALLENGE_BYTES);
  const now = app.clock();
  const ceremony: CeremonyRecord = {
    ...{ id: app.newId(), purpose: PURPOSE, personId: null, sessionId: null, act: "" },
    ...{ challenge: base64url(challenge), data: {}, createdAt: now, expiresAt: now + CHALLENGE_MS, usedAt: null },
  };
  await app.scratch.add("ceremony", ceremony);
  return { ceremony: ceremony.id, options: app.passkeys.assertionOptions({ challenge, allow: null }) };
}

export interface PasskeySignIn {
  readonly ceremony: string;
  readonly response: JsonValue;
  readonly client: string | null;
  readonly address: string | null;
  /** The session that the browser had before. */
  readonly replaces: string | null;
}

export async function signInWithPasskey(app: Application, about: PasskeySignIn): Promise<SignedIn | Refusal> {
  const ceremony = await app.scratch.consume("ceremony", about.ceremony, app.clock());
  const known = await holderOf(app, about.response);
  if (ceremony?.purpose !== PURPOSE || known === null) return refused(app, about, { known, cause: "unknown_passkey" });
  const asserted = await app.passkeys.verifyAssertion(about.response, ceremony.challenge, known.factor);
  if ("fault" in asserted) {
    const { fault } = asserted;
    const who = { personId: known.person.id, sessionId: null };
    if (fault === "factor_counter_regressed") await recordRegression(app, who, known.factor.id);
    return refused(app, about, { known, cause: fault });
  }
  return letIn(app, about, { ...known, asserted });
}

interface Holder {
  readonly factor: FactorRecord;
  readonly person: PersonRecord;
}

/** A passkey that names its user must name the one it was made for. */
async function holderOf(app: Application, response: JsonValue): Promise<Holder | null> {
  const credentialId = app.passkeys.credentialIdOf(response);
  const handle = app.passkeys.userHandleOf(response);
  if (credentialId === null || handle === null) return null;
  const [factor] = await app.reader.records(recordsBy("factor", "credentialId", [credentialId]));
  if (factor === undefined || !isLiveFactor(factor)) return null;
  const [person] = await app.reader.records(recordsBy("person", "id", [factor.personId]));
  return person?.handle === handle ? { factor, person } : null;
}

async function letIn(
  app: Application,
  { client, address, replaces }: PasskeySignIn,
  { factor, person, asserted }: Holder & { readonly asserted: Asserted },
): Promise<SignedIn | Refusal> {
  const home = app.forOrganization(person.orgId);
  const closed = await localSignInRefusal(home, person);
  if (closed !== null) return closed;
  return signIn(home, {
    ...{ personId: person.id, kind: "web", method: "passkey", aal: 2, client, address, replaces },
    ...{ factorId: factor.id, factorProven: true },
    reads: [recordsBy("factor", "id", [factor.id])],
    also(world) {
      const [current] = world.records("factor", "id", factor.id);
      // Removed, disabled or used by a copy of itself since it was looked up.
      if (current === undefined || !isLiveFactor(current) || current.signCount !== factor.signCount) {
        return credentialsInvalid();
      }
      const { signCount, backedUp } = asserted;
      return { records: { factor: [{ ...current, signCount, backedUp, lastUsedAt: world.now }] }, entries: [] };
    },
  });
}

function refused(
  app: Application,
  { address }: PasskeySignIn,
  { known, cause }: { readonly known: Holder | null; readonly cause: string },
): Refusal {
  const personId = known?.person.id ?? null;
  noteRefusedSignIn(app, { personId, method: "passkey", channel: "web", cause, address });
  return credentialsInvalid();
}
