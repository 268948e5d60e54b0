/** What a caller sends to prove a factor, and what came of it (docs/spec/identity.md sections 2 and 6). */
import type { JsonValue } from "../core/json.ts";
import type { Instant } from "../core/person.ts";

export type Proof =
  | { readonly type: "passkey"; readonly challenge: string; readonly response: JsonValue }
  | { readonly type: "totp"; readonly code: string }
  | { readonly type: "backup_code"; readonly code: string };

export type ProofMethod = Proof["type"];

/** A factor that has just been proven, for one act. */
export interface ProvenFactor {
  /** Null for a backup code. */
  readonly factorId: string | null;
  readonly method: ProofMethod;
  readonly at: Instant;
  /** End of the factor's cool-down: decisions need it to be over (R-FACT-9). */
  readonly usableAt: Instant;
}
