/**
 * Is that process still the one we mean? A process id alone is reused, in containers even after every restart; together with the
 * moment the process began it is not.
 */
import { readFile, readlink } from "node:fs/promises";
import { runProgram } from "./run-program.ts";

const PS_TIMEOUT_MS = 2_000;

/** A text that stays the same while the process lives and differs for any other process; undefined if there is none. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined;
  if (process.platform === "linux") return await linuxIdentity(pid);
  return await askPs(pid, "lstart=");
}

/** Whether the process is the database server of this directory: a postmaster works in its data directory and names it. */
export async function worksIn(pid: number, cluster: string): Promise<boolean> {
  if (process.platform === "linux") {
    return (await readlink(`/proc/${String(pid)}/cwd`).catch(() => undefined)) === cluster;
  }
  const command = await askPs(pid, "command=");
  return command?.includes("postgres") === true && command.includes(cluster);
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, but belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

async function linuxIdentity(pid: number): Promise<string | undefined> {
  const status = await readFile(`/proc/${String(pid)}/stat`, "utf8").catch(() => undefined);
  if (status === undefined) return undefined;
  // Fields count from after the program's name, which may itself hold spaces and brackets: state is the first, start the 20th.
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended; only its parent has not looked yet.
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "");
  return `${boot.trim()}:${fields[19] ?? ""}`;
}

async function askPs(pid: number, column: string): Promise<string | undefined> {
  const result = await runProgram("/bin/ps", ["-o", column, "-p", String(pid)], {
    user: undefined,
    timeoutMs: PS_TIMEOUT_MS,
  });
  return result.isSuccess && result.output !== "" ? result.output : undefined;
}
