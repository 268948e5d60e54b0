/**
 * Which database errors mean "the world failed, try again later", and which mean "this database can never be used as it is"?
 * Everything else that Postgres reports is a refusal or a bug of ours and stays the error it was.
 */

/** The database cannot be reached or cannot work now. The command that met it changed nothing (engine R-STAGE-2). */
export class DatabaseUnavailable extends Error {
  override readonly name: string = "DatabaseUnavailable";
  readonly code: string = "database_unavailable";
  readonly retryable: boolean = true;

  constructor(cause: unknown) {
    super(`The database is unavailable: ${describe(cause)}`, { cause });
  }
}

export type DatabaseUnusableCode =
  | "database_url_invalid"
  | "database_too_old"
  | "database_encoding"
  | "database_newer"
  | "database_not_ours"
  | "migration_changed"
  | "migration_failed"
  | "migration_files"
  | "reading_wall";

/** The database answers, but starting on it would be wrong. Waiting does not help: somebody has to act. */
export class DatabaseUnusable extends Error {
  override readonly name: string = "DatabaseUnusable";
  readonly code: DatabaseUnusableCode;
  readonly retryable: boolean = false;

  constructor(code: DatabaseUnusableCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** System errors of the socket. ENOENT and EACCES happen on the path of a Unix socket. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  "EACCES",
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOENT",
  "ENOTCONN",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** SQLSTATE classes: connection, insufficient resources (53100 disk full, 53200 memory, 53300 connections), system I/O, sign-in. */
const SQLSTATE_CLASSES: ReadonlySet<string> = new Set(["08", "53", "58", "28"]);

const SQLSTATES: ReadonlySet<string> = new Set([
  "25006", // read_only_sql_transaction: a standby, or a primary that was made read-only
  "25P03", // idle_in_transaction_session_timeout
  "3D000", // the database itself is gone
  "55P03", // lock_not_available: lock_timeout
  "57014", // query_canceled: statement_timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: starting, stopping, recovering
  "57P04", // database_dropped
  "57P05", // idle_session_timeout
]);

/** What `pg` says without any code. The texts are those of pg 8.23 and pg-pool 3.14; a test provokes the ones that matter. */
const DRIVER_MESSAGES: readonly string[] = [
  "Connection terminated",
  "Client has encountered a connection error",
  "Client was closed and is not queryable",
  "Cannot use a pool after calling end on the pool",
  "Query read timeout",
  "There was an error establishing an SSL connection",
  "The server does not support SSL connections",
  "timeout exceeded when trying to connect",
  "timeout expired",
];

/** Whether the error, or what caused it, says that the database cannot do its work now. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true;
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code === undefined) {
    return DRIVER_MESSAGES.some((text) => error.message.startsWith(text)) || isUnavailable(error.cause);
  }
  if (code.length === 5 && (SQLSTATES.has(code) || SQLSTATE_CLASSES.has(code.slice(0, 2)))) return true;
  return SOCKET_CODES.has(code) && !isFileError(error);
}

/** The same error, wrapped as a fault when it means that the database is unavailable. */
export function asDatabaseFault(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !isUnavailable(error)) return error;
  return new DatabaseUnavailable(error);
}

/** The SQLSTATE or system code of an error, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** ENOENT from reading a file is not a database that is away: only socket calls count. */
function isFileError(error: Error): boolean {
  if (!("syscall" in error) || typeof error.syscall !== "string") return false;
  return !["connect", "read", "write", "getaddrinfo", "shutdown"].includes(error.syscall);
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return "no reason given";
  const code = codeOf(cause);
  const message = cause.message === "" ? cause.name : cause.message;
  return code === undefined ? message : `${message} (${code})`;
}
