/**
 * How does Countersign talk to Postgres? One pool for reading and for small transactions, one pipelined connection per writer.
 * Every wait has a bound, so that a command can be answered 503 within 2 s when the database is away (engine R-STAGE-2).
 */
import { Client, Pool } from "pg";
import type { ClientConfig } from "pg";
import { parseConnectionUrl } from "./connection-url.ts";
import { DatabaseUnavailable, DatabaseUnusable } from "./database-fault.ts";
import { valueParsers } from "./value-parsers.ts";

export interface ConnectOptions {
  /** Shown in pg_stat_activity. */
  readonly applicationName?: string;
  /** Ten are enough on two cores; more only help when the disk is slow. */
  readonly poolSize?: number;
  /** Bound of one statement; false for work that may take long (verification, export, migrations). */
  readonly statementTimeoutMs?: number | false;
  /** Hears of connections that broke while nobody used them. They are replaced on the next use. */
  readonly onConnectionError?: (error: Error) => void;
}

/** The writer's connection. A transaction asks for it once and uses only that client: a broken one never comes back to life. */
export interface Writer {
  /** A live pipelined client, connecting again if the last one broke. Throws DatabaseUnavailable within 1.5 s. */
  client(): Promise<Client>;
  end(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 1_500;
const STATEMENT_TIMEOUT_MS = 1_800;
const LOCK_TIMEOUT_MS = 1_500;
/** The client waits this much longer than the server's own bound: it matters when the server does not answer at all. */
const ANSWER_GRACE_MS = 100;
/** A writer that the network lost without a word holds the ledger's head this long at most. */
const IDLE_IN_TRANSACTION_MS = 3_000;
const IDLE_CONNECTION_MS = 60_000;
const END_TIMEOUT_MS = 2_000;

/**
 * A pool on the database; connections are made when first used. Its clients are pipelined too: statements may be sent
 * without awaiting the one before, and a client whose answer did not come in time is destroyed instead of reused.
 */
export function connect(connectionString: string, options: ConnectOptions = {}): Pool {
  const config = clientConfig(connectionString, options);
  assertReadable(config);
  const pool = new Pool({ ...config, max: options.poolSize ?? 10, min: 1, idleTimeoutMillis: IDLE_CONNECTION_MS });
  const report = options.onConnectionError ?? ignore;
  pool.on("error", (error: Error) => {
    report(error);
  });
  // A client that breaks while it is checked out reports here as well; without a listener Node would end the process.
  pool.on("connect", (client) => {
    client.on("error", ignore);
  });
  return pool;
}

/** The pipelined connection of a writer: connects on first use and again after a failure. */
export function connectWriter(connectionString: string, options: ConnectOptions = {}): Writer {
  const config = clientConfig(connectionString, options);
  assertReadable(config);
  const report = options.onConnectionError ?? ignore;
  let current: Promise<Client> | undefined;
  let isEnded = false;

  function open(): Promise<Client> {
    const client = new Client(config);
    const opened = client.connect().then(
      () => client,
      (error: unknown) => {
        forget();
        throw new DatabaseUnavailable(error);
      },
    );
    function forget(): void {
      if (current === opened) current = undefined;
    }
    client.on("error", (error) => {
      forget();
      report(error);
    });
    client.on("end", forget);
    return opened;
  }

  return {
    client(): Promise<Client> {
      if (isEnded) return Promise.reject(new DatabaseUnavailable(new Error("the server is stopping")));
      current ??= open();
      return current;
    },
    async end(): Promise<void> {
      isEnded = true;
      const last = current;
      current = undefined;
      if (last !== undefined) await last.then(endClient, ignore);
    },
  };
}

/** The settings every connection of ours has. */
export function clientConfig(connectionString: string, options: ConnectOptions = {}): ClientConfig {
  const url = parseConnectionUrl(connectionString);
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  return {
    connectionString: url.connectionString,
    application_name: options.applicationName ?? "countersign",
    options: `-c TimeZone=UTC -c DateStyle=ISO -c jit=off ${url.options}`.trimEnd(),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
    types: valueParsers(),
    ...(statementTimeoutMs !== false && {
      statement_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + ANSWER_GRACE_MS,
      lock_timeout: Math.min(LOCK_TIMEOUT_MS, statementTimeoutMs),
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    }),
  };
}

/** Says goodbye to the server, and cuts the connection if that takes too long. */
export async function endClient(client: Client): Promise<void> {
  const cut = setTimeout(() => client.connection.stream.destroy(), END_TIMEOUT_MS);
  await client.end().finally(() => {
    clearTimeout(cut);
  });
}

/** The driver reads the URL only when it first connects; a URL it cannot read must stop the start instead. */
function assertReadable(config: ClientConfig): void {
  try {
    new Client(config);
  } catch (error) {
    throw new DatabaseUnusable(
      "database_url_invalid",
      "The database URL cannot be used: it must look like postgres://user:password@host:5432/database, and files it names must exist.",
      error,
    );
  }
}

function ignore(): void {
  // The next use of the connection fails with the same reason and is answered there.
}
