/**
 * How is the ledger read for verification, export and checkpoints? As it is stored, in the order of positions, a bounded
 * number at a time; nothing here judges what it reads.
 */
import type { Pool } from "pg";
import type { JsonValue } from "../../ledger/canonical-json.ts";
import type { LedgerHead } from "../../ledger/head.ts";
import type { StoredEntry } from "../../ledger/verify.ts";
import { sql } from "./named-sql.ts";
import { read } from "./reader-statement.ts";
import { timestamp } from "./rows.ts";

export interface LedgerStanding {
  readonly origin: string;
  readonly head: LedgerHead;
  /** The greatest position that any entry has; null when there is none. */
  readonly lastSeq: number | null;
}

/** A checkpoint as it is stored, with where the ledger stood then. */
export interface StoredCheckpoint {
  readonly note: string;
  readonly head: LedgerHead;
}

export interface StoredOpening {
  readonly seq: number;
  readonly path: string;
  readonly salt: string;
  readonly value: JsonValue;
}

export interface LedgerReader {
  /** Undefined when the ledger has not been made yet. */
  standing(): Promise<LedgerStanding | undefined>;
  /** The entries at positions from `from` to below `below`, in order. */
  entries(from: number, below: number): Promise<readonly StoredEntry[]>;
  /** The openings that are kept for those entries. */
  openings(from: number, below: number): Promise<readonly StoredOpening[]>;
  newestCheckpoint(): Promise<StoredCheckpoint | undefined>;
  saveCheckpoint(checkpoint: StoredCheckpoint, now: number): Promise<void>;
}

/** Every method rejects with `Unavailable` when the database cannot answer in time. */
export function createLedgerReader(pool: Pool): LedgerReader {
  return {
    async standing() {
      const [row] = await read(standingSql, pool);
      return row === undefined ? undefined : { origin: row.origin, head: headFromRow(row), lastSeq: row.last_seq };
    },
    async entries(from, below) {
      const rows = await read(entriesSql, pool, [from, below]);
      return rows.map(entryFromRow);
    },
    openings: (from, below) => read(openingsSql, pool, [from, below]),
    async newestCheckpoint() {
      const [row] = await read(newestCheckpointSql, pool);
      return row === undefined ? undefined : { note: row.note, head: headFromRow(row) };
    },
    async saveCheckpoint({ note, head }, now) {
      const { size, root, chain, ranges, lastAt } = head;
      await read(saveCheckpointSql, pool, [size, root, note, timestamp(now), chain, ranges, lastAt]);
    },
  };
}

interface HeadRow {
  readonly size: number;
  readonly root: string;
  readonly chain: string;
  readonly ranges: readonly string[];
  readonly last_at: string | null;
}

function headFromRow({ size, root, chain, ranges, last_at: lastAt }: HeadRow): LedgerHead {
  return { size, root, chain, ranges, lastAt };
}

/** One statement, so that head and entries are of one moment. */
const standingSql = sql<HeadRow & { origin: string; last_seq: number | null }>(
  "ledger_standing",
  `select origin, size, root, chain, ranges, last_at, (select max(seq) from ledger_entries) as last_seq from ledger_head`,
);

const entriesSql = sql<EntryRow>(
  "ledger_entries_between",
  `select seq, text, at, org, kind, actor, credential, request, resource_digest, chain, leaf
   from ledger_entries where seq >= $1 and seq < $2 order by seq`,
);

const openingsSql = sql<{ seq: number; path: string; salt: string; value: JsonValue }>(
  "ledger_openings_between",
  "select seq, path, salt, value from ledger_openings where seq >= $1 and seq < $2 order by seq, path",
);

const newestCheckpointSql = sql<HeadRow & { note: string }>(
  "ledger_newest_checkpoint",
  "select size, root, note, chain, ranges, last_at from ledger_checkpoints order by size desc limit 1",
);

const saveCheckpointSql = sql(
  "ledger_save_checkpoint",
  `insert into ledger_checkpoints (size, root, note, created_at, chain, ranges, last_at)
   values ($1, $2, $3, $4, $5, $6, $7) on conflict (size) do nothing`,
);

interface EntryRow {
  readonly seq: number;
  readonly text: string;
  readonly at: string;
  readonly org: string | null;
  readonly kind: string;
  readonly actor: string | null;
  readonly credential: string | null;
  readonly request: string | null;
  readonly resource_digest: string | null;
  readonly chain: string;
  readonly leaf: string;
}

function entryFromRow({ resource_digest: resourceDigest, ...row }: EntryRow): StoredEntry {
  return { ...row, resourceDigest };
}
