/**
 * Verifies the ledger of a data directory or a database, without a server and without changing anything. Of a data directory
 * it uses the database that runs there, else starts it for as long as it takes.
 */
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { checkpointFiles } from "../adapters/data-directory/checkpoint-files.ts";
import { readSigningKey } from "../adapters/data-directory/signing-key.ts";
import { EmbeddedPostgresFault } from "../adapters/embedded-postgres/embedded-postgres-fault.ts";
import { startEmbeddedPostgres } from "../adapters/embedded-postgres/start-embedded-postgres.ts";
import { connect } from "../adapters/postgres/connect.ts";
import { createLedgerReader, type LedgerReader } from "../adapters/postgres/ledger-reader.ts";
import { verifierKeyOf } from "../ledger/note.ts";
import { nodeSha256, vkeyOfLedger } from "./open-ledger.ts";
import { verifyLedger, type VerificationReport } from "./verify-ledger.ts";

export interface VerifyDatabaseOptions {
  /** Holds the key, the exported checkpoints and, unless `databaseUrl` names another, the database. */
  readonly dataDir?: string;
  readonly databaseUrl?: string;
  /** The key that checkpoints must be signed with, when the asker knows it. */
  readonly vkey?: string;
  /** Also the openings that are kept beside the entries. */
  readonly full: boolean;
  readonly onProgress: (checked: number, total: number) => void;
}

export interface VerifiedDatabase {
  readonly report: VerificationReport;
  readonly vkey: string;
  /** Who says that this is the key: the asker, the key file, or only the ledger itself. */
  readonly keySource: "given" | "key file" | "ledger";
}

/** There is nothing to verify, or it cannot be reached; the message says why. */
export class CannotVerify extends Error {
  override readonly name = "CannotVerify";
}

/** Where a running server says how its embedded database is reached. */
export function databaseUrlFile(dataDir: string): string {
  return join(dataDir, "database-url");
}

/** Throws CannotVerify or a fault of the database. */
export async function verifyDatabase(options: VerifyDatabaseOptions): Promise<VerifiedDatabase> {
  const { dataDir, databaseUrl } = options;
  if (databaseUrl !== undefined) return await verifyAt(databaseUrl, options);
  if (dataDir === undefined) throw new CannotVerify("Say what to verify: --data, --database or --server.");
  return await withDatabaseOf(resolve(dataDir), (url) => verifyAt(url, options));
}

/** The database of this data directory: the one that runs, else started for as long as the work takes. */
export async function withDatabaseOf<Answer>(dataDir: string, work: (url: string) => Promise<Answer>): Promise<Answer> {
  await assertHoldsDatabase(dataDir);
  try {
    const database = await startEmbeddedPostgres({ dataDir, log: ignore });
    return await work(database.connectionString).finally(() => database.stop());
  } catch (error) {
    const isRunning = error instanceof EmbeddedPostgresFault && error.code === "embedded_postgres_in_use";
    const file = databaseUrlFile(dataDir);
    if (!isRunning || !existsSync(file)) throw error;
    return await work(await readFile(file, "utf8"));
  }
}

/** Looking must not make a database where there is none. */
async function assertHoldsDatabase(dataDir: string): Promise<void> {
  const names = existsSync(dataDir) ? await readdir(dataDir) : [];
  if (names.some((name) => /^pg\d+$/.test(name) || name === "database-location.json")) return;
  throw new CannotVerify(`There is no database in ${dataDir}: was it given as --data to countersign dev or serve?`);
}

async function verifyAt(url: string, options: VerifyDatabaseOptions): Promise<VerifiedDatabase> {
  const pool = connect(url, { poolSize: 2, applicationName: "countersign-verify", statementTimeoutMs: 60_000 });
  try {
    const ledger = createLedgerReader(pool);
    const standing = await ledger.standing();
    if (standing === undefined) throw new CannotVerify("This database holds no ledger.");
    const { vkey, keySource } = await keyFor(ledger, standing.origin, options);
    const notes = await newestNotes(ledger, options.dataDir);
    const report = await verifyLedger(ledger, standing, {
      ...{ sha256: nodeSha256, vkey, notes, openings: options.full },
      onProgress: options.onProgress,
    });
    return { report, vkey, keySource };
  } finally {
    await pool.end();
  }
}

async function keyFor(
  ledger: LedgerReader,
  origin: string,
  { vkey, dataDir }: VerifyDatabaseOptions,
): Promise<Pick<VerifiedDatabase, "vkey" | "keySource">> {
  if (vkey !== undefined) return { vkey, keySource: "given" };
  const seed = dataDir === undefined ? null : await readSigningKey(resolve(dataDir));
  if (seed !== null) return { vkey: verifierKeyOf(seed, origin), keySource: "key file" };
  // Without a readable entry 0 no signature can be checked, and every checkpoint is a finding.
  return { vkey: (await vkeyOfLedger(ledger)) ?? "", keySource: "ledger" };
}

async function newestNotes(
  ledger: LedgerReader,
  dataDir: string | undefined,
): Promise<readonly { readonly note: string; readonly place: string }[]> {
  const stored = await ledger.newestCheckpoint();
  const files = dataDir === undefined ? null : checkpointFiles(resolve(dataDir));
  const exported = (await files?.newest()) ?? null;
  return [
    ...(exported === null || files === null ? [] : [{ note: exported, place: `in ${files.directory}` }]),
    ...(stored === undefined ? [] : [{ note: stored.note, place: "in the database" }]),
  ];
}

function ignore(): void {
  // The database's own messages are not what was asked for.
}
