/**
 * Is what is stored what was appended? One pass over the entries in order, on a stream of any length.
 * Implements docs/spec/ledger.md sections 6 and 9: every finding has a kind, one damaged entry does not hide the next, and
 * a damaged entry is reported where it is instead of as a thousand consequences.
 */
import { parseEntry } from "./entry.ts";
import type { EntryFields } from "./entry.ts";
import { entryHashes } from "./hash.ts";
import { emptyHead } from "./head.ts";
import type { LedgerHead } from "./head.ts";
import { isHash } from "./hex.ts";
import { isLedgerKind } from "./kinds.ts";
import { LedgerBug } from "./ledger-bug.ts";
import type { Sha256 } from "./sha256.ts";
import { isRangeShape, pushLeaf, rangeRoot } from "./tree.ts";

export type FindingKind =
  | "form"
  | "sequence"
  | "chain"
  | "time"
  | "leaf"
  | "root"
  | "head"
  | "checkpoint"
  | "rollback"
  | "fork"
  | "state"
  | "opening";

export interface Finding {
  readonly kind: FindingKind;
  /** Position of the entry concerned; null for the ledger as a whole. */
  readonly seq: number | null;
  readonly detail: string;
}

/** A row as it is stored: the text and the columns derived from it, none of which is believed. */
export interface StoredEntry {
  readonly seq: number;
  readonly text: string;
  readonly leaf: string;
  readonly chain: string;
  readonly kind: string;
  readonly org: string | null;
  readonly actor: string | null;
  readonly credential: string | null;
  readonly request: string | null;
  readonly resourceDigest: string | null;
  readonly at: string;
}

/** The findings kept are the first of each kind; the count goes on. */
export const FINDINGS_PER_KIND_MAX = 50;

export interface Verification {
  /** The next row, in the order of `seq`. */
  check(entry: StoredEntry): void;
  /** A checkpoint that the ledger must pass through; compared as soon as that many entries are checked. */
  expectCheckpoint(size: number, root: string): void;
  /** No more rows: compares with the stored head and names checkpoints that were never reached. */
  finish(stored: LedgerHead): readonly Finding[];
  /** At most `FINDINGS_PER_KIND_MAX` of each kind, in the order of discovery. */
  findings(): readonly Finding[];
  findingCount(): number;
  /** The head as recomputed so far. It speaks for the bytes as long as there is no finding. */
  head(): LedgerHead;
  /** Entries checked so far, and how many were of kinds this version does not know (R-KIND-1). */
  counts(): { readonly checked: number; readonly unknownKinds: number };
}

/** `from` is "genesis", or a head that is trusted because a signed checkpoint has its root. */
export function startVerification(origin: string, from: LedgerHead | "genesis", sha256: Sha256): Verification {
  const genesisHead = emptyHead(origin, sha256);
  if (from === "genesis") return new StreamVerification(genesisHead, sha256);
  const problem = headProblem(from, sha256);
  // A start that cannot even be read is replaced by the only one that needs no trust; what follows will not fit it.
  const start = problem === MALFORMED ? genesisHead : from;
  const verification = new StreamVerification(start, sha256);
  if (problem !== null) verification.note("head", null, `the head to start from ${problem}`);
  return verification;
}

const MALFORMED = "is malformed";

/** The stored hash, unless it is none. */
function carriedOn(stored: string, computed: string): string {
  return stored === computed || isHash(stored) ? stored : computed;
}

function headProblem(head: LedgerHead, sha256: Sha256): string | null {
  const range = { size: head.size, roots: head.ranges };
  const areHashes = [head.root, head.chain, ...head.ranges].every((hash) => isHash(hash));
  if (!areHashes || !isRangeShape(range)) return MALFORMED;
  return rangeRoot(range, sha256) === head.root ? null : "has a root that its compact range does not give";
}

class StreamVerification implements Verification {
  private readonly sha256: Sha256;
  private readonly start: number;
  private readonly roots: string[];
  private size: number;
  private chain: string;
  private lastAt: string | null;

  /** `seq` that the next row must have, and how far the rows' `seq` has been seen to be from that in their text. */
  private expectedSeq: number;
  private textOffset = 0;

  private unknownKinds = 0;
  private isFinished = false;
  private readonly expectedRoots = new Map<number, string>();
  private readonly kept: Finding[] = [];
  private readonly countOfKind = new Map<FindingKind, number>();

  constructor(head: LedgerHead, sha256: Sha256) {
    this.sha256 = sha256;
    this.start = head.size;
    this.roots = [...head.ranges];
    this.size = head.size;
    this.chain = head.chain;
    this.lastAt = head.lastAt;
    this.expectedSeq = head.size;
  }

  check(row: StoredEntry): void {
    if (this.isFinished) throw new LedgerBug("the verification is finished");
    const parsed = parseEntry(row.text);
    this.checkSequence(row, parsed.ok ? parsed.entry.seq : row.seq - this.textOffset);
    if (parsed.ok) {
      this.checkLinks(row.seq, parsed.entry);
      this.checkColumns(row, parsed.entry);
      if (!isLedgerKind(parsed.entry.kind)) this.unknownKinds += 1;
    } else this.note("form", row.seq, parsed.finding);
    this.advance(row);
  }

