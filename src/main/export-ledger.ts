/**
 * The whole ledger as lines of JSON, to be verified by somebody else: each entry's bytes and leaf hash, and at the end how many
 * there were and the newest checkpoint. What was removed at the end is missed against the checkpoint, what was cut on the way
 * against the last line.
 */
import type { LedgerReader } from "../adapters/postgres/ledger-reader.ts";

const CHUNK = 1_000;

/** Lines with their ends, in chunks; entries that are appended meanwhile are left out. */
export async function* exportLedger(ledger: LedgerReader): AsyncGenerator<string, void, void> {
  const standing = await ledger.standing();
  const size = standing?.head.size ?? 0;
  for (let next = 0; next < size; next += CHUNK) {
    const entries = await ledger.entries(next, Math.min(next + CHUNK, size));
    yield entries.map(({ text, leaf }) => `${JSON.stringify({ bytes: text, leaf })}\n`).join("");
  }
  const checkpoint = (await ledger.newestCheckpoint())?.note ?? null;
  const last = size === 0 ? null : size - 1;
  yield `${JSON.stringify({ count: size, first: size === 0 ? null : 0, last, origin: standing?.origin ?? null, checkpoint })}\n`;
}
