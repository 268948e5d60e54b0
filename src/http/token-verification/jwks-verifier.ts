/**
 * Tokens in production: signed by the issuer's keys, meant for us, and in time. Implements docs/spec/api.md R-AUTH-21 and
 * docs/spec/identity.md R-IDP-12.
 */
import { errors, jwtVerify, type JWTPayload } from "jose";
import { isJsonObject } from "../../core/json.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import { KeySet, type World } from "./key-set.ts";
import {
  LEEWAY_SECONDS,
  TOKEN_BYTES_MAX,
  type TokenFault,
  type TokenVerifier,
  type VerifiedToken,
} from "./token-verifier.ts";

export interface IssuerSettings {
  readonly issuer: string;
  /** Other names under which the same issuer signs with the same keys. */
  readonly additionalIssuers: readonly string[];
  /** Null: found by the issuer's discovery document. */
  readonly jwksUrl: string | null;
  /** Null: not checked. */
  readonly audience: string | null;
  readonly algorithms: readonly string[];
}

/** Signatures whose key can be public. `none` and HMAC are not among them, whatever the settings say. */
const PUBLIC_KEY_ALGORITHM = /^(?:RS|PS|ES)(?:256|384|512)$|^EdDSA$|^Ed25519$/;

export function createJwksVerifier(settings: IssuerSettings, world: World): TokenVerifier {
  const { issuer, additionalIssuers, jwksUrl, audience, algorithms } = settings;
  const unfit = algorithms.filter((algorithm) => !PUBLIC_KEY_ALGORITHM.test(algorithm));
  if (unfit.length > 0 || algorithms.length === 0) {
    throw new Error(`keycloak.algorithms must name public-key algorithms, not ${unfit.join(", ") || "nothing"}`);
  }
  const keys = new KeySet({ issuer, jwksUrl }, world);
  return {
    async verify(token) {
      if (token.length > TOKEN_BYTES_MAX) return { fault: "it is larger than 16 KiB" };
      const now = world.clock();
      try {
        const { payload } = await jwtVerify(token, keys.find, {
          algorithms: [...algorithms],
          issuer: [issuer, ...additionalIssuers],
          ...(audience === null ? {} : { audience }),
          requiredClaims: ["exp", "iss"],
          clockTolerance: LEEWAY_SECONDS,
          currentDate: new Date(now),
        });
        return readClaims(payload, issuer, now);
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        return isForOthers(error) ? { fault: FOR_OTHERS, code: "audience_not_allowed" } : { fault: faultOf(error) };
      }
    },
  };
}

/** All names of the issuer are one issuer here, so that a person stays the same person. */
function readClaims(payload: JWTPayload, issuer: string, now: number): VerifiedToken | TokenFault {
  const claims: unknown = payload;
  if (!isJsonObject(claims)) return { fault: "it is not a JWT" };
  if (payload.iat !== undefined && payload.iat * 1000 > now + LEEWAY_SECONDS * 1000) {
    return { fault: "it was issued in the future" };
  }
  return { claims, issuer };
}

const FOR_OTHERS = "it is not meant for this service";

/** Looked at after the signature, like every claim: nobody learns from it what a forged token would need. */
function isForOthers(error: unknown): boolean {
  return error instanceof errors.JWTClaimValidationFailed && error.claim === "aud";
}

const CLAIM_FAULTS: Readonly<Record<string, string>> = {
  iss: "it was issued by somebody else",
  nbf: "it is not valid yet",
  exp: "`exp` is missing or not a number",
  iat: "`iat` is not a number",
};

function faultOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "it has expired";
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_FAULTS[error.claim] ?? "a claim is not acceptable";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "the signature does not verify";
  if (error instanceof errors.JOSEAlgNotAllowed) return "the algorithm is not allowed";
  if (error instanceof errors.JOSENotSupported) return "it asks for something that is not supported";
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return "no key of the issuer fits";
  }
  return "it is not a JWT";
}
