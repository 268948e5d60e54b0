/**
 * The directory as a tar.gz that is the same whenever its files are (docs/spec/deploy.md R-CLI-9): sorted, without owners and
 * times; `.dockerignore` is honoured as Docker reads it, and `.git` is never in it.
 */
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import ignore, { type Ignore } from "ignore";
import { pack, type Pack } from "tar-stream";
import { CliFault } from "./cli-outcome.ts";

export interface PackedSource {
  readonly files: number;
  /** Neither files nor links, so they could not be packed. */
  readonly leftOut: readonly string[];
}

/** `kept`: paths that are packed whatever `.dockerignore` says, since the build reads them. */
export async function packSource(directory: string, target: string, kept: readonly string[]): Promise<PackedSource> {
  const isIgnored = ignoredBy(directory, kept);
  const { entries, leftOut } = entriesOf(directory, isIgnored);
  if (entries.length === 0) throw new CliFault(`nothing is to be packed in ${directory}`);
  const archive = pack();
  const written = pipeline(archive, createGzip(), createWriteStream(target, { mode: 0o600 }));
  // Heard below; while the files are read nobody listens yet.
  written.catch(() => undefined);
  const folders = new Set<string>();
  for (const entry of entries) {
    for (const folder of foldersOf(entry.path)) {
      if (!folders.has(folder)) archive.entry({ name: `${folder}/`, type: "directory", mode: 0o755, ...NOBODY });
      folders.add(folder);
    }
    await addEntry(archive, directory, entry);
  }
  archive.finalize();
  await written;
  return { files: entries.length, leftOut };
}

const NOBODY = { uid: 0, gid: 0, mtime: new Date(0) } as const;

interface Entry {
  readonly path: string;
  readonly stats: Stats;
}

/** Sorted by path. Directories without files are left out, as git leaves them out. */
function entriesOf(
  directory: string,
  isIgnored: (path: string) => boolean,
): { readonly entries: readonly Entry[]; readonly leftOut: readonly string[] } {
  const entries: Entry[] = [];
  const leftOut: string[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(join(directory, folder)).sort()) {
      if (name === ".git") continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      const stats = lstatSync(join(directory, path));
      // An ignored directory may hold a file that a later line takes back.
      if (stats.isDirectory()) walk(path);
      else if (isIgnored(path)) continue;
      else if (stats.isFile() || stats.isSymbolicLink()) entries.push({ path, stats });
      else leftOut.push(path);
    }
  };
  walk("");
  return { entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)), leftOut };
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_part, at) => parts.slice(0, at + 1).join("/"));
}

async function addEntry(archive: Pack, directory: string, { path, stats }: Entry): Promise<void> {
  const from = join(directory, path);
  if (stats.isSymbolicLink()) {
    archive.entry({ name: path, type: "symlink", linkname: readlinkSync(from), mode: 0o777, ...NOBODY });
    return;
  }
  const mode = (stats.mode & 0o100) === 0 ? 0o644 : 0o755;
  const entry = archive.entry({ name: path, type: "file", size: stats.size, mode, ...NOBODY });
  // A file that grows or shrinks meanwhile is refused by the archive rather than cut.
  await pipeline(createReadStream(from), entry);
}

/** The last line that fits a path or a directory above it decides; what Docker needs to build stays. */
function ignoredBy(directory: string, kept: readonly string[]): (path: string) => boolean {
  const lines = dockerignoreLines(directory);
  const keeps = new Set([...kept, ".dockerignore"]);
  return (path) => {
    if (keeps.has(path) || /(?:^|\/)Dockerfile[^/]*$/.test(path)) return false;
    return lines.findLast(({ pattern }) => pattern.ignores(path))?.excludes ?? false;
  };
}

interface Line {
  readonly pattern: Ignore;
  /** False for a line that takes back what an earlier one left out. */
  readonly excludes: boolean;
}

function dockerignoreLines(directory: string): readonly Line[] {
  return textOf(join(directory, ".dockerignore"))
    .split(/\r?\n/)
    .flatMap((line) => {
      const text = line.trim();
      if (text === "" || text.startsWith("#")) return [];
      const excludes = !text.startsWith("!");
      const path = (excludes ? text : text.slice(1).trim()).replace(/^\.?\/+/, "").replace(/\/+$/, "");
      if (path === "" || path === ".") return [];
      // Docker reads every line from the root, where git would look in every directory.
      return [{ pattern: ignore({ ignorecase: false }).add(`/${path}`), excludes }];
    });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
