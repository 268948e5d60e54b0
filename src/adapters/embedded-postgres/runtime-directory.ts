/**
 * Where can the service user run the binaries that npm installed? Often not where they are: under a private directory, and
 * without the links that only an install script would make. So they are copied once per version to a directory open to all.
 */
import { cp, lstat, mkdir, readFile, readdir, rename, rm, stat, symlink } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { basename, dirname, join, relative } from "node:path";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";

/** A copy takes a fraction of a second; one that is this old was left behind by a killed process. */
const ABANDONED_AFTER_MS = 60 * 60 * 1_000;

/** The runtime directory of one version, made now if it is not there yet. Two processes may do this at once. */
export async function prepareRuntime(nativeDirectory: string, version: string): Promise<string> {
  const parent = await runtimeParent();
  const directory = join(parent, `postgres-${version}`);
  if (await isDirectory(directory)) return directory;
  await removeAbandoned(parent);
  const draft = `${directory}.new-${randomUUID()}`;
  await cp(nativeDirectory, draft, { recursive: true });
  await makeLinks(draft);
  try {
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isDirectory(directory))) throw error;
  }
  return directory;
}

/** Removes a copy that turned out not to run (a power cut may have left it incomplete). */
export async function discardRuntime(directory: string): Promise<void> {
  const discarded = `${directory}.new-${randomUUID()}`;
  await rename(directory, discarded).catch(() => undefined);
  await rm(discarded, { recursive: true, force: true });
}

/** The first place that is ours alone to write. Binaries from a directory others can write would be theirs to choose. */
async function runtimeParent(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const home = process.env["XDG_CACHE_HOME"] ?? (process.env["HOME"] && join(process.env["HOME"], ".cache"));
  const places =
    uid === 0
      ? ["/var/lib/countersign/runtime", "/tmp/countersign-runtime-0"]
      : [...(home ? [join(home, "countersign")] : []), `/tmp/countersign-runtime-${String(uid)}`];
  for (const place of places) {
    if (await makeOwn(place, uid)) return place;
  }
  throw new EmbeddedPostgresFault(
    "embedded_postgres_missing",
    `No directory for the database's programs: tried ${places.join(" and ")}. Each must belong to this user and not be writable by others.`,
  );
}

async function makeOwn(directory: string, uid: number): Promise<boolean> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o755 });
    const entry = await lstat(directory);
    return entry.isDirectory() && entry.uid === uid && (entry.mode & 0o022) === 0 && (entry.mode & 0o001) !== 0;
  } catch {
    return false;
  }
}

/** The package lists its symbolic links in a file instead of containing them, because npm packages cannot hold links. */
async function makeLinks(directory: string): Promise<void> {
  const listed: unknown = JSON.parse(await readFile(join(directory, "pg-symlinks.json"), "utf8"));
  if (!Array.isArray(listed)) {
    throw new EmbeddedPostgresFault("embedded_postgres_missing", "pg-symlinks.json is no list");
  }
  for (const link of listed) {
    if (!isLink(link)) {
      throw new EmbeddedPostgresFault("embedded_postgres_missing", "pg-symlinks.json has an odd entry");
    }
    const target = join(directory, relative("native", link.target));
    await rm(target, { force: true });
    await symlink(relative(dirname(target), join(directory, relative("native", link.source))), target);
  }
}

interface Link {
  /** The file that exists, as `native/lib/…`. */
  readonly source: string;
  /** The name to make for it. */
  readonly target: string;
}

function isLink(value: unknown): value is Link {
  if (typeof value !== "object" || value === null || !("source" in value) || !("target" in value)) return false;
  return [value.source, value.target].every(
    (path) => typeof path === "string" && /^native\/[\w./+-]+$/.test(path) && !path.includes(".."),
  );
}

async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!basename(name).includes(".new-")) continue;
    const entry = await stat(join(parent, name)).catch(() => undefined);
    if (entry !== undefined && Date.now() - entry.mtimeMs > ABANDONED_AFTER_MS) {
      await rm(join(parent, name), { recursive: true, force: true });
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  const entry = await lstat(path).catch(() => undefined);
  return entry?.isDirectory() === true;
}
