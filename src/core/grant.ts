/**
 * What an approval yields: leave to act, for a time and a number of uses. What can be done with one is in grant-command.ts.
 * Implements docs/spec/engine.md section 11 (R-GRANT-1 to R-GRANT-7).
 */
import type { GrantId } from "./ids.ts";
import type { Instant } from "./person.ts";
import type { GrantTerms } from "./policy.ts";

const MINUTE = 60_000;

export type GrantState = "active" | "used" | "expired" | "revoked";

/** `rejected` and `cancelled` are a gate's words for it, `withdrawn` that of the generic API. */
export type RevokedReason = "rejected" | "cancelled" | "withdrawn";

export interface Grant {
  readonly id: GrantId;
  readonly state: GrantState;
  readonly notBefore: Instant;
  /** Null: without an end. */
  readonly expiresAt: Instant | null;
  /** Null: any number. */
  readonly usesMax: number | null;
  readonly uses: number;
  readonly extensions: number;
  /** When it was used up, expired or was revoked. */
  readonly endedAt: Instant | null;
  readonly revokedReason: RevokedReason | null;
  readonly revokedComment: string | null;
}

/** The grant of a request that is approved now; without limits unless the policy sets some (R-GRANT-3). */
export function issuedGrant(id: GrantId, terms: GrantTerms, now: Instant): Grant {
  return {
    id,
    state: "active",
    notBefore: now,
    expiresAt: terms.ttlMinutes === null ? null : now + terms.ttlMinutes * MINUTE,
    usesMax: terms.uses,
    uses: 0,
    extensions: 0,
    endedAt: null,
    revokedReason: null,
    revokedComment: null,
  };
}

/** As it is at this instant: its end is true from its time on, whether or not the clock has written it down. */
export function grantAt(grant: Grant, now: Instant): Grant {
  const end = grantTimer(grant);
  return end !== null && end <= now ? { ...grant, state: "expired", endedAt: end } : grant;
}

/** When the clock ends it; null where it does not. */
export function grantTimer(grant: Grant | null): Instant | null {
  return grant?.state === "active" ? grant.expiresAt : null;
}
