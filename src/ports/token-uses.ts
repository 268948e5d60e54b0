/** When each API token was last used, as it is kept: beside the ledger, written now and then (docs/spec/identity.md R-TOK-8). */
import type { Instant } from "../core/person.ts";

export interface TokenUse {
  readonly tokenId: string;
  readonly usedAt: Instant;
  readonly address: string | null;
}

export interface TokenUses {
  /** One statement, however many; an older use never replaces a newer one. */
  write(uses: readonly TokenUse[]): Promise<void>;
}
