/** Tokens that platforms give their workloads: signature by a key of the issuer, issuer and times (docs/spec/identity.md R-WID-1). */
import { decodeJwt, errors, jwtVerify, type JWTPayload } from "jose";
import { isJsonObject } from "../../core/json.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import type { WorkloadFault, WorkloadTokens } from "../../ports/workload-tokens.ts";
import { KeySet, type World } from "./key-set.ts";
import { TOKEN_BYTES_MAX } from "./token-verifier.ts";

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"];
const SKEW_SECONDS = 60;
/** Section 4: a workload's token is one for hours, not for ever. */
const LIFE_SECONDS_MAX = 24 * 3_600;
/** More issuers than any installation registers. */
const ISSUERS_MAX = 1_000;

export function createWorkloadTokens(world: World): WorkloadTokens {
  const sets = new Map<string, KeySet>();
  const keysOf = (issuer: string): KeySet => {
    const known = sets.get(issuer);
    if (known !== undefined) return known;
    const [oldest] = sets.keys();
    if (oldest !== undefined && sets.size >= ISSUERS_MAX) sets.delete(oldest);
    const made = new KeySet({ issuer, jwksUrl: null }, world);
    sets.set(issuer, made);
    return made;
  };
  return {
    claimedIssuer,
    async verify(issuer, token) {
      if (token.length > TOKEN_BYTES_MAX) return invalid("it is larger than 16 KiB");
      const now = world.clock();
      try {
        const { payload } = await jwtVerify(token, keysOf(issuer).find, {
          algorithms: ALGORITHMS,
          issuer,
          requiredClaims: ["exp", "iss", "sub", "aud"],
          clockTolerance: SKEW_SECONDS,
          currentDate: new Date(now),
        });
        return claimsOf(payload, now);
      } catch (error) {
        return faultOf(error);
      }
    },
  };
}

function claimedIssuer(token: string): string | null {
  if (token.length > TOKEN_BYTES_MAX || token.split(".").length !== 3) return null;
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

function claimsOf(payload: JWTPayload, now: number): Awaited<ReturnType<WorkloadTokens["verify"]>> {
  const claims: unknown = payload;
  if (!isJsonObject(claims)) return invalid("it holds no claims");
  const seconds = now / 1_000;
  if (payload.iat !== undefined && payload.iat > seconds + SKEW_SECONDS) return invalid("it was issued in the future");
  if ((payload.exp ?? 0) > seconds + LIFE_SECONDS_MAX + SKEW_SECONDS) return invalid("it lives longer than 24 hours");
  return { claims };
}

function faultOf(error: unknown): WorkloadFault {
  if (error instanceof Unavailable) return { fault: "identity_provider_unreachable", detail: error.message };
  if (error instanceof errors.JWTExpired) return { fault: "token_expired", detail: "it has expired" };
  if (error instanceof errors.JWTClaimValidationFailed)
    return invalid(`\`${error.claim}\` is missing or not acceptable`);
  if (error instanceof errors.JWSSignatureVerificationFailed) return invalid("the signature does not verify");
  if (error instanceof errors.JOSEAlgNotAllowed) return invalid("the algorithm is not allowed");
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return invalid("no key of the issuer fits");
  }
  return invalid("it is not a JWT of this issuer");
}

function invalid(detail: string): WorkloadFault {
  return { fault: "token_invalid", detail };
}
