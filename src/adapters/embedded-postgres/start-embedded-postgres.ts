/**
 * The database that comes with Countersign (docs/adr/0004-storage.md): a real Postgres on a private Unix socket, made on the
 * first start, ended with this process however it ends, and started again by itself when it dies while we run.
 */
import { createHash } from "node:crypto";
import { lstat, mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { placeCluster } from "./cluster-place.ts";
import { createCluster, DATABASE_USER, writeAccessRules } from "./create-cluster.ts";
import { lockData } from "./data-lock.ts";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";
import { findBinaries } from "./postgres-binaries.ts";
import { startPostgres } from "./postgres-process.ts";
import type { PostgresProcess, PostgresProcessOptions } from "./postgres-process.ts";
import { handOver, serviceUser } from "./service-user.ts";
import type { ServiceUser } from "./service-user.ts";

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  readonly log: (line: string) => void;
  /** Where initdb and postgres are, when the operator chose (PG_BIN_DIR). */
  readonly binDir?: string;
}

export type EmbeddedPostgresState = "running" | "restarting" | "stopped";

export interface EmbeddedPostgres {
  readonly connectionString: string;
  /** The directory of the database files. */
  readonly cluster: string;
  state(): EmbeddedPostgresState;
  /** Tells each time the database process ended without being asked to; it is being started again. */
  onExit(callback: () => void): void;
  stop(): Promise<void>;
}

const DATABASE_NAME = "countersign";
const PORT = "5432";
const RESTART_DELAY_FIRST_MS = 50;
const RESTART_DELAY_MAX_MS = 5_000;

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries(options.binDir);
  const place = await placeCluster(options.dataDir, binaries.major, serviceUser());
  const lock = await lockData(place.parent);
  try {
    const user = await clusterUser(place.cluster);
    const origin = await createCluster({ binaries, cluster: place.cluster, user, isDurable: true });
    if (origin === "made") options.log(`Made an empty database in ${place.cluster}.`);
    await writeAccessRules(place.cluster, user);
    const socketDirectory = await makeSocketDirectory(place.cluster, user);
    const processOptions = {
      binaries,
      cluster: place.cluster,
      user,
      settings: serverSettings(socketDirectory),
      logFile: join(place.parent, "postgres.log"),
    };
    const supervised = await supervise(processOptions, options.log);
    await ensureDatabase(socketDirectory).catch(async (error: unknown) => {
      await supervised.stop();
      throw error;
    });
    return {
      ...supervised,
      connectionString: socketUrl(socketDirectory, DATABASE_NAME),
      cluster: place.cluster,
      async stop(): Promise<void> {
        await supervised.stop();
        await rm(socketDirectory, { recursive: true, force: true });
        await lock.release();
      },
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** A URL on a Unix socket, as `pg` reads it. */
function socketUrl(socketDirectory: string, database: string): string {
  return `postgres://${DATABASE_USER}@/${database}?host=${encodeURIComponent(socketDirectory)}&port=${PORT}`;
}

interface Supervised {
  state(): EmbeddedPostgresState;
  onExit(callback: () => void): void;
  stop(): Promise<void>;
}

/** Keeps the server running until it is told to stop. It never gives up: a full disk may be emptied, memory may come back. */
async function supervise(options: PostgresProcessOptions, log: (line: string) => void): Promise<Supervised> {
  const listeners: (() => void)[] = [];
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  let state: EmbeddedPostgresState = "running";
  let running = await startPostgres(options);
  const watching = watch();

  async function watch(): Promise<void> {
    for (;;) {
      await running.ended;
      if (isStopping()) return;
      state = "restarting";
      log("The database process ended unexpectedly; starting it again.");
      for (const listener of listeners) listener();
      const next = await restart(options, log, stopping.signal);
      if (next === undefined) return;
      running = next;
      state = "running";
      log("The database process is running again.");
      if (isStopping()) await next.stop();
    }
  }

  return {
    state: () => state,
    onExit: (callback) => void listeners.push(callback),
    async stop(): Promise<void> {
      stopping.abort();
      await running.stop();
      await watching;
      state = "stopped";
    },
  };
}

/** Tries until the server runs, or until we stop: then there is none. */
async function restart(
  options: PostgresProcessOptions,
  log: (line: string) => void,
  stopping: AbortSignal,
): Promise<PostgresProcess | undefined> {
  for (let wait = RESTART_DELAY_FIRST_MS; ; wait = Math.min(wait * 2, RESTART_DELAY_MAX_MS)) {
    await delay(wait, undefined, { signal: stopping }).catch(() => undefined);
    if (stopping.aborted) return undefined;
    try {
      return await startPostgres(options);
    } catch (error) {
      log(`The database process could not be started again: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }
}

/** Root may have been given the database of another user: then it runs as that user. Others can only run their own. */
async function clusterUser(cluster: string): Promise<ServiceUser | undefined> {
  const entry = await stat(cluster).catch(() => undefined);
  const user = serviceUser();
  if (entry === undefined) return user;
  if (user !== undefined) return entry.uid === 0 ? user : { uid: entry.uid, gid: entry.gid };
  if (entry.uid === process.getuid?.()) return undefined;
  throw new EmbeddedPostgresFault(
    "embedded_postgres_data",
    `The database in ${cluster} belongs to another user (${String(entry.uid)}): start Countersign as that user or as root.`,
  );
}

/** A short name, because the path of a Unix socket has at most 107 bytes; the same at every start of the same cluster. */
export function socketDirectoryOf(cluster: string): string {
  return `/tmp/countersign-${createHash("sha256").update(cluster).digest("hex").slice(0, 12)}`;
}

/** Private to the service user: nobody else can even see whether a database is there. */
async function makeSocketDirectory(cluster: string, user: ServiceUser | undefined): Promise<string> {
  const directory = socketDirectoryOf(cluster);
  const uid = user?.uid ?? process.getuid?.();
  const found = await lstat(directory).catch(() => undefined);
  if (found === undefined) {
    await mkdir(directory, { mode: 0o700 });
    await handOver(directory, user);
    return directory;
  }
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return directory;
  throw new EmbeddedPostgresFault(
    "embedded_postgres_data",
    `${directory} is needed for the database's socket but belongs to somebody else: remove it.`,
  );
}

function serverSettings(socketDirectory: string): Readonly<Record<string, string>> {
  return {
    listen_addresses: "",
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: "0700",
    port: PORT,
    max_connections: "40",
    jit: "off",
    // What people wrote must not end up in a log file: neither statements nor the values in an error's detail.
    log_error_verbosity: "terse",
    log_min_error_statement: "panic",
    log_checkpoints: "off",
  };
}

/** Connects once when the database is there, which it is on every start but the first. */
async function ensureDatabase(socketDirectory: string): Promise<void> {
  if (await canConnect(socketUrl(socketDirectory, DATABASE_NAME))) return;
  const client = new Client({ connectionString: socketUrl(socketDirectory, "postgres") });
  await client.connect();
  await client.query(`create database ${DATABASE_NAME}`).finally(() => client.end());
}

async function canConnect(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return true;
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "3D000";
    if (isMissing) return false;
    throw error;
  } finally {
    await client.end();
  }
}
