/**
 * May this process use the data directory? One Countersign at a time: a second one is refused with the number of the first.
 * Behind this stands Postgres's own lock; this one also covers the times when Postgres is not running.
 */
import { link, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";
import { isAlive, processIdentity } from "./process-identity.ts";

export interface DataLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  readonly identity: string;
}

const LOCK_NAME = "countersign.lock";
/** A stale lock is removed and tried again; more than a few rounds mean that others keep taking it. */
const ATTEMPTS_MAX = 5;

/** Locks the directory for this process, or refuses and names the process that has it. */
export async function lockData(directory: string): Promise<DataLock> {
  const path = join(directory, LOCK_NAME);
  const own: Holder = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? "" };
  await removeDrafts(directory);
  const draft = `${path}.${String(process.pid)}`;
  await writeFile(draft, JSON.stringify(own));
  try {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      if (await tryLink(draft, path)) return { release: () => release(path, own) };
      const holder = await readHolder(path);
      if (holder !== undefined && (await processIdentity(holder.pid)) === holder.identity) {
        throw inUse(directory, holder);
      }
      await rm(path, { force: true });
    }
    throw inUse(directory, undefined);
  } finally {
    await rm(draft, { force: true });
  }
}

/** What processes left that were killed while they were taking the lock. */
async function removeDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = Number(/^countersign\.lock\.(\d+)$/.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) await rm(join(directory, name), { force: true });
  }
}

/** A hard link appears whole or not at all, with its content. */
async function tryLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

async function release(path: string, own: Holder): Promise<void> {
  const holder = await readHolder(path);
  if (holder?.pid === own.pid && holder.identity === own.identity) await rm(path, { force: true });
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value !== "object" || value === null || !("pid" in value) || !("identity" in value)) return undefined;
    const { pid, identity } = value;
    return typeof pid === "number" && typeof identity === "string" ? { pid, identity } : undefined;
  } catch {
    return undefined;
  }
}

function inUse(directory: string, holder: Holder | undefined): EmbeddedPostgresFault {
  const who = holder === undefined ? "another process" : `process ${String(holder.pid)}`;
  return new EmbeddedPostgresFault(
    "embedded_postgres_in_use",
    `The data directory ${directory} is in use by ${who}: stop that Countersign first, or choose another data directory.`,
  );
}
