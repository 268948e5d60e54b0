/**
 * Which keys seal the secrets that must be read back? From the environment, from a program that unwraps them, or from a file
 * of the data directory that the first start makes; never from the database (identity R-SEAL-2).
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

/** The keys by their id; the first one seals, all of them open. */
export interface Keyring {
  readonly sealing: string;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/** The keys cannot be used; the message is for the person at the terminal and never holds a key. */
export class KeyringFault extends Error {
  override readonly name = "KeyringFault";
}

type KeyringEnvironment = Readonly<Record<string, string | undefined>>;

const KEYS = "COUNTERSIGN_SEALING_KEYS";
const FILE = "COUNTERSIGN_SEALING_KEYS_FILE";
const COMMAND = "COUNTERSIGN_SEALING_KEYS_COMMAND";

const KEY_BYTES = 32;
const KEY_ID = /^[a-z0-9][a-z0-9_-]{0,31}$/;
const BASE64 = /^[A-Za-z0-9+/]{43}=$/;
const COMMAND_TIMEOUT_MS = 30_000;
const COMMAND_OUTPUT_MAX = 64 * 1024;
const NOT_OWNER = 0o077;

/** Throws KeyringFault. At most one of the three settings may be given; without any the data directory's file is used. */
export async function readKeyring(environment: KeyringEnvironment, dataDir: string): Promise<Keyring> {
  const given = [KEYS, FILE, COMMAND].filter((name) => setting(environment, name) !== null);
  if (given.length > 1) throw new KeyringFault(`Set only one of ${given.join(" and ")}.`);
  const keys = setting(environment, KEYS);
  if (keys !== null) return parseKeyring(keys, KEYS);
  const command = setting(environment, COMMAND);
  if (command !== null) return parseKeyring(await outputOf(command), `The output of ${COMMAND}`);
  const file = setting(environment, FILE);
  if (file !== null) return parseKeyring(await readPrivateFile(file), file);
  return ensureKeyFile(dataDir);
}

export function sealingKeyFile(dataDir: string): string {
  return join(dataDir, "keys", "sealing-keys");
}

/** `id:base64(32 bytes)`, comma or line by line; lines that start with # are comments. */
export function parseKeyring(text: string, source: string): Keyring {
  const parts = text
    .split(/\r?\n/)
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => line.split(","))
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const keys = new Map<string, Uint8Array>();
  for (const [index, part] of parts.entries()) {
    const [id, key] = parseKey(part, `${source}, key ${String(index + 1)}`);
    if (keys.has(id)) throw new KeyringFault(`${source} names the key ${id} twice.`);
    keys.set(id, key);
  }
  const [sealing] = keys.keys();
  if (sealing === undefined) throw new KeyringFault(`${source} holds no key: write id:base64 of 32 random bytes.`);
  return { sealing, keys };
}

function parseKey(text: string, where: string): readonly [string, Uint8Array] {
  const colon = text.indexOf(":");
  const id = text.slice(0, Math.max(colon, 0));
  const encoded = text.slice(colon + 1);
  if (!KEY_ID.test(id)) {
    throw new KeyringFault(`${where}: write id:key, the id with at most 32 lower-case letters, digits, - and _.`);
  }
  const key = BASE64.test(encoded) ? Buffer.from(encoded, "base64") : Buffer.alloc(0);
  if (key.length !== KEY_BYTES || key.toString("base64") !== encoded) {
    throw new KeyringFault(`${where} (${id}) is not the base64 of 32 bytes.`);
  }
  return [id, new Uint8Array(key)];
}

async function outputOf(command: string): Promise<string> {
  try {
    const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_OUTPUT_MAX };
    const { stdout } = await promisify(execFile)("/bin/sh", ["-c", command], options);
    return stdout;
  } catch (error) {
    // What the program printed may hold keys: only how it ended is told.
    const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
    throw new KeyringFault(`The program of ${COMMAND} did not give the sealing keys (${code}).`);
  }
}

async function readPrivateFile(file: string): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & NOT_OWNER) !== 0) throw new KeyringFault(`The key file ${file} can be read by others: chmod 600 it.`);
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof KeyringFault) throw error;
    throw new KeyringFault(`The key file ${file} cannot be read: ${reason(error)}.`);
  }
}

async function ensureKeyFile(dataDir: string): Promise<Keyring> {
  const file = sealingKeyFile(dataDir);
  if (!(await isThere(file))) await makeKeyFile(dataDir, file);
  return parseKeyring(await readPrivateFile(file), file);
}

async function makeKeyFile(dataDir: string, file: string): Promise<void> {
  await mkdir(join(dataDir, "keys"), { recursive: true });
  await chmod(join(dataDir, "keys"), 0o700);
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const id = `k${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${id}:${randomBytes(KEY_BYTES).toString("base64")}\n`, { mode: 0o600, flush: true });
  // A link appears whole or not at all; when two processes make a key at once, the first one's stands.
  await link(draft, file).catch((error: unknown) => {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  });
  await rm(draft, { force: true });
}

async function isThere(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return false;
    throw new KeyringFault(`The key file ${file} cannot be read: ${reason(error)}.`);
  }
}

function setting(environment: KeyringEnvironment, name: string): string | null {
  const value = environment[name]?.trim();
  return value === undefined || value === "" ? null : value;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : "no reason given";
}
