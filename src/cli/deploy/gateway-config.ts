/**
 * The configuration file of the original's command line, read and written in place (docs/spec/deploy.md R-CLI-3): readable by
 * its owner alone, replaced as a whole, members that nobody here knows kept.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { dropToken, isInKeychain, keepToken, keptToken, moveToken } from "../kept-token.ts";
import { CliFault } from "./cli-outcome.ts";

type Json = Readonly<Record<string, unknown>>;

/** What is remembered of one rack's gateway; every other member is kept as it is. */
export interface GatewayEntry {
  readonly url: string;
  readonly isSignedIn: boolean;
  readonly email: string | null;
  readonly expiresAt: string | null;
  /** Asks the system keychain where it lies there; null where there is none. */
  token(): string | null;
}

export interface GatewayConfig {
  readonly file: string;
  readonly current: string | null;
  /** In the file's order. */
  readonly racks: readonly string[];
  /** Left out by `--rack all`. */
  readonly excluded: readonly string[];
  readonly machineId: string | null;
  entry(rack: string): GatewayEntry | null;
}

export function configDirectory(given: string | undefined): string {
  const directory = given ?? process.env["GATEWAY_CLI_CONFIG_DIR"] ?? "";
  return directory === "" ? join(homedir(), ".config", "rack-gateway") : directory;
}

export function openGatewayConfig(directory: string): GatewayConfig {
  const file = join(directory, "config.json");
  const config = read(file);
  const gateways = membersOf(config, "gateways");
  const excluded = config["all_racks_exclude"];
  return {
    file,
    current: textOf(config["current"]),
    racks: Object.keys(gateways),
    excluded: Array.isArray(excluded) ? excluded.filter((name) => typeof name === "string") : [],
    machineId: textOf(config["machine_id"]),
    entry(rack) {
      const found = Object.hasOwn(gateways, rack) ? gateways[rack] : undefined;
      if (!isMembers(found)) return null;
      const url = textOf(found["url"]);
      if (url === null) return null;
      const { token, email, expires_at: expiresAt } = found;
      return {
        ...{ url, email: textOf(email), expiresAt: textOf(expiresAt) },
        isSignedIn: textOf(token) !== null || isInKeychain(found),
        token: () => keptToken(found, { file, name: rack }),
      };
    },
  };
}

/** Signing in again keeps what the rack's entry says besides. */
export function rememberGateway(directory: string, rack: string, members: Json): void {
  change(directory, (config) => {
    const gateways = membersOf(config, "gateways");
    const before = Object.hasOwn(gateways, rack) ? gateways[rack] : undefined;
    const entry = { ...(isMembers(before) ? before : {}), ...members };
    const kept = keepToken(entry, placeOf(directory, rack), config["keychain"] === true);
    return { ...config, current: rack, gateways: { ...gateways, [rack]: kept } };
  });
}

/** The rack stays known, so that it can be signed in to again; its session does not. */
export function forgetGateway(directory: string, rack: string): void {
  change(directory, (config) => {
    const gone = membersOf(config, "gateways")[rack];
    if (isMembers(gone)) dropToken(gone, placeOf(directory, rack));
    const gateways = Object.entries(membersOf(config, "gateways")).filter(([name]) => name !== rack);
    const current = config["current"] === rack ? (gateways[0]?.[0] ?? "") : config["current"];
    return { ...config, current, gateways: Object.fromEntries(gateways) };
  });
}

export function chooseGateway(directory: string, rack: string): void {
  change(directory, (config) => ({ ...config, current: rack }));
}

/** The same from now on; it tells one machine's sessions from another's. */
export function machineId(directory: string): string {
  const known = openGatewayConfig(directory).machineId;
  if (known !== null) return known;
  const made = randomBytes(16).toString("hex");
  change(directory, (config) => ({ ...config, machine_id: made }));
  return made;
}

/** Where tokens lie from now on, those too that are there already. */
export function useKeychainForGateways(directory: string, use: boolean): void {
  change(directory, (config) => {
    const gateways = Object.entries(membersOf(config, "gateways")).map(([rack, entry]) => [
      rack,
      isMembers(entry) ? moveToken(entry, placeOf(directory, rack), use) : entry,
    ]);
    return { ...config, keychain: use, gateways: Object.fromEntries(gateways) };
  });
}

function placeOf(directory: string, rack: string): { readonly file: string; readonly name: string } {
  return { file: join(directory, "config.json"), name: rack };
}

function change(directory: string, work: (config: Json) => Json): void {
  const file = join(directory, "config.json");
  const text = `${JSON.stringify(work(read(file)), null, 2)}\n`;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}

function read(file: string): Json {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {};
    throw new CliFault(`${file} cannot be read.`);
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isMembers(value)) return value;
  } catch {
    // Told below.
  }
  throw new CliFault(`${file} is no JSON object: mend it, or delete it and sign in again.`);
}

function membersOf(value: Json, name: string): Json {
  const member = value[name];
  return isMembers(member) ? member : {};
}

function isMembers(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
