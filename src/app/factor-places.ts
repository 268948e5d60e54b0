/** Where the seeds of authenticators stand sealed: each opens there and nowhere else (docs/spec/identity.md R-SEAL-1). */
import type { SealedPlace } from "../ports/sealing.ts";

export function factorSecret(factorId: string): SealedPlace {
  return { table: "factors", column: "secret", row: factorId, orgId: null };
}

/** Until a valid code confirms it. */
export function unconfirmedSecret(ceremonyId: string): SealedPlace {
  return { table: "ceremonies", column: "data", row: ceremonyId, orgId: null };
}
