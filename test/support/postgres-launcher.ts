/** Starts the embedded database in a process of its own, which a test can end as roughly as it likes. */
import { spawn } from "node:child_process";
import { readFile, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packageRoot } from "../../src/main/package-root.ts";

export interface LauncherProcess {
  readonly pid: number;
  /** The URL once the database is open, or the sentence it was refused with. */
  readonly opened: Promise<OpenedOrRefused>;
  /** Resolves with the exit code, or with the signal's name. */
  readonly exited: Promise<number | string>;
  readonly log: readonly string[];
  kill(signal: NodeJS.Signals): void;
}

export type OpenedOrRefused =
  { readonly connectionString: string; readonly ms: number } | { readonly refused: string } | { readonly silent: true };

export function launch(dataDir: string): LauncherProcess {
  const script = join(packageRoot(), "test", "support", "postgres-launcher-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, dataDir], {
    cwd: packageRoot(),
    stdio: ["pipe", "pipe", "inherit"],
  });
  if (child.pid === undefined) throw new Error("The launcher process did not start");
  const log: string[] = [];
  const opened = new Promise<OpenedOrRefused>((resolve) => {
    const lines = createInterface(child.stdout);
    lines.on("line", (line) => {
      const said: unknown = JSON.parse(line);
      if (isOpened(said) || isRefused(said)) resolve(said);
      else log.push(line);
    });
    lines.on("close", () => {
      resolve({ silent: true });
    });
  });
  const exited = new Promise<number | string>((resolve) => {
    child.on("exit", (code, signal) => {
      resolve(code ?? signal ?? "unknown");
    });
  });
  return { pid: child.pid, opened, exited, log, kill: (signal) => void child.kill(signal) };
}

/** The number of the database's main process. */
export async function serverPid(cluster: string): Promise<number> {
  return Number((await readFile(join(cluster, "postmaster.pid"), "utf8")).split("\n")[0]);
}

/** All living processes that work in the cluster's directory (Linux; elsewhere the main process's file has to do). */
export async function clusterProcesses(cluster: string): Promise<readonly number[]> {
  const numbers = (await readdir("/proc")).map(Number).filter((pid) => pid > 0);
  const directories = await Promise.all(
    numbers.map((pid) => readlink(join("/proc", String(pid), "cwd")).catch(() => "")),
  );
  return numbers.filter((_pid, index) => directories[index] === cluster);
}

/** The parent of a process: the watchdog, of the database's main process. */
export async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/stat`, "utf8");
  return Number(status.slice(status.lastIndexOf(")") + 2).split(" ")[1]);
}

function isOpened(said: unknown): said is { readonly connectionString: string; readonly ms: number } {
  return typeof said === "object" && said !== null && "connectionString" in said && "ms" in said;
}

function isRefused(said: unknown): said is { readonly refused: string } {
  return typeof said === "object" && said !== null && "refused" in said;
}
