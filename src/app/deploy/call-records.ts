/**
 * Entries about calls that change nothing of an approval: what is about to be sent to a rack, what became of it, what was read.
 * Implements docs/spec/deploy.md R-PROXY-3 (steps 10 and 11), R-AUDIT-2.
 */
import type { DescribedEntry } from "../../ports/change-set.ts";
import type { Application } from "../application.ts";
import { callEntry, type CallAbout, type CallFigures, type CallKind } from "./call-entry.ts";

/** Resolves when it is durable; rejects with `Unavailable` when the ledger cannot be written. */
export function recordCall(
  app: Application,
  kinds: readonly CallKind[],
  about: CallAbout,
  figures: CallFigures = {},
): Promise<void> {
  return appendEntries(
    app,
    kinds.map((kind) => callEntry(app, kind, about, figures)),
  );
}

export interface ReadCall {
  readonly about: CallAbout;
  readonly figures: CallFigures;
}

/** Reads of one organization, in the order in which they were answered. */
export function recordReads(app: Application, reads: readonly ReadCall[]): Promise<void> {
  return appendEntries(
    app,
    reads.map(({ about, figures }) => callEntry(app, "call_read", about, figures)),
  );
}

async function appendEntries(app: Application, entries: readonly DescribedEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await app.store.submit({
    name: "record_rack_call",
    needs: {},
    carryOut: () => ({ answer: null, changes: { entries } }),
  });
}
