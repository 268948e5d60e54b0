import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

/** The built server in development mode on a port and a data directory of its own, as a person would start it. */
export interface ConsoleServer extends RunningServer {
  readonly as: (userName: string, roles?: readonly string[]) => Caller;
}

/** The built server as it is run for real: nobody is believed, the first administrator comes in by a link. */
export interface IdentityServer extends RunningServer {
  readonly setupLink: string;
}

interface RunningServer {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Calls the API with an unsigned development token. */
export interface Caller {
  readonly get: (path: string) => Promise<unknown>;
  readonly post: (path: string, body: unknown) => Promise<Record<string, unknown>>;
}

const program = "dist/src/cli/countersign.js";
const startMilliseconds = 90_000;
const stopMilliseconds = 20_000;

type Child = ChildProcessByStdio<null, Readable, Readable>;

export async function startConsoleServer(): Promise<ConsoleServer> {
  const running = await start((data) => ["dev", "--port", "0", "--data", data], {});
  const { url, stop } = running;
  return { url, stop, as: (userName, roles = []) => caller(url, unsignedToken(userName, roles)) };
}

/** Passkeys work on localhost over plain HTTP; the address must be known before the start, so a free port is looked up. */
export async function startIdentityServer(environment: Readonly<Record<string, string>> = {}): Promise<IdentityServer> {
  const port = String(await freePort());
  const publicUrl = { COUNTERSIGN_PUBLIC_URL: `http://localhost:${port}` };
  const { url, stop, printed } = await start(
    (data) => ["serve", "--host", "127.0.0.1", "--port", port, "--data", data],
    { ...publicUrl, ...environment },
  );
  const setupLink = /http:\/\/\S+\/app\/setup#\S+/.exec(printed())?.[0];
  if (setupLink === undefined) throw new Error(`The server printed no setup link:\n${printed()}`);
  return { url, stop, setupLink };
}

async function start(
  args: (data: string) => readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<RunningServer & { readonly printed: () => string }> {
  const directory = mkdtempSync(join(tmpdir(), "countersign-console-"));
  // The database runs as another user when the tests run as root.
  chmodSync(directory, 0o755);
  const child = spawn(process.execPath, [program, ...args(join(directory, "data"))], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  const url = await consoleUrl(child);
  return {
    url,
    printed: () => printed,
    stop: async () => {
      await stop(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("The probe has no port");
  return address.port;
}

async function consoleUrl(child: Child): Promise<string> {
  let printed = "";
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`The server printed no console address within ${String(startMilliseconds)} ms:\n${printed}`));
    }, startMilliseconds);
    const read = (chunk: Buffer): void => {
      printed += chunk.toString();
      const url = /^\s*console\s+(http:\/\/\S+)\/app/m.exec(printed)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`The server ended with ${String(code)} before it was ready:\n${printed}`));
    });
  });
}

async function stop(child: Child): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), stopMilliseconds);
  await ended;
  clearTimeout(late);
}

function unsignedToken(userName: string, roles: readonly string[]): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString("base64url");
  const claims = { sub: userName, preferred_username: userName, name: userName, realm_access: { roles } };
  return `${encode({ alg: "none", typ: "JWT" })}.${encode(claims)}.`;
}

function caller(url: string, token: string): Caller {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const answer = async (path: string, response: Response): Promise<unknown> => {
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${String(response.status)}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  return {
    get: async (path) => answer(path, await fetch(`${url}${path}`, { headers })),
    post: async (path, body) => {
      const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
      const value = await answer(path, response);
      if (!isRecord(value)) throw new Error(`${path} answered no object`);
      return value;
    },
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
