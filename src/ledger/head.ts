/**
 * Where does the ledger stand? The head row (docs/spec/ledger.md R-APP-2): everything the next entry depends on, small
 * enough to be locked, compared and replaced in the transaction that appends.
 */
import { EMPTY_ROOT, genesis } from "./hash.ts";
import type { Sha256 } from "./sha256.ts";

export interface LedgerHead {
  /** How many entries there are, which is also the `seq` of the next one. */
  readonly size: number;
  /** Merkle root over all of them. */
  readonly root: string;
  /** Chain hash of the newest entry; of an empty ledger, the genesis hash. */
  readonly chain: string;
  /** The compact range: roots of the perfect subtrees, left to right. */
  readonly ranges: readonly string[];
  /** `at` of the newest entry. */
  readonly lastAt: string | null;
}

export function emptyHead(origin: string, sha256: Sha256): LedgerHead {
  return { size: 0, root: EMPTY_ROOT, chain: genesis(origin, sha256), ranges: [], lastAt: null };
}
