/**
 * In which files does an archive differ from the pinned one? A compact list of a first archive is kept for that: a line per path with
 * its kind and the beginning of its digest, sorted, at most 1 MiB. Implements the last part of docs/spec/deploy.md R-BIND-6.
 */
import { byCodePoint, type SourceEntry } from "./source-digest.ts";
import { utf8Length } from "./utf8-length.ts";

/** What is kept of an archive's files. */
export interface ArchivePaths {
  /** Lines of mark and path, by path. */
  readonly paths: string;
  /** False where there were more than fit: of paths behind the last one nothing is known. */
  readonly whole: boolean;
}

/** About 12,000 files with paths of usual length. */
export const archivePathsBytesMax = 1_048_576;

/** 64 bits tell two contents apart; what is refused is decided by the whole digest. */
const MARK_DIGITS = 16;
const KINDS = { "644": "f", "755": "x", link: "l" } as const;

type Entry = Pick<SourceEntry, "path" | "mode" | "sha256">;

export function archivePaths(entries: readonly Entry[]): ArchivePaths {
  const lines: string[] = [];
  let bytes = 0;
  for (const entry of sorted(entries)) {
    const line = `${markOf(entry)} ${pathIn(entry)}\n`;
    bytes += utf8Length(line);
    if (bytes > archivePathsBytesMax) return { paths: lines.join(""), whole: false };
    lines.push(line);
  }
  return { paths: lines.join(""), whole: true };
}

/** Added, missing and changed ones, sorted; as far as both lists go. */
export function differingPaths(kept: ArchivePaths, other: ArchivePaths): readonly string[] {
  const [before, after] = [new Map(linesOf(kept.paths)), new Map(linesOf(other.paths))];
  const ends = [kept.whole ? null : endOf(before), other.whole ? null : endOf(after)].filter((end) => end !== null);
  const all = [...new Set([...before.keys(), ...after.keys()])];
  return all
    .filter((path) => before.get(path) !== after.get(path) && ends.every((end) => byCodePoint(path, end) <= 0))
    .sort(byCodePoint);
}

function endOf(marks: ReadonlyMap<string, string>): string {
  return [...marks.keys()].at(-1) ?? "";
}

function sorted(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((one, other) => byCodePoint(pathIn(one), pathIn(other)));
}

function markOf({ mode, sha256 }: Entry): string {
  return `${KINDS[mode]}${sha256.slice(0, MARK_DIGITS)}`;
}

/** No path has a backslash (deploy R-MANIFEST-2), so that an escaped line break is no other path. */
function pathIn({ path }: Entry): string {
  return path.replaceAll("\n", "\\n");
}

function linesOf(paths: string): readonly (readonly [path: string, mark: string])[] {
  return paths
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => [line.slice(MARK_DIGITS + 2), line.slice(0, MARK_DIGITS + 1)] as const);
}
