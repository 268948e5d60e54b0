/**
 * What the command line remembers: at which servers it is signed in. Readable by its owner alone, replaced as a whole, and
 * members that nobody here knows are kept (docs/spec/identity.md R-TERM-6).
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

export interface KnownServer {
  readonly url: string;
  readonly token: string;
  readonly name: string;
  readonly email: string | null;
  readonly expiresAt: string;
}

type Json = Readonly<Record<string, unknown>>;

/** The file cannot be used; the message is for the person at the terminal. */
export class CliConfigFault extends Error {
  override readonly name = "CliConfigFault";
}

function cliConfigFile(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const base = environment["XDG_CONFIG_HOME"] ?? "";
  return join(base === "" ? join(homedir(), ".config") : base, "countersign", "config.json");
}

/** The server chosen, else the one signed in to last; null when there is none. */
export function knownServer(url: string | null = null, file = cliConfigFile()): KnownServer | null {
  const config = readConfig(file);
  const wanted = url ?? config["current"];
  const server = membersOf(config, "servers")[typeof wanted === "string" ? normal(wanted) : ""];
  if (!isMembers(server)) return null;
  const { url: at, token, name, email, expires_at: expiresAt } = server;
  if (typeof at !== "string" || typeof token !== "string" || typeof expiresAt !== "string") return null;
  return {
    ...{ url: at, token, expiresAt, name: typeof name === "string" ? name : "" },
    email: typeof email === "string" ? email : null,
  };
}

/** From here on the current one. */
export function rememberServer(server: KnownServer, file = cliConfigFile()): void {
  const config = readConfig(file);
  const url = normal(server.url);
  const servers = membersOf(config, "servers");
  const before = servers[url];
  const { token, name, email, expiresAt } = server;
  const kept = { ...(isMembers(before) ? before : {}), url, token, name, email, expires_at: expiresAt };
  writeConfig({ ...config, current: url, servers: { ...servers, [url]: kept } }, file);
}

export function forgetServer(url: string, file = cliConfigFile()): void {
  const config = readConfig(file);
  const left = Object.fromEntries(
    Object.entries(membersOf(config, "servers")).filter(([known]) => known !== normal(url)),
  );
  const current = config["current"] === normal(url) ? (Object.keys(left)[0] ?? null) : config["current"];
  writeConfig({ ...config, current, servers: left }, file);
}

/** One spelling per server. */
function normal(url: string): string {
  return url.replace(/\/+$/, "");
}

function readConfig(file: string): Json {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw new CliConfigFault(`${file} cannot be read.`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isMembers(value)) return value;
  } catch {
    // Told below.
  }
  throw new CliConfigFault(`${file} is no JSON object: mend it, or delete it and sign in again.`);
}

/** A file that appears whole or not at all, and that nobody else could ever read. */
function writeConfig(config: Json, file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}

function membersOf(value: Json, name: string): Json {
  const member = value[name];
  return isMembers(member) ? member : {};
}

function isMembers(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
