/** How much processor time did a server and its database use? From /proc, so on Linux only; elsewhere there is no answer. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessorTime {
  readonly serverMs: number;
  readonly databaseMs: number;
}

/** What the kernel counts in: USER_HZ, 100 on every Linux that Node runs on. */
const TICK_MS = 10;

interface ProcessState {
  readonly parent: number;
  readonly name: string;
  readonly own: number;
  /** Of children that have ended and been waited for. */
  readonly ended: number;
}

export interface Measurable {
  /** Its children that are not Postgres count with it: other servers have worker processes. */
  readonly serverPid: number;
  /** The postmaster; null when Postgres runs below the server. */
  readonly databasePid: number | null;
}

/** Null without /proc, or when the server's process is gone. */
export function processorTime({ serverPid, databasePid }: Measurable): ProcessorTime | null {
  const processes = readAll();
  if (!processes.has(serverPid)) return null;
  let serverMs = 0;
  let databaseMs = 0;
  for (const [pid, state] of processes) {
    if (isWithin(pid, serverPid, processes) && !isPostgres(state)) serverMs += state.own;
    if (!isPostgres(state) || !isWithin(pid, databasePid ?? serverPid, processes)) continue;
    // Backends that ended are counted by the postmaster, whose parent is no Postgres process.
    databaseMs += state.own + (isPostgres(processes.get(state.parent)) ? 0 : state.ended);
  }
  return { serverMs, databaseMs };
}

function isPostgres(state: ProcessState | undefined): boolean {
  return state?.name === "postgres";
}

function isWithin(pid: number, ancestor: number, processes: ReadonlyMap<number, ProcessState>): boolean {
  let next: number | undefined = pid;
  while (next !== undefined && next > 1) {
    if (next === ancestor) return true;
    next = processes.get(next)?.parent;
  }
  return false;
}

function readAll(): ReadonlyMap<number, ProcessState> {
  const found = new Map<number, ProcessState>();
  for (const name of listProcesses()) {
    const state = readState(name);
    if (state !== undefined) found.set(Number(name), state);
  }
  return found;
}

function listProcesses(): readonly string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

/** proc(5): pid (name) state ppid … utime stime cutime cstime at fields 14 to 17. A process may end while we look. */
function readState(pid: string): ProcessState | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const end = text.lastIndexOf(")");
    const fields = text
      .slice(end + 2)
      .split(" ")
      .map(Number);
    const ticks = (first: number): number => ((fields[first] ?? 0) + (fields[first + 1] ?? 0)) * TICK_MS;
    return { parent: fields[1] ?? 0, name: text.slice(text.indexOf("(") + 1, end), own: ticks(11), ended: ticks(13) };
  } catch {
    return undefined;
  }
}
