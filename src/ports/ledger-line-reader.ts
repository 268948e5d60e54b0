/** The organization's entries with what was committed to in them, newest first: what audit lists are a reading of (deploy R-AUDIT-1). */
import type { JsonValue } from "../core/json.ts";

export interface LedgerLine {
  readonly seq: number;
  /** The entry as it was hashed. */
  readonly text: string;
  /** Base64 of the chain hash after this entry, and after the one before it. */
  readonly hash: string;
  readonly previousHash: string;
  /** Path in the entry → what is committed to there; gone where it was erased. */
  readonly openings: Readonly<Record<string, JsonValue>>;
}

export interface LedgerLineRange {
  /** Entries before this position; null: up to the newest. */
  readonly before: number | null;
  /** Entries from this position on. */
  readonly from: number;
  readonly limit: number;
}

export type MadeKind = "app" | "build" | "release";

/** The entry that says that something of this name was made. */
export interface MadeLine {
  readonly name: string;
  readonly line: LedgerLine;
}

export interface LedgerLineReader {
  ledgerLines(range: LedgerLineRange): Promise<readonly LedgerLine[]>;
  /** The position of the first entry that is not older than this, in ISO text. */
  ledgerPositionAt(at: string): Promise<number>;
  /** At most one of each name, the newest; of this rack alone. */
  ledgerLinesOfMaking(asked: {
    readonly kind: MadeKind;
    readonly names: readonly string[];
    readonly scope: string;
  }): Promise<readonly MadeLine[]>;
}
