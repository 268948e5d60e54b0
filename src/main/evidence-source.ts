/** Where evidence comes from: the ledger's tables, and checkpoints that are signed when somebody needs one (ledger R-CP-2). */
import { setTimeout } from "node:timers/promises";
import type { Pool } from "pg";
import type { LedgerReader } from "../adapters/postgres/ledger-reader.ts";
import { createEvidenceReader } from "../adapters/postgres/reader-evidence.ts";
import type { EvidenceSource } from "../app/evidence-parts.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import type { Checkpoints } from "../ports/evidence.ts";
import { Unavailable } from "../ports/unavailable.ts";

export interface EvidenceSourceParts {
  readonly pool: Pool;
  readonly ledger: Pick<LedgerReader, "newestCheckpoint">;
  readonly sha256: Sha256;
  /** Signs where the ledger stands now. */
  readonly checkpoint: () => Promise<void>;
  readonly everyMs?: number;
}

/** However many ask, and however fast. */
const EVERY_MS = 1_000;

export function evidenceSource(parts: EvidenceSourceParts): EvidenceSource {
  const { pool, ledger, sha256, checkpoint, everyMs = EVERY_MS } = parts;
  const sign = paced(checkpoint, everyMs);
  const covering: Checkpoints["covering"] = async (size) => {
    // A round that is under way may have looked before the newest entries came: the second cannot have.
    for (let rounds = 0; rounds <= 2; rounds += 1) {
      if (rounds > 0) await sign();
      const stored = await ledger.newestCheckpoint();
      if (stored !== undefined && stored.head.size >= size) return stored.note;
    }
    throw new Unavailable("ledger_unavailable", "The ledger cannot be signed now; try again in a moment.");
  };
  return { reader: createEvidenceReader(pool, sha256), checkpoints: { newest: () => covering(1), covering } };
}

/** Calls at once share one round; the next one keeps its distance from the last. */
function paced(round: () => Promise<void>, everyMs: number): () => Promise<void> {
  let running: Promise<void> | null = null;
  let endedAt = Number.NEGATIVE_INFINITY;
  const run = async (): Promise<void> => {
    const wait = endedAt + everyMs - performance.now();
    if (wait > 0) await setTimeout(wait);
    await round();
    endedAt = performance.now();
  };
  return () => {
    running ??= run().finally(() => {
      running = null;
    });
    return running;
  };
}
