/**
 * How is the database process run, so that it never outlives us? A small shell stands between: it holds a pipe from us, and
 * when the pipe closes, by our wish or by our death, it tells Postgres to stop. When Postgres ends, the shell ends.
 */
import { spawn } from "node:child_process";
import { open, readFile, rm, stat, rename } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";
import type { PostgresBinaries } from "./postgres-binaries.ts";
import { isAlive, processIdentity, worksIn } from "./process-identity.ts";
import { PROGRAM_ENVIRONMENT } from "./run-program.ts";
import type { ServiceUser } from "./service-user.ts";

export interface PostgresProcessOptions {
  readonly binaries: PostgresBinaries;
  readonly cluster: string;
  readonly user: ServiceUser | undefined;
  /** Server settings, as `-c name=value`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface PostgresProcess {
  /** Resolves when the database process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/**
 * `$0 $@` is the server. The reader waits for the end of our pipe and then asks for a fast shutdown; it is a process of its
 * own, so the promise holds even if the shell is killed. Without `exec 3<&0`, background jobs would read /dev/null.
 */
const WATCHDOG = `exec 3<&0
"$0" "$@" </dev/null 3<&- &
server=$!
( read -r line <&3; kill -INT "$server" ) >/dev/null 2>&1 &
reader=$!
exec 3<&-
wait "$server"
status=$?
kill -KILL "$reader" 2>/dev/null
exit "$status"`;

/** Generous, because recovery after a crash replays what was written since the last checkpoint. */
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 10;
const FAST_STOP_MS = 15_000;
const HARD_STOP_MS = 5_000;
const LOG_BYTES_MAX = 1_000_000;

/** Starts the server and waits until it takes connections. */
export async function startPostgres(options: PostgresProcessOptions): Promise<PostgresProcess> {
  await stopOrphan(options.cluster);
  await rotateLog(options.logFile);
  const stale = await readPidFile(options.cluster);
  const log = await open(options.logFile, "a", 0o600);
  try {
    const running = spawnServer(options, log);
    await waitUntilReady(options, running, stale.join("\n"));
    return running;
  } finally {
    await log.close();
  }
}

function spawnServer(options: PostgresProcessOptions, log: FileHandle): PostgresProcess {
  const settings = Object.entries(options.settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = join(options.binaries.binDirectory, "postgres");
  // A session of its own: Ctrl-C in the terminal reaches us, and we stop the database after the last answer.
  const shell = spawn("/bin/sh", ["-c", WATCHDOG, server, "-D", options.cluster, ...settings], {
    cwd: "/",
    env: PROGRAM_ENVIRONMENT,
    stdio: ["pipe", log.fd, log.fd],
    detached: true,
    ...options.user,
  });
  const ended = new Promise<void>((resolve) => {
    shell.on("error", () => resolve());
    shell.on("exit", () => resolve());
  });
  shell.stdin?.on("error", () => undefined);
  return {
    ended,
    async stop(): Promise<void> {
      shell.stdin?.end();
      if (await endsWithin(ended, FAST_STOP_MS)) return;
      await killServer(options.cluster, "SIGQUIT");
      if (await endsWithin(ended, HARD_STOP_MS)) return;
      await killServer(options.cluster, "SIGKILL");
      await endsWithin(ended, HARD_STOP_MS);
    },
  };
}

/**
 * Postgres writes its state into the eighth line of postmaster.pid; asking by connecting would fill its log with refusals.
 * A server that was killed leaves its last words there, so only a file that changed counts.
 */
async function waitUntilReady(
  options: PostgresProcessOptions,
  running: PostgresProcess,
  staleText: string,
): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const lines = await readPidFile(options.cluster);
    if (lines[7]?.startsWith("ready") === true && lines.join("\n") !== staleText) return;
    if (await endsWithin(running.ended, POLL_MS)) throw await startFault(options, "ended at once");
  }
  await running.stop();
  throw await startFault(options, `did not become ready within ${String(START_TIMEOUT_MS / 1_000)} s`);
}

async function startFault(options: PostgresProcessOptions, what: string): Promise<EmbeddedPostgresFault> {
  const log = await readFile(options.logFile, "utf8").catch(() => "");
  const last = log.trimEnd().split("\n").slice(-4).join("\n");
  return new EmbeddedPostgresFault(
    "embedded_postgres_start",
    `The database process ${what}. The end of ${options.logFile}:\n${last}`,
  );
}

/**
 * The caller holds the data lock, so a server that still runs here has lost its Countersign (somebody killed the watchdog too):
 * it is stopped. A pid file whose number now belongs to another program would make Postgres refuse: it is removed.
 */
async function stopOrphan(cluster: string): Promise<void> {
  const pid = await serverPid(cluster);
  if (pid === undefined || (await processIdentity(pid)) === undefined) return;
  if (!(await worksIn(pid, cluster))) {
    await rm(join(cluster, "postmaster.pid"), { force: true });
    return;
  }
  for (const signal of ["SIGINT", "SIGQUIT"] as const) {
    await killServer(cluster, signal);
    if (await isGoneWithin(pid, signal === "SIGINT" ? FAST_STOP_MS : HARD_STOP_MS)) return;
  }
  throw new EmbeddedPostgresFault(
    "embedded_postgres_in_use",
    `A database process (${String(pid)}) still runs on ${cluster} and does not stop: stop it, then start again.`,
  );
}

async function killServer(cluster: string, signal: NodeJS.Signals): Promise<void> {
  const pid = await serverPid(cluster);
  if (pid === undefined || !isAlive(pid)) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It ended between the question and the signal.
  }
}

async function serverPid(cluster: string): Promise<number | undefined> {
  const pid = Number((await readPidFile(cluster))[0]);
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

async function readPidFile(cluster: string): Promise<readonly string[]> {
  const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => "");
  return text.split("\n");
}

async function isGoneWithin(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if ((await processIdentity(pid)) === undefined) return true;
    await delay(POLL_MS);
  }
  return false;
}

async function endsWithin(ended: Promise<void>, timeoutMs: number): Promise<boolean> {
  const abort = new AbortController();
  const timeout = delay(timeoutMs, false, { signal: abort.signal }).catch(() => false);
  const hasEnded = await Promise.race([ended.then(() => true), timeout]);
  abort.abort();
  return hasEnded;
}

async function rotateLog(logFile: string): Promise<void> {
  const size = (await stat(logFile).catch(() => undefined))?.size ?? 0;
  if (size > LOG_BYTES_MAX) await rename(logFile, `${logFile}.1`);
}
