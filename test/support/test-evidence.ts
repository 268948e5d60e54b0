/** Evidence of a test's database: the real reader and proofs, checkpoints signed by a key of the tests. */
import type { Pool } from "pg";
import { createLedgerReader } from "../../src/adapters/postgres/ledger-reader.ts";
import type { EvidenceSource } from "../../src/app/evidence-parts.ts";
import { formatCheckpoint, signCheckpoint, verifierKeyOf } from "../../src/ledger/note.ts";
import { evidenceSource } from "../../src/main/evidence-source.ts";
import { ORIGIN, sha256 } from "./test-application.ts";

const SEED = Uint8Array.from({ length: 32 }, (_, index) => index);

/** For trust files. */
export const TEST_VKEY = verifierKeyOf(SEED, ORIGIN);

export function testEvidence(pool: Pool): EvidenceSource {
  const ledger = createLedgerReader(pool);
  const checkpoint = async (): Promise<void> => {
    const { head } = (await ledger.standing()) ?? {};
    if (head === undefined) throw new Error("there is no ledger");
    const text = formatCheckpoint({ origin: ORIGIN, size: head.size, root: head.root });
    await ledger.saveCheckpoint({ note: signCheckpoint(SEED, ORIGIN, text), head }, Date.now());
  };
  return evidenceSource({ pool, ledger, sha256, checkpoint, everyMs: 0 });
}

/** For servers of tests that show nothing and prove nothing. */
export const NO_EVIDENCE: EvidenceSource = {
  reader: { ofRequest: notHere, context: notHere, proofs: notHere },
  checkpoints: { newest: notHere, covering: notHere },
};

function notHere(): Promise<never> {
  return Promise.reject(new Error("this test has no evidence"));
}
