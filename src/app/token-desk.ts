/**
 * What this process keeps in memory about API tokens: those presented in the last seconds, and when each was last used.
 * Implements docs/spec/identity.md R-TOK-8 and R-TOK-9. One per process.
 */
import type { Permission } from "../core/permission.ts";
import type { Instant } from "../core/person.ts";
import type { ApiTokenRecord, MachineRecord, TokenSecretRecord } from "../ports/identity-records.ts";
import type { TokenUse } from "../ports/token-uses.ts";
import { createCredentialCache, type CredentialCache } from "./credential-cache.ts";
import type { SingleUse } from "./workload-caller.ts";
import type { TokenLimits } from "./token-limits.ts";
import type { WorkloadIdentity } from "./workload-identity.ts";

export interface TokenOwner {
  readonly active: boolean;
  readonly permissions: readonly Permission[];
}

/** A token as it was found by its hash. */
export interface FoundToken {
  readonly secret: TokenSecretRecord;
  readonly token: ApiTokenRecord;
  readonly machine: MachineRecord;
  /** Empty for a service account. */
  readonly owners: readonly TokenOwner[];
  /** Of a token that was given in exchange for a workload's (R-WID-3); null for one that somebody made. */
  readonly exchanged: ExchangedFor | null;
}

export interface ExchangedFor {
  readonly singleUse: SingleUse;
  /** Does the provider still let workloads in? */
  readonly enabled: boolean;
  readonly workload: WorkloadIdentity | null;
  /** What the provider gives now: a token given before is never wider. */
  readonly scopes: readonly Permission[];
  readonly limits: TokenLimits;
}

export interface TokenDesk {
  /** By the SHA-256 of the token. */
  readonly found: CredentialCache<FoundToken>;
  /** Is the address in the range? False for what is neither. */
  readonly isWithin: (address: string, range: string) => boolean;
  used(use: TokenUse): void;
  /** The last use of every token used since the last time. */
  drainUses(): readonly TokenUse[];
}

export function createTokenDesk(
  clock: () => Instant,
  isWithin: (address: string, range: string) => boolean,
): TokenDesk {
  let uses = new Map<string, TokenUse>();
  return {
    found: createCredentialCache<FoundToken>(clock),
    isWithin,
    used(use) {
      uses.set(use.tokenId, use);
    },
    drainUses() {
      const drained = [...uses.values()];
      uses = new Map();
      return drained;
    },
  };
}
