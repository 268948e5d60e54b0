/** The command `countersign` in a process of its own, which a test can end as roughly as it likes. */
import { spawn } from "node:child_process";
import { packageRoot } from "../../src/main/package-root.ts";
import { program } from "./program.ts";

export interface CountersignProcess {
  readonly pid: number;
  /** What it has printed so far, both streams. */
  printed(): string;
  /** The console's address without `/app`, once it is told; rejects when the process ends before. */
  readonly url: Promise<string>;
  /** The exit status, or the signal's name. */
  readonly exited: Promise<number | string>;
  kill(signal: NodeJS.Signals): void;
}

export function countersign(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): CountersignProcess {
  const child = spawn(process.execPath, [...program("countersign"), ...args], {
    cwd: packageRoot(),
    env: { ...clean(process.env), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid === undefined) throw new Error("The process did not start");
  let text = "";
  const exited = new Promise<number | string>((resolve) => {
    child.on("close", (code, signal) => {
      resolve(code ?? signal ?? "unknown");
    });
  });
  const url = new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      text += chunk.toString("utf8");
      const told = /^console {2}(http:\S+)\/app$/m.exec(text)?.[1];
      if (told !== undefined) resolve(told);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void exited.then((status) => {
      reject(new Error(`countersign ended with ${String(status)} before it listened:\n${text}`));
    });
  });
  // A test that only waits for the end does not ask for the address.
  url.catch(() => undefined);
  return { pid: child.pid, printed: () => text, url, exited, kill: (signal) => void child.kill(signal) };
}

/** What the machine's own settings would change is left out. */
function clean(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(
      ([name]) => !/^(?:AWE_|COUNTERSIGN_|DB_|PG)|^(?:DATABASE_URL|PORT|CONFIG_PATH|NODE_ENV)$/.test(name),
    ),
  );
}
