/**
 * Is the ledger in this database what was appended? Reads entries in order, from the beginning or from a signed checkpoint, and
 * judges them with src/ledger/verify.ts (docs/spec/ledger.md R-VER-1). Used by the server at its start and by
 * `countersign verify`.
 */
import type { LedgerReader, LedgerStanding } from "../adapters/postgres/ledger-reader.ts";
import { openingMatches } from "../ledger/commitment.ts";
import type { LedgerHead } from "../ledger/head.ts";
import { parseEntry } from "../ledger/entry.ts";
import { openCheckpoint, type Checkpoint } from "../ledger/note.ts";
import type { Sha256 } from "../ledger/sha256.ts";
import { startVerification, type Finding, type StoredEntry, type Verification } from "../ledger/verify.ts";

export interface VerifyOptions {
  readonly sha256: Sha256;
  /** The key that checkpoints must be signed with. */
  readonly vkey: string;
  /** Notes that the ledger must pass through; newest ones of each place where checkpoints are kept. */
  readonly notes: readonly { readonly note: string; readonly place: string }[];
  /** A head to go on from, because a signed checkpoint has its root; else everything is read. */
  readonly from?: LedgerHead;
  /** Also compares the openings of commitments that are still kept. */
  readonly openings?: boolean;
  readonly onProgress?: (checked: number, total: number) => void;
}

export interface VerificationReport {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  /** Entries read by this run; fewer than `size` when it went on from a checkpoint. */
  readonly checked: number;
  readonly unknownKinds: number;
  /** The greatest size that a valid checkpoint speaks for; null without one. */
  readonly checkpoint: number | null;
  readonly findings: readonly Finding[];
  readonly findingCount: number;
  /** As recomputed from the entries: the place to go on from. */
  readonly head: LedgerHead;
}

/** Entries per statement: a bounded answer, and few enough round trips to read 60,000 entries a second. */
const CHUNK = 2_000;

export async function verifyLedger(
  ledger: LedgerReader,
  standing: LedgerStanding,
  options: VerifyOptions,
): Promise<VerificationReport> {
  const { origin, head } = standing;
  const extra: Finding[] = [];
  const checkpoints = openNotes(options, origin, extra);
  const from = options.from ?? "genesis";
  const start = from === "genesis" ? 0 : from.size;
  const verification = startVerification(origin, from, options.sha256);
  for (const { size, root } of checkpoints) {
    if (size >= start) verification.expectCheckpoint(size, root);
  }
  for (let next = start; next < head.size; next += CHUNK) {
    const below = Math.min(next + CHUNK, head.size);
    const entries = await ledger.entries(next, below);
    for (const entry of entries) verification.check(entry);
    if (options.openings === true)
      extra.push(...(await openingFindings(ledger, { next, below }, entries, options.sha256)));
    options.onProgress?.(below, head.size);
  }
  verification.finish(head);
  return report(standing, verification, { extra: [...extra, ...beyondHead(standing)], checkpoints });
}

/** Entries that stand beyond the head were put there by somebody else than the ledger. */
function beyondHead({ head, lastSeq }: LedgerStanding): readonly Finding[] {
  if (lastSeq === null || lastSeq < head.size) return [];
  return [
    { kind: "head", seq: lastSeq, detail: `there is an entry ${lastSeq}, but the head says ${head.size} entries` },
  ];
}

function openNotes({ notes, vkey }: VerifyOptions, origin: string, findings: Finding[]): readonly Checkpoint[] {
  return notes.flatMap(({ note, place }) => {
    const checkpoint = openCheckpoint(note, origin, vkey);
    if (checkpoint !== null) return [checkpoint];
    findings.push({
      kind: "checkpoint",
      seq: null,
      detail: `the newest checkpoint ${place} is not signed by this ledger's key`,
    });
    return [];
  });
}

async function openingFindings(
  ledger: LedgerReader,
  range: { readonly next: number; readonly below: number },
  entries: readonly StoredEntry[],
  sha256: Sha256,
): Promise<readonly Finding[]> {
  const textOf = new Map(entries.map(({ seq, text }) => [seq, text]));
  const openings = await ledger.openings(range.next, range.below);
  return openings.flatMap((opening): Finding[] => {
    const parsed = parseEntry(textOf.get(opening.seq) ?? "");
    if (parsed.ok && openingMatches(opening, parsed.entry.data, sha256)) return [];
    const detail = `the value kept for ${opening.path} is not the one that the entry commits to`;
    return [{ kind: "opening", seq: opening.seq, detail }];
  });
}

/** A report stays readable, however much is broken. */
const FINDINGS_MAX = 200;

function report(
  { origin, head }: LedgerStanding,
  verification: Verification,
  { extra, checkpoints }: { readonly extra: readonly Finding[]; readonly checkpoints: readonly Checkpoint[] },
): VerificationReport {
  const { checked, unknownKinds } = verification.counts();
  return {
    origin,
    size: head.size,
    root: head.root,
    checked,
    unknownKinds,
    checkpoint: checkpoints.length === 0 ? null : Math.max(...checkpoints.map(({ size }) => size)),
    findings: [...verification.findings(), ...extra].slice(0, FINDINGS_MAX),
    findingCount: verification.findingCount() + extra.length,
    head: verification.head(),
  };
}
