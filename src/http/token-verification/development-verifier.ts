/** Development mode reads tokens without verifying them (R-AUTH-40); nothing else may ever use this. */
import { decodeJwt } from "jose";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import { LEEWAY_SECONDS, TOKEN_BYTES_MAX, type TokenFault, type TokenVerifier } from "./token-verifier.ts";

/** R-AUTH-8: one issuer for everybody, so that a user name is one person whatever `iss` and `sub` say. */
export const DEVELOPMENT_ISSUER = "development";

export function createDevelopmentVerifier(clock: () => number): TokenVerifier {
  return {
    verify: (token) => Promise.resolve(readUnverified(token, clock())),
  };
}

function readUnverified(token: string, now: number): { claims: JsonObject; issuer: string } | TokenFault {
  if (token.length > TOKEN_BYTES_MAX) return { fault: "it is larger than 16 KiB" };
  const claims = claimsOf(token);
  if (claims === null) return { fault: "it is not a JWT" };
  const expiry = claims["exp"];
  if (expiry === undefined) return { claims, issuer: DEVELOPMENT_ISSUER };
  if (typeof expiry !== "number") return { fault: "`exp` is not a number" };
  if (expiry * 1000 + LEEWAY_SECONDS * 1000 <= now) return { fault: "it has expired" };
  return { claims, issuer: DEVELOPMENT_ISSUER };
}

function claimsOf(token: string): JsonObject | null {
  try {
    const claims: unknown = decodeJwt(token);
    return isJsonObject(claims) ? claims : null;
  } catch {
    return null;
  }
}
