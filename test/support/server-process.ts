/** The built server in a process of its own, as `npm start` runs it, on a data directory and a port that survive it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { packageRoot } from "../../src/main/package-root.ts";

export interface ServerProcess {
  readonly pid: number;
  /** Where it listens, once it says so; rejects with all it printed when it ends before. */
  readonly url: Promise<string>;
  /** Where its embedded database listens, once it says so. */
  readonly databaseUrl: Promise<string>;
  /** The exit status, or the signal's name. */
  readonly exited: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

const COMMAND = join("dist", "src", "cli", "countersign.js");

export function startServerProcess(dataDir: string, port: string): ServerProcess {
  const child = spawn(process.execPath, [COMMAND, "dev", "--no-demo", "--port", port, "--data", dataDir], {
    cwd: packageRoot(),
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid === undefined) throw new Error("The server's process did not start");
  let printed = "";
  const exited = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      resolve(code ?? signal ?? "unknown");
    });
  });
  const said = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(printed)?.[1];
        if (found !== undefined) resolve(found);
      };
      child.stdout.on("data", look);
      void exited.then((status) => {
        reject(new Error(`The server ended with ${String(status)} before it was ready:\n${printed}`));
      });
    });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString("utf8");
    });
  }
  const url = said(/^console {2}(http:\S+)\/app$/m);
  const databaseUrl = said(/^Database: embedded Postgres in .*, (postgres:\S+)$/m);
  // Whoever only waits for the end asks for neither.
  for (const promise of [url, databaseUrl]) promise.catch(() => undefined);
  return { pid: child.pid, url, databaseUrl, exited, kill: (signal) => void child.kill(signal) };
}

/** `countersign verify` on the data directory: its exit status and what it printed. */
export async function verifyDataDirectory(
  dataDir: string,
): Promise<{ readonly status: number; readonly text: string }> {
  const child = spawn(process.execPath, [COMMAND, "verify", "--full", "--data", dataDir], {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  }
  const status = await new Promise<number>((resolve) => {
    child.on("close", (code) => {
      resolve(code ?? -1);
    });
  });
  return { status, text };
}
