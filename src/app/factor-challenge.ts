/** A challenge for one act: what a passkey answers to prove its person for this and nothing else (docs/spec/identity.md R-STEP-2). */
import type { JsonObject } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import type { Prover } from "./factor-throttle.ts";
import { isLiveFactor } from "./factor-used.ts";
import { base64url } from "./ledger-names.ts";

const CHALLENGE_BYTES = 32;
const CHALLENGE_MS = 120_000;

export interface OfferedChallenge {
  readonly id: string;
  readonly options: JsonObject;
  readonly expiresAt: Instant;
}

export async function offerChallenge(
  app: Application,
  { personId, sessionId }: Prover,
  act: string,
): Promise<OfferedChallenge | Refusal> {
  const factors = await app.reader.records(recordsBy("factor", "personId", [personId]));
  const allow = factors.filter((factor) => factor.type === "passkey" && isLiveFactor(factor));
  if (allow.length === 0)
    return refuse("mfa_enrollment_required", "You have no passkey here: prove yourself otherwise");
  const challenge = app.random(CHALLENGE_BYTES);
  const now = app.clock();
  const id = app.newId();
  const expiresAt = now + CHALLENGE_MS;
  await app.scratch.add("ceremony", {
    ...{ id, purpose: "proof", personId, sessionId, act, challenge: base64url(challenge), data: {} },
    ...{ createdAt: now, expiresAt, usedAt: null },
  });
  return { id, options: app.passkeys.assertionOptions({ challenge, allow }), expiresAt };
}
