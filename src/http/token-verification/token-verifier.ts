/** From the text of a bearer token to its claims, or the reason why not. */
import type { JsonObject } from "../../core/json.ts";

export interface VerifiedToken {
  readonly claims: JsonObject;
  /** Who vouches for the claims; one fixed name where nobody does (development mode). */
  readonly issuer: string;
}

/** Why a token is refused, as it continues `Invalid bearer token: …`. */
export interface TokenFault {
  readonly fault: string;
  /** What is wrong is only whom it was made for (identity R-IDP-12); everything else is `token_invalid`. */
  readonly code?: "audience_not_allowed";
}

export interface TokenVerifier {
  /** Rejects with `Unavailable` when the issuer's keys cannot be had. */
  verify(token: string): Promise<VerifiedToken | TokenFault>;
}

export function isTokenFault(value: VerifiedToken | TokenFault): value is TokenFault {
  return "fault" in value;
}

/** R-AUTH-21: longer tokens are refused unread. */
export const TOKEN_BYTES_MAX = 16 * 1024;
export const LEEWAY_SECONDS = 30;
