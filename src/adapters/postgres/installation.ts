/**
 * What does a fresh database need before anything can happen in it? The ledger with its entry 0, and the organization that
 * everything belongs to, in one transaction: a start that is killed in between leaves an empty database.
 */
import type { Pool, PoolClient } from "pg";
import { appendEntries, type EntryDraft, type SealedEntry } from "../../ledger/append.ts";
import { emptyHead, type LedgerHead } from "../../ledger/head.ts";
import type { Sha256 } from "../../ledger/sha256.ts";
import { asDatabaseFault } from "./database-fault.ts";

export interface Installation {
  readonly orgId: string;
  /** Names the ledger for ever (docs/spec/ledger.md section 2). */
  readonly origin: string;
}

export interface NewInstallation extends Installation {
  /** Of the key that will sign the checkpoints. */
  readonly vkey: string;
  readonly organization: string;
  /** Ledger time. */
  readonly now: string;
  readonly sha256: Sha256;
}

/** Null when the database has no ledger yet. */
export async function readInstallation(pool: Pool): Promise<Installation | null> {
  try {
    const { rows } = await pool.query<{ origin: string; org_id: string | null }>(
      `select origin, (select id from organizations order by created_at, id limit 1) as org_id from ledger_head`,
    );
    const [row] = rows;
    return row?.org_id === undefined || row.org_id === null ? null : { origin: row.origin, orgId: row.org_id };
  } catch (error) {
    throw asDatabaseFault(error);
  }
}

/** Makes ledger and organization, unless another process did so meanwhile: then that one's stand. */
export async function initializeInstallation(pool: Pool, wanted: NewInstallation): Promise<Installation> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("lock table ledger_head in exclusive mode");
    const isMade = await client.query("select from ledger_head");
    if (isMade.rowCount === 0) await insertInstallation(client, wanted);
    await client.query("commit");
    client.release();
  } catch (error) {
    client.release(true);
    throw asDatabaseFault(error);
  }
  return (await readInstallation(pool)) ?? wanted;
}

async function insertInstallation(client: PoolClient, wanted: NewInstallation): Promise<void> {
  const { head, entries } = appendEntries(
    emptyHead(wanted.origin, wanted.sha256),
    drafts(wanted),
    wanted.now,
    wanted.sha256,
  );
  await client.query("insert into organizations (id, name, created_at) values ($1, $2, $3)", [
    wanted.orgId,
    wanted.organization,
    wanted.now,
  ]);
  for (const entry of entries) await insertEntry(client, entry);
  await insertHead(client, wanted.origin, head);
}

/** Entry 0 names the ledger and the key of its checkpoints; entry 1 is the organization. */
function drafts({ origin, vkey, orgId }: NewInstallation): readonly EntryDraft[] {
  const nobody = { actor: "sys_server", credential: null, resource: null, request: null } as const;
  const org = `org_${orgId.replaceAll("-", "")}`;
  return [
    { ...nobody, org: null, kind: "ledger.created", data: { canonical: "rfc8785", hash: "sha256", origin, vkey } },
    { ...nobody, org, kind: "org.created", data: {} },
  ];
}

async function insertEntry(client: PoolClient, entry: SealedEntry): Promise<void> {
  const { seq, text, at, org, kind, actor, credential, request, resourceDigest, chain, leaf } = entry;
  await client.query(
    `insert into ledger_entries (seq, text, at, org, kind, actor, credential, request, resource_digest, chain, leaf)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [seq, text, at, org, kind, actor, credential, request, resourceDigest, chain, leaf],
  );
}

async function insertHead(client: PoolClient, origin: string, head: LedgerHead): Promise<void> {
  const { size, root, chain, ranges, lastAt } = head;
  await client.query(
    "insert into ledger_head (origin, size, root, chain, ranges, last_at) values ($1, $2, $3, $4, $5, $6)",
    [origin, size, root, chain, ranges, lastAt],
  );
}
