/**
 * ID tokens and logout tokens, verified: algorithm, signature by a key of the issuer, issuer, audience, times with 60 s of skew,
 * nonce. Implements docs/spec/identity.md R-IDP-4 and the tokens of R-IDP-11.
 */
import { errors, jwtVerify, type JWTPayload } from "jose";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import type { LogoutNotice, ProvedIdentity, ProviderFault } from "../../ports/identity-provider.ts";
import { messageOf, TOKEN_ALGORITHMS, type IssuerKeys } from "./issuer-documents.ts";

export const SKEW_SECONDS = 60;
const TOKEN_BYTES_MAX = 64 * 1024;
const SUBJECT_LENGTH_MAX = 255;
const LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout";

export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly keys: IssuerKeys;
  /** Epoch milliseconds. */
  readonly now: number;
}

export async function readIdToken(
  token: string,
  nonce: string,
  expected: Expected,
): Promise<ProvedIdentity | ProviderFault> {
  const claims = await verified(token, expected, { required: ["exp", "iat", "iss", "aud", "sub", "nonce"] });
  if ("fault" in claims) return claims;
  if (claims.read["nonce"] !== nonce) return invalid("the nonce is not the one of this sign-in");
  const { aud, azp, sub } = claims.read;
  if (Array.isArray(aud) && aud.length > 1 && azp !== expected.clientId) return invalid("`azp` is not this client");
  if (azp !== undefined && azp !== expected.clientId) return invalid("`azp` is not this client");
  if (typeof sub !== "string" || sub === "" || sub.length > SUBJECT_LENGTH_MAX) return invalid("`sub` is no name");
  return { subject: sub, claims: claims.read };
}

export async function readLogoutToken(token: string, expected: Expected): Promise<LogoutNotice | ProviderFault> {
  const claims = await verified(token, expected, { required: ["exp", "iat", "iss", "aud", "jti"], typ: "logout+jwt" });
  if ("fault" in claims) return claims;
  const { nonce, events, jti, sub, sid, exp } = claims.read;
  if (nonce !== undefined) return invalid("a logout token has no nonce");
  if (!isJsonObject(events) || !isJsonObject(events[LOGOUT_EVENT]))
    return invalid("it does not say that it is a logout");
  const subject = nameOf(sub);
  const upstreamSession = nameOf(sid);
  if (subject === null && upstreamSession === null) return invalid("it names neither subject nor session");
  if (typeof jti !== "string" || jti === "" || typeof exp !== "number") return invalid("it has no id");
  return { tokenId: jti, subject, upstreamSession, expiresAt: exp * 1_000 };
}

function nameOf(claim: unknown): string | null {
  return typeof claim === "string" && claim !== "" && claim.length <= SUBJECT_LENGTH_MAX ? claim : null;
}

interface Kind {
  readonly required: readonly string[];
  readonly typ?: string;
}

async function verified(
  token: string,
  { issuer, clientId, keys, now }: Expected,
  { required, typ }: Kind,
): Promise<{ readonly read: JsonObject } | ProviderFault> {
  if (token.length > TOKEN_BYTES_MAX) return invalid("it is too large");
  try {
    const { payload } = await jwtVerify(token, keys.find, {
      algorithms: [...TOKEN_ALGORITHMS],
      issuer,
      audience: clientId,
      requiredClaims: [...required],
      clockTolerance: SKEW_SECONDS,
      currentDate: new Date(now),
      ...(typ === undefined ? {} : { typ }),
    });
    return claimsOf(payload, now);
  } catch (cause) {
    if (cause instanceof Unavailable) {
      return { fault: "identity_provider_unreachable", detail: `no keys: ${messageOf(cause)}` };
    }
    return invalid(cause instanceof errors.JOSEError ? cause.message : "it is not a JWT");
  }
}

function claimsOf(payload: JWTPayload, now: number): { readonly read: JsonObject } | ProviderFault {
  const claims: unknown = payload;
  if (!isJsonObject(claims)) return invalid("it holds no claims");
  if (payload.iat !== undefined && payload.iat * 1_000 > now + SKEW_SECONDS * 1_000) {
    return invalid("it was issued in the future");
  }
  return { read: claims };
}

export function invalid(detail: string): ProviderFault {
  return { fault: "id_token_invalid", detail };
}
