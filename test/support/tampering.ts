/** What somebody with full power over the database could do to the ledger, and what they would do to hide it. */
import { Client } from "pg";
import { createLedgerReader } from "../../src/adapters/postgres/ledger-reader.ts";
import { clientConfig, connect } from "../../src/adapters/postgres/connect.ts";
import { startVerification } from "../../src/ledger/verify.ts";
import { nodeSha256 } from "../../src/main/open-ledger.ts";

const RECOMPUTED = `leaf = encode(sha256('\\x00'::bytea || convert_to(text, 'UTF8')), 'hex'),
  chain = encode(sha256(convert_to(text, 'UTF8')), 'hex')`;

export type Tampering = (database: Client, url: string) => Promise<unknown>;

export interface Tamper {
  readonly how: string;
  readonly tampering: Tampering;
  /** The kinds of which at least one must be found. */
  readonly found: readonly string[];
}

export const tampers: readonly Tamper[] = [
  {
    how: "edits the text of an entry",
    tampering: (database) =>
      database.query(`update ledger_entries set text = replace(text, '"at":"20', '"at":"19') where seq = 4`),
    found: ["leaf"],
  },
  {
    how: "edits an entry and recomputes its hashes",
    tampering: async (database) => {
      await database.query(`update ledger_entries set text = replace(text, '"at":"20', '"at":"19') where seq = 4`);
      await database.query(`update ledger_entries set at = '19' || substr(at, 3), ${RECOMPUTED} where seq = 4`);
    },
    found: ["chain"],
  },
  {
    how: "edits a column that is derived from the text",
    tampering: (database) => database.query("update ledger_entries set actor = 'sys_nobody' where seq = 5"),
    found: ["state"],
  },
  {
    how: "deletes an entry",
    tampering: (database) => database.query("delete from ledger_entries where seq = 7"),
    found: ["sequence"],
  },
  {
    how: "deletes an entry and closes the gap",
    tampering: async (database) => {
      await database.query("delete from ledger_entries where seq = 7");
      await database.query("alter table ledger_entries drop constraint ledger_entries_seq_check");
      await database.query("update ledger_entries set seq = -seq where seq > 7");
      await database.query("update ledger_entries set seq = -seq - 1 where seq < 0");
    },
    found: ["sequence", "chain"],
  },
  {
    how: "adds an entry after the last one",
    tampering: (database) =>
      database.query(`insert into ledger_entries select (select max(seq) + 1 from ledger_entries), text, at, org, kind, actor,
        credential, request, resource_digest, chain, leaf from ledger_entries where seq = 3`),
    found: ["head"],
  },
  {
    how: "puts an entry between two others",
    tampering: async (database) => {
      await database.query("alter table ledger_entries drop constraint ledger_entries_seq_check");
      await database.query("update ledger_entries set seq = -seq where seq > 7");
      await database.query("update ledger_entries set seq = -seq + 1 where seq < 0");
      await database.query(`insert into ledger_entries select 8, text, at, org, kind, actor, credential, request, resource_digest,
        chain, leaf from ledger_entries where seq = 3`);
      await database.query("update ledger_head set size = size + 1");
    },
    found: ["sequence", "chain"],
  },
  {
    how: "exchanges two entries",
    tampering: async (database) => {
      await database.query("alter table ledger_entries drop constraint ledger_entries_seq_check");
      await database.query("update ledger_entries set seq = -5 where seq = 5");
      await database.query("update ledger_entries set seq = 5 where seq = 6");
      await database.query("update ledger_entries set seq = 6 where seq = -5");
    },
    found: ["sequence", "chain"],
  },
  {
    how: "changes the head",
    tampering: (database) => database.query("update ledger_head set root = repeat('0', 64)"),
    found: ["root"],
  },
  {
    how: "replaces the newest checkpoint",
    tampering: (database) =>
      database.query(`update ledger_checkpoints set note = replace(note, 'localhost', 'elsewhere')
        where size = (select max(size) from ledger_checkpoints)`),
    found: ["checkpoint"],
  },
  {
    how: "removes the newest entries and sets the head back",
    tampering: (database, url) => cutOff(database, url, { alsoCheckpoints: false }),
    found: ["rollback"],
  },
];

/** Triggers and foreign keys do not stand in the way of who owns the database. */
export async function tamperWith(url: string, tampering: Tampering): Promise<void> {
  const database = new Client(clientConfig(url, { statementTimeoutMs: false }));
  await database.connect();
  try {
    await database.query("set session_replication_role = replica");
    await tampering(database, url);
  } finally {
    await database.end();
  }
}

/** The last three entries go, and everything in the database that tells of them. */
export async function cutOff(
  database: Client,
  url: string,
  { alsoCheckpoints }: { alsoCheckpoints: boolean },
): Promise<void> {
  await database.query("delete from ledger_entries where seq > (select max(seq) - 3 from ledger_entries)");
  const { rows } = await database.query<{ origin: string }>("select origin from ledger_head");
  const head = await recomputedHead(url, rows[0]?.origin ?? "");
  await database.query("update ledger_head set size = $1, root = $2, chain = $3, ranges = $4, last_at = $5", [
    ...[head.size, head.root, head.chain, head.ranges, head.lastAt],
  ]);
  if (alsoCheckpoints) await database.query("delete from ledger_checkpoints where size > $1", [head.size]);
}

async function recomputedHead(
  url: string,
  origin: string,
): Promise<ReturnType<ReturnType<typeof startVerification>["head"]>> {
  const pool = connect(url, { poolSize: 1 });
  try {
    const verification = startVerification(origin, "genesis", nodeSha256);
    for (const entry of await createLedgerReader(pool).entries(0, 1_000_000)) verification.check(entry);
    return verification.head();
  } finally {
    await pool.end();
  }
}
