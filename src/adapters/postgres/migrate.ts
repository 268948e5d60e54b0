/**
 * How does the schema come to the version this code needs? Numbered files `NNNN_name.sql`, forward only, each in its own
 * transaction, each recorded with its digest. Two processes that start at once wait for each other; nothing is guessed.
 */
import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { clientConfig, endClient } from "./connect.ts";
import { asDatabaseFault, codeOf, DatabaseUnavailable, DatabaseUnusable } from "./database-fault.ts";
import { raiseReadingWall } from "./reading-wall.ts";
import { assertServerUsable } from "./server-version.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

export interface MigrationResult {
  /** The versions applied by this call, in order. */
  readonly applied: readonly number[];
  /** The version of the schema now. */
  readonly version: number;
}

export interface MigrateOptions {
  readonly directory: string;
  /** Called before each file is applied, and when another process holds the lock. */
  readonly onProgress?: (line: string) => void;
}

/** Any number will do as long as it never changes: ASCII "countsgn" as a bigint. */
const LOCK_KEY = "7165074649430321006";
const LOCK_WAIT_MS = 60_000;

/** Brings the database to the newest version known to this code, or refuses with a sentence and changes nothing. */
export async function migrate(connectionString: string, options: MigrateOptions): Promise<MigrationResult> {
  const migrations = await readMigrations(options.directory);
  const client = new Client(
    clientConfig(connectionString, { applicationName: "countersign migrate", statementTimeoutMs: false }),
  );
  client.on("error", ignore);
  await client.connect().catch((error: unknown) => {
    throw new DatabaseUnavailable(error);
  });
  try {
    await assertServerUsable(client);
    return await withLock(client, options, () => applyPending(client, migrations, options));
  } catch (error) {
    throw asDatabaseFault(error);
  } finally {
    await endClient(client);
  }
}

/** The migration files in order. Numbers start at 1 and have no gap: a missing file would be a schema nobody tested. */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith(".sql")).sort();
  return await Promise.all(files.map((file, index) => readMigration(directory, file, index + 1)));
}

async function readMigration(directory: string, file: string, version: number): Promise<Migration> {
  const match = /^(\d{4})_([a-z0-9_]+)\.sql$/.exec(file);
  if (match?.[1] === undefined || match[2] === undefined || Number(match[1]) !== version) {
    throw new DatabaseUnusable(
      "migration_files",
      `The migration file ${file} should be number ${String(version).padStart(4, "0")}: files are named NNNN_name.sql, from 0001, without gaps.`,
    );
  }
  // A checkout on another system may end lines differently: that is no change of the migration.
  const text = (await readFile(join(directory, file), "utf8")).replaceAll("\r\n", "\n");
  return { version, name: match[2], text, sha256: createHash("sha256").update(text, "utf8").digest("hex") };
}

/** One migrator at a time per database; the lock ends with the connection, so a killed one leaves nothing behind. */
async function withLock(
  client: Client,
  options: MigrateOptions,
  work: () => Promise<MigrationResult>,
): Promise<MigrationResult> {
  const tried = await client.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCK_KEY}) as locked`);
  if (tried.rows[0]?.locked !== true) {
    options.onProgress?.("Another process is migrating this database: waiting for it.");
    await client.query(`set lock_timeout = ${String(LOCK_WAIT_MS)}`);
    await client.query(`select pg_advisory_lock(${LOCK_KEY})`);
    await client.query("reset lock_timeout");
  }
  try {
    return await work();
  } finally {
    await client.query(`select pg_advisory_unlock(${LOCK_KEY})`).catch(ignore);
  }
}

async function applyPending(
  client: Client,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<MigrationResult> {
  const recorded = await readRecorded(client);
  assertSameHistory(migrations, recorded);
  const pending = migrations.slice(recorded.length);
  for (const migration of pending) {
    options.onProgress?.(`Applying migration ${fileName(migration)}.`);
    await apply(client, migration);
  }
  await raiseReadingWall(client);
  return { applied: pending.map((migration) => migration.version), version: migrations.length };
}

interface Recorded {
  readonly version: number;
  readonly name: string;
  readonly sha256: string;
}

/** Reading comes before creating: a user who may only read and write rows can start on a migrated database. */
async function readRecorded(client: Client): Promise<readonly Recorded[]> {
  const found = await client.query<{ exists: boolean }>(
    "select to_regclass('schema_migrations') is not null as exists",
  );
  if (found.rows[0]?.exists !== true) {
    await client
      .query(
        `create table schema_migrations (
           version integer primary key,
           name text not null,
           sha256 text not null,
           applied_at timestamptz not null default clock_timestamp()
         )`,
      )
      .catch(refuse("schema_migrations"));
  }
  const result = await client
    .query<Recorded>("select version, name, sha256 from schema_migrations order by version")
    .catch((error: unknown) => {
      if (codeOf(error) !== "42703") throw error;
      throw new DatabaseUnusable(
        "database_not_ours",
        "This database has a table schema_migrations that is not Countersign's: give Countersign a database of its own.",
        error,
      );
    });
  return result.rows;
}

function assertSameHistory(migrations: readonly Migration[], recorded: readonly Recorded[]): void {
  recorded.forEach((row, index) => {
    const migration = migrations[index];
    if (migration === undefined) {
      throw new DatabaseUnusable(
        "database_newer",
        `The database is at schema version ${String(recorded.at(-1)?.version)}, this Countersign knows only ${String(migrations.length)}: start the newer version, or restore the backup made before it.`,
      );
    }
    if (row.version !== migration.version || row.sha256 !== migration.sha256) {
      throw new DatabaseUnusable(
        "migration_changed",
        `Migration ${fileName(migration)} is not the one that made this database (applied as ${row.name}): put the original file back; a change needs a new file.`,
      );
    }
  });
}

async function apply(client: Client, migration: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query(migration.text);
    if (client.getTransactionStatus() !== "T") throw new Error("the file ends its own transaction");
    await client.query("insert into schema_migrations (version, name, sha256) values ($1, $2, $3)", [
      migration.version,
      migration.name,
      migration.sha256,
    ]);
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(ignore);
    return refuse(fileName(migration))(error);
  }
}

function refuse(what: string): (error: unknown) => never {
  return (error) => {
    const fault = asDatabaseFault(error);
    if (fault instanceof DatabaseUnavailable) throw fault;
    const reason = error instanceof Error ? error.message : "no reason given";
    const advice =
      codeOf(error) === "42501" ? " Make the database user the owner of the database, or grant it create." : "";
    throw new DatabaseUnusable(
      "migration_failed",
      `Migration ${what} could not be applied: ${reason}.${advice}`,
      error,
    );
  };
}

function fileName(migration: Migration): string {
  return `${String(migration.version).padStart(4, "0")}_${migration.name}.sql`;
}

function ignore(): void {
  // The connection is ending; the error that matters is already on its way.
}
