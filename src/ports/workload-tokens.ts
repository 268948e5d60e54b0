/** Tokens that platforms give their workloads, verified against the keys of the issuer they name (docs/spec/identity.md R-WID-1). */
import type { JsonObject } from "../core/json.ts";

export interface WorkloadFault {
  readonly fault: "token_invalid" | "token_expired" | "identity_provider_unreachable";
  /** As it continues `The workload token is refused: `. */
  readonly detail: string;
}

export interface WorkloadTokens {
  /** The issuer that a text claims to be from; null when the text is no JWT. Nothing is verified. */
  claimedIssuer(token: string): string | null;
  /** Signature, issuer and times; for whom and from whom is the use case's. */
  verify(issuer: string, token: string): Promise<{ readonly claims: JsonObject } | WorkloadFault>;
}
