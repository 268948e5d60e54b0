/**
 * What a ceremony needs for minutes: challenges, sign-ins under way, views and statements. No state in the sense of the
 * ledger: written without an entry, deleted after their time. What they lead to is an entry.
 */
import type { PersonId } from "../core/ids.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";

export interface CeremonyRecord {
  readonly id: string;
  /** `passkey_sign_in`, `enrol_passkey`, `enrol_totp`, `backup_codes`, `backup_codes_until_used`, `proof`. */
  readonly purpose: string;
  readonly personId: PersonId | null;
  readonly sessionId: string | null;
  /** Route and resource, and for decisions what is decided (R-STEP-2); empty for sign-in. */
  readonly act: string;
  /** base64url of 32 random bytes; empty where nothing is challenged. */
  readonly challenge: string;
  readonly data: JsonObject;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly usedAt: Instant | null;
}

export interface LoginStateRecord {
  readonly id: string;
  readonly cookieHash: string;
  readonly providerId: string;
  readonly stateHash: string;
  readonly nonce: string;
  /** PKCE verifier, sealed. */
  readonly verifier: string;
  readonly returnTo: string;
  readonly linkPersonId: PersonId | null;
  readonly linkSessionId: string | null;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly usedAt: Instant | null;
}

export interface CliLoginRecord {
  readonly codeHash: string;
  readonly personId: PersonId;
  /** The browser's session that allowed it: once it has ended, so has this. */
  readonly authorizedBy: string;
  /** The session made when the code was redeemed: a second try ends it. */
  readonly sessionId: string | null;
  readonly challenge: string;
  readonly client: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly usedAt: Instant | null;
}

/** What a person was shown, fixed (docs/spec/identity.md section 7.1). */
export interface ViewRecord {
  readonly id: string;
  readonly orgId: string;
  readonly personId: PersonId;
  readonly sessionId: string;
  readonly requestId: string;
  readonly taskId: string;
  readonly revision: number;
  readonly payloadDigest: string;
  /** `{key, version, digest}`. */
  readonly policy: JsonObject;
  readonly displayDigest: string;
  readonly display: JsonObject;
  /** `{origin, size, root}`. */
  readonly checkpoint: JsonObject;
  readonly shownAt: Instant;
  readonly expiresAt: Instant;
}

export interface StatementRecord {
  readonly id: string;
  readonly viewId: string;
  readonly personId: PersonId;
  readonly sessionId: string;
  readonly taskId: string;
  /** The canonical bytes that are signed. */
  readonly text: string;
  readonly challenge: string;
  /** `{salt, value}` of the reason's commitment; null without a reason. */
  readonly reason: JsonValue;
  /** `{index, size, path}`; null when signed alone. */
  readonly batch: JsonValue;
  /** Credential ids that were offered. */
  readonly credentials: readonly string[];
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly usedAt: Instant | null;
}

export interface SpentProofRecord {
  readonly scope: string;
  readonly value: string;
  readonly answer: JsonValue;
  readonly spentAt: Instant;
  readonly expiresAt: Instant;
}
