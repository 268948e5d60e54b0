/** The built server in development mode, on a data directory of its own, as `npm start` runs it. */
import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { packageRoot } from "../src/main/package-root.ts";
import { makeDataDirectory } from "./workbench.ts";

export interface Served {
  readonly origin: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Milliseconds from the start of the process to the line that says where it listens. */
  readonly readyMs: number;
  /** Ends the server; the data stays. */
  stop(): Promise<void>;
}

const PROGRAM = join(packageRoot(), "dist/src/cli/countersign.js");
const START_TIMEOUT_MS = 60_000;
const SAYS_WHERE = /(http:\/\/localhost:\d+)\/app/;

export async function serve(dataDir: string): Promise<Served> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PROGRAM, "dev", "--port", "0", "--data", dataDir], {
    cwd: packageRoot(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${PROGRAM} could not be started`);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => {
      resolve();
    });
  });
  let said = "";
  const origin = await new Promise<string>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`The server did not start:\n${said}`)), START_TIMEOUT_MS);
    const listen = (chunk: Buffer): void => {
      said = (said + chunk.toString("utf8")).slice(-10_000);
      const [, found] = SAYS_WHERE.exec(said) ?? [];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    void ended.then(() => reject(new Error(`The server ended at its start:\n${said}`)));
  });
  return {
    origin,
    pid,
    dataDir,
    readyMs: performance.now() - startedAt,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** A server on an empty data directory for as long as `act` takes; `after` sees the directory once the server has ended. */
export async function withServer<Value, Rest>(
  act: (server: Served) => Promise<Value>,
  after: (dataDir: string) => Promise<Rest>,
): Promise<{ readonly value: Value; readonly rest: Rest }> {
  const dataDir = await makeDataDirectory();
  try {
    const server = await serve(dataDir);
    const value = await act(server).finally(() => server.stop());
    return { value, rest: await after(dataDir) };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
