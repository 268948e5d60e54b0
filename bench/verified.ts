/** Is every entry of this database's ledger what was appended? A benchmark that broke the ledger has measured nothing. */
import type { Pool } from "pg";
import { createLedgerReader } from "../src/adapters/postgres/ledger-reader.ts";
import { nodeSha256 } from "../src/main/open-ledger.ts";
import { startVerification } from "../src/ledger/verify.ts";

export interface Verified {
  readonly entries: number;
  readonly findings: number;
}

const CHUNK = 2_000;

export async function verifyWhole(pool: Pool): Promise<Verified> {
  const ledger = createLedgerReader(pool);
  const standing = await ledger.standing();
  if (standing === undefined) throw new Error("The database holds no ledger");
  const verification = startVerification(standing.origin, "genesis", nodeSha256);
  for (let next = 0; next < standing.head.size; next += CHUNK) {
    const entries = await ledger.entries(next, Math.min(next + CHUNK, standing.head.size));
    for (const entry of entries) verification.check(entry);
  }
  verification.finish(standing.head);
  return { entries: verification.counts().checked, findings: verification.findingCount() };
}
