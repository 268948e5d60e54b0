/**
 * Where do the database files of a data directory lie? In it, as `pg<major>`; but when Postgres has to run as `nobody` and the
 * data directory is private to root, in /var/lib/countersign, with a note in the data directory that says so.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, realpath, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EmbeddedPostgresFault } from "./embedded-postgres-fault.ts";
import { canTraverse } from "./service-user.ts";
import type { ServiceUser } from "./service-user.ts";

export interface ClusterPlace {
  /** Holds the cluster, its log and its lock. */
  readonly parent: string;
  /** `<parent>/pg18`. */
  readonly cluster: string;
}

/** The note is authoritative: a data directory that was moved keeps its database. */
const NOTE_NAME = "database-location.json";
const OUTSIDE_DIRECTORY = "/var/lib/countersign";

interface Note {
  readonly database: string;
  readonly data_directory: string;
}

export async function placeCluster(
  dataDirectory: string,
  major: number,
  user: ServiceUser | undefined,
): Promise<ClusterPlace> {
  await mkdir(dataDirectory, { recursive: true, mode: 0o755 });
  const own = await realpath(dataDirectory);
  const parent = (await notedParent(own)) ?? (await choosePlace(own, user));
  await assertMajor(parent, major);
  return { parent, cluster: join(parent, `pg${String(major)}`) };
}

async function choosePlace(own: string, user: ServiceUser | undefined): Promise<string> {
  if (await canTraverse(own, user)) return own;
  const existing = await clusterMajors(own);
  if (existing.length > 0) {
    throw data(
      `${own} holds a database that the user nobody cannot reach; Postgres does not run as root. Make the directory and its parents passable (chmod o+x), or start as the user who owns it.`,
    );
  }
  const parent = join(OUTSIDE_DIRECTORY, createHash("sha256").update(own).digest("hex").slice(0, 12));
  await mkdir(OUTSIDE_DIRECTORY, { recursive: true, mode: 0o755 });
  await mkdir(parent, { recursive: true, mode: 0o711 });
  const note: Note = { database: parent, data_directory: own };
  await writeFile(join(own, NOTE_NAME), `${JSON.stringify(note, null, 2)}\n`);
  return parent;
}

/** Where the note of this data directory says the database is. A copied data directory must not share the original's database. */
async function notedParent(own: string): Promise<string | undefined> {
  const note = await readNote(own);
  if (note === undefined) return undefined;
  if (note.data_directory !== own) {
    const original = await readNote(note.data_directory);
    if (original?.database === note.database) {
      throw data(
        `${own} is a copy of ${note.data_directory}, whose database is in ${note.database}. Remove ${join(own, NOTE_NAME)} to begin with an empty database.`,
      );
    }
    await writeFile(join(own, NOTE_NAME), `${JSON.stringify({ ...note, data_directory: own }, null, 2)}\n`);
  }
  await stat(note.database).catch((error: unknown) => {
    throw data(`${join(own, NOTE_NAME)} says that the database is in ${note.database}, which is not there.`, error);
  });
  return note.database;
}

async function readNote(directory: string): Promise<Note | undefined> {
  const text = await readFile(join(directory, NOTE_NAME), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const note = parseNote(text);
  if (note === undefined) {
    throw data(`${join(directory, NOTE_NAME)} cannot be read: it should name the database's directory.`);
  }
  return note;
}

function parseNote(text: string): Note | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("database" in value) || !("data_directory" in value)) {
      return undefined;
    }
    const { database, data_directory } = value;
    if (typeof database !== "string" || typeof data_directory !== "string") return undefined;
    return { database, data_directory };
  } catch {
    return undefined;
  }
}

/** A database of another major version would be ignored silently, and the user would find an empty Countersign. */
async function assertMajor(parent: string, major: number): Promise<void> {
  const existing = await clusterMajors(parent);
  if (existing.length === 0 || existing.includes(major)) return;
  throw data(
    `${parent} holds a database of Postgres ${existing.join(", ")}, but the programs found are version ${String(major)}. Set PG_BIN_DIR to the programs of the right version.`,
  );
}

async function clusterMajors(parent: string): Promise<readonly number[]> {
  const names = await readdir(parent).catch(() => []);
  return names.map((name) => Number(/^pg(\d+)$/.exec(name)?.[1])).filter((major) => Number.isInteger(major));
}

function data(message: string, cause?: unknown): EmbeddedPostgresFault {
  return new EmbeddedPostgresFault("embedded_postgres_data", message, cause);
}
