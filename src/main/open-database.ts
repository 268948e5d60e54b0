/**
 * Which database does the server use? The one that DATABASE_URL names, else the one that comes with Countersign, in the data
 * directory (docs/adr/0004-storage.md). Either way it is migrated before anybody uses it.
 */
import { join } from "node:path";
import { startEmbeddedPostgres } from "../adapters/embedded-postgres/start-embedded-postgres.ts";
import type { EmbeddedPostgresState } from "../adapters/embedded-postgres/start-embedded-postgres.ts";
import { connect } from "../adapters/postgres/connect.ts";
import { migrate } from "../adapters/postgres/migrate.ts";
import { packageRoot } from "./package-root.ts";

export interface OpenDatabaseOptions {
  /** DATABASE_URL; undefined means the embedded database. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  /** PG_BIN_DIR: the programs for the embedded database, when the operator chose. */
  readonly binDir?: string | undefined;
  readonly log: (line: string) => void;
}

export interface OpenDatabase {
  readonly connectionString: string;
  readonly kind: "embedded" | "external";
  /** The schema versions applied by this start. */
  readonly migrated: readonly number[];
  /** Whether the embedded database process runs; an external one is not ours to watch and counts as running. */
  state(): EmbeddedPostgresState;
  /** Ends the embedded database. Close all connections first. */
  close(): Promise<void>;
}

/** Throws DatabaseUnusable, DatabaseUnavailable or EmbeddedPostgresFault; their messages are for the person at the terminal. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  return options.databaseUrl === undefined
    ? await openEmbedded(options)
    : await openExternal(options.databaseUrl, options.log);
}

async function openEmbedded(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { dataDir, log, binDir } = options;
  const embedded = await startEmbeddedPostgres({ dataDir, log, ...(binDir !== undefined && { binDir }) });
  try {
    const { connectionString } = embedded;
    log(`Database: embedded Postgres in ${embedded.cluster}, ${connectionString}`);
    const migrated = await migrateToNewest(connectionString, log);
    return {
      connectionString,
      kind: "embedded",
      migrated,
      state: () => embedded.state(),
      close: () => embedded.stop(),
    };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

async function openExternal(connectionString: string, log: (line: string) => void): Promise<OpenDatabase> {
  const migrated = await migrateToNewest(connectionString, log);
  await warnIfForgetful(connectionString, log);
  return { connectionString, kind: "external", migrated, state: () => "running", close: () => Promise.resolve() };
}

async function migrateToNewest(connectionString: string, log: (line: string) => void): Promise<readonly number[]> {
  const directory = join(packageRoot(), "db", "migrations");
  const result = await migrate(connectionString, { directory, onProgress: log });
  return result.applied;
}

/** An acknowledged decision must survive a power cut. The operator may have decided otherwise, but should know. */
async function warnIfForgetful(connectionString: string, log: (line: string) => void): Promise<void> {
  const pool = connect(connectionString, { poolSize: 1 });
  try {
    const result = await pool.query<{ name: string }>(
      "select name from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off'",
    );
    for (const { name } of result.rows) {
      log(`Warning: this database has ${name} = off; decisions that were acknowledged can be lost in a power cut.`);
    }
  } finally {
    await pool.end();
  }
}
