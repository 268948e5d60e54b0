/** The whole ledger of a database, from bytes: what `countersign verify` would find. */
import { Client } from "pg";
import type { LedgerHead } from "../../src/ledger/head.ts";
import { startVerification, type Finding, type StoredEntry } from "../../src/ledger/verify.ts";
import { ORIGIN, sha256 } from "./test-application.ts";

interface EntryRow extends Omit<StoredEntry, "seq" | "resourceDigest"> {
  readonly seq: string;
  readonly resource_digest: string | null;
}

interface HeadRow extends Omit<LedgerHead, "size" | "lastAt"> {
  readonly size: string;
  readonly last_at: string | null;
}

export async function verifyDatabase(url: string): Promise<readonly Finding[]> {
  const client = new Client(url);
  await client.connect();
  const verification = startVerification(ORIGIN, "genesis", sha256);
  const { rows } = await client.query<EntryRow>(
    "select seq, text, at, org, kind, actor, credential, request, resource_digest, chain, leaf from ledger_entries order by seq",
  );
  for (const { resource_digest: resourceDigest, seq, ...row } of rows) {
    verification.check({ ...row, resourceDigest, seq: Number(seq) });
  }
  const heads = await client.query<HeadRow>("select size, root, chain, ranges, last_at from ledger_head");
  await client.end();
  const head = heads.rows[0];
  if (head === undefined) throw new Error("there is no head");
  return verification.finish({ ...head, size: Number(head.size), lastAt: head.last_at });
}