  expectCheckpoint(size: number, root: string): void {
    if (!Number.isSafeInteger(size) || size < this.size) throw new LedgerBug(`size ${size} has been passed already`);
    const known = this.expectedRoots.get(size);
    if (known !== undefined && known !== root) {
      this.note("fork", null, `two checkpoints of size ${size} have different roots`);
      return;
    }
    this.expectedRoots.set(size, root);
    this.compareCheckpoint();
  }

  finish(stored: LedgerHead): readonly Finding[] {
    if (this.isFinished) throw new LedgerBug("the verification is finished");
    this.isFinished = true;
    for (const size of this.expectedRoots.keys()) {
      this.note("rollback", null, `a checkpoint of size ${size} was signed, but the ledger ends at size ${this.size}`);
    }
    this.compareHead(stored);
    return this.findings();
  }

  findings(): readonly Finding[] {
    return this.kept;
  }

  findingCount(): number {
    let count = 0;
    for (const countOfOne of this.countOfKind.values()) count += countOfOne;
    return count;
  }

  head(): LedgerHead {
    const { size, chain, lastAt } = this;
    return { size, root: rangeRoot({ size, roots: this.roots }, this.sha256), chain, ranges: [...this.roots], lastAt };
  }

  counts(): { readonly checked: number; readonly unknownKinds: number } {
    return { checked: this.size - this.start, unknownKinds: this.unknownKinds };
  }

  note(kind: FindingKind, seq: number | null, detail: string): void {
    const count = (this.countOfKind.get(kind) ?? 0) + 1;
    this.countOfKind.set(kind, count);
    if (count <= FINDINGS_PER_KIND_MAX) this.kept.push({ kind, seq, detail });
  }

  /** The row's place, and that its text claims the same place. A shift that goes on for many rows is one finding. */
  private checkSequence(row: StoredEntry, textSeq: number): void {
    if (row.seq !== this.expectedSeq) {
      this.note("sequence", row.seq, `entry ${this.expectedSeq} should stand here, but this is entry ${row.seq}`);
    }
    const offset = row.seq - textSeq;
    if (offset !== 0 && offset !== this.textOffset) {
      this.note("sequence", row.seq, `the row says entry ${row.seq}, its text says entry ${textSeq}`);
    }
    this.textOffset = offset;
    this.expectedSeq = row.seq + 1;
  }

  private checkLinks(seq: number, entry: EntryFields): void {
    if (entry.prev !== this.chain) this.note("chain", seq, "prev is not the chain hash of the entry before");
    if (this.lastAt !== null && entry.at < this.lastAt) {
      this.note("time", seq, `at is ${entry.at}, earlier than ${this.lastAt} of the entry before`);
    }
    this.lastAt = entry.at;
  }

  private checkColumns(row: StoredEntry, entry: EntryFields): void {
    const resourceDigest = entry.resource === null ? null : entry.resource.digest;
    if (row.at !== entry.at) this.noteColumn(row, "at");
    if (row.kind !== entry.kind) this.noteColumn(row, "kind");
    if (row.org !== entry.org) this.noteColumn(row, "org");
    if (row.actor !== entry.actor) this.noteColumn(row, "actor");
    if (row.credential !== entry.credential) this.noteColumn(row, "credential");
    if (row.request !== entry.request) this.noteColumn(row, "request");
    if (row.resourceDigest !== resourceDigest) this.noteColumn(row, "resource_digest");
  }

  private noteColumn(row: StoredEntry, column: string): void {
    this.note("state", row.seq, `column ${column} is not what the entry says`);
  }

  /**
   * Takes the entry into chain and tree. Where a stored hash is not that of the bytes, which is a finding, the stored one
   * is carried on: the entries after it were made from that one, so what follows is judged on its own.
   */
  private advance(row: StoredEntry): void {
    const { chain, leaf } = entryHashes(row.text, this.sha256);
    if (row.leaf !== leaf) this.note("leaf", row.seq, "the stored leaf hash is not that of the entry's bytes");
    if (row.chain !== chain) this.note("chain", row.seq, "the stored chain hash is not that of the entry's bytes");
    pushLeaf(this.roots, this.size, carriedOn(row.leaf, leaf), this.sha256);
    this.chain = carriedOn(row.chain, chain);
    this.size += 1;
    this.compareCheckpoint();
  }

  private compareCheckpoint(): void {
    const expected = this.expectedRoots.get(this.size);
    if (expected === undefined) return;
    this.expectedRoots.delete(this.size);
    if (expected !== this.head().root) {
      this.note("checkpoint", null, `the entries up to size ${this.size} do not give the root that was signed`);
    }
  }

  private compareHead(stored: LedgerHead): void {
    const { size, root, chain, ranges, lastAt } = this.head();
    if (stored.size !== size) this.note("head", null, `the head says ${stored.size} entries, there are ${size}`);
    if (stored.root !== root) this.note("root", null, "the head's root is not that of the entries");
    if (stored.chain !== chain) this.note("head", null, "the head's chain hash is not that of the last entry");
    if (stored.ranges.join() !== ranges.join()) {
      this.note("head", null, "the head's compact range is not that of the entries");
    }
    if (stored.lastAt !== lastAt) this.note("head", null, "the head's time is not that of the last entry");
  }
}
