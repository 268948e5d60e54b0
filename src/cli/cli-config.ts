/**
 * What the command line remembers: at which servers it is signed in. Readable by its owner alone, replaced as a whole, and
 * members that nobody here knows are kept (docs/spec/identity.md R-TERM-6).
 */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { CliConfigFault } from "./cli-config-fault.ts";
import { dropToken, keepToken, keptToken, moveToken } from "./kept-token.ts";

export interface KnownServer {
  readonly url: string;
  readonly name: string;
  readonly email: string | null;
  readonly expiresAt: string;
  /** Asks the system keychain where it lies there. */
  token(): string;
}

export interface SignedInServer extends Omit<KnownServer, "token"> {
  readonly token: string;
}

type Json = Readonly<Record<string, unknown>>;

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
    ...{ url: at, expiresAt, name: typeof name === "string" ? name : "" },
    email: typeof email === "string" ? email : null,
    token: () => keptToken(server, { file, name: normal(at) }) ?? "",
  };
}

/** From here on the current one. */
export function rememberServer(server: SignedInServer, file = cliConfigFile()): void {
  const config = readConfig(file);
  const url = normal(server.url);
  const servers = membersOf(config, "servers");
  const before = servers[url];
  const { token, name, email, expiresAt } = server;
  const entry = { ...(isMembers(before) ? before : {}), url, token, name, email, expires_at: expiresAt };
  const kept = keepToken(entry, { file, name: url }, config["keychain"] === true);
  writeConfig({ ...config, current: url, servers: { ...servers, [url]: kept } }, file);
}

export function forgetServer(url: string, file = cliConfigFile()): void {
  const config = readConfig(file);
  const gone = membersOf(config, "servers")[normal(url)];
  if (isMembers(gone)) dropToken(gone, { file, name: normal(url) });
  const left = Object.fromEntries(
    Object.entries(membersOf(config, "servers")).filter(([known]) => known !== normal(url)),
  );
  const current = config["current"] === normal(url) ? (Object.keys(left)[0] ?? null) : config["current"];
  writeConfig({ ...config, current, servers: left }, file);
}

/** Where tokens lie from now on, those too that are there already. */
export function useKeychainForServers(use: boolean, file = cliConfigFile()): void {
  const config = readConfig(file);
  const servers = Object.entries(membersOf(config, "servers")).map(([url, entry]) => [
    url,
    isMembers(entry) ? moveToken(entry, { file, name: url }, use) : entry,
  ]);
  writeConfig({ ...config, keychain: use, servers: Object.fromEntries(servers) }, file);
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
