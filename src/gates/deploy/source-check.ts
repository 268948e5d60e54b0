/**
 * Is what was uploaded the commit that was approved? Every file against the commit's tree. Implements docs/spec/deploy.md
 * R-SOURCE-3.
 */
import { type ContentRefusal, LISTED_MAX, shown } from "./content-refusal.ts";
import { byCodePoint, type SourceEntry } from "./source-digest.ts";

/** A blob, link or submodule of a commit; directories are in no tree that is asked for recursively. */
export interface CommitFile {
  readonly path: string;
  /** As Git has it: `100644`, `100755`, `120000`, `160000`. */
  readonly mode: string;
  readonly blob: string;
}

export interface SourceQuestion {
  /** Full. */
  readonly commit: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly tree: readonly CommitFile[];
  /** Setting `source_path`: the directory of the repository that is deployed; `.` is all of it. */
  readonly sourcePath: string;
  /** Of the archive; they carry the blob ids of the repository's object format. */
  readonly entries: readonly SourceEntry[];
  /** Setting `allowed_untracked_paths`; asked only of what is not in the commit. */
  readonly isAllowedUntracked: (path: string) => boolean;
  /** Manifests that passed R-SOURCE-5. */
  readonly acceptedManifests: ReadonlySet<string>;
  /** Git's blob id of a text, in the repository's object format. */
  readonly blobId: (text: string) => string;
}

export interface VerifiedSource {
  /** Files and links that are those of the commit, byte for byte. */
  readonly same: number;
  /** Content of Git LFS objects whose pointers are in the commit. */
  readonly lfs: number;
  /** Manifests that differ from the commit in images only. */
  readonly manifests: number;
  /** Not in the commit, and allowed by setting. */
  readonly untracked: number;
  /** In the commit and not in the archive: left out by ignore files. */
  readonly missing: number;
}

export interface SourceDifference {
  readonly path: string;
  readonly why:
    | "is not in the commit"
    | "differs"
    | "has another executable bit"
    | "is a link in the commit"
    | "is a file in the commit";
}

export type SourceCheck =
  | { readonly verdict: "verified"; readonly counts: VerifiedSource }
  /** All of them, in the order of their paths. */
  | { readonly verdict: "differs"; readonly differences: readonly SourceDifference[] };

const SUBMODULE = "160000";
const LINK = "120000";
const EXECUTABLE = "100755";

export function checkSource(question: SourceQuestion): SourceCheck {
  const files = filesBelow(question.tree, question.sourcePath);
  const counts = { same: 0, lfs: 0, manifests: 0, untracked: 0, missing: files.size };
  const differences: SourceDifference[] = [];
  for (const entry of question.entries) {
    const file = files.get(entry.path);
    if (file !== undefined) counts.missing -= 1;
    const found = compared(question, entry, file);
    if (typeof found === "string") counts[found] += 1;
    else differences.push(found);
  }
  if (differences.length === 0) return { verdict: "verified", counts };
  return { verdict: "differs", differences: differences.sort((left, right) => byCodePoint(left.path, right.path)) };
}

/** The refusal of R-SOURCE-3, with the first paths and how to allow generated files. */
export function sourceRefusal(commit: string, differences: readonly SourceDifference[]): ContentRefusal {
  const listed = differences.slice(0, LISTED_MAX).map(({ path, why }) => `${shown(path)} ${why}`);
  const more = differences.length - listed.length;
  return {
    code: "source_mismatch",
    status: 422,
    message: `archive does not match commit ${commit.slice(0, 7)}: ${differences.length} files differ`,
    lines: [
      ...listed,
      ...(more === 0 ? [] : [`and ${more} more`]),
      "Deploy from a clean checkout. Leave generated files out with .dockerignore, or name them in allowed_untracked_paths.",
    ],
  };
}

/** By the paths that the archive has. Submodules are none of this repository's files. */
function filesBelow(tree: readonly CommitFile[], sourcePath: string): Map<string, CommitFile> {
  const directory = sourcePath.replace(/^(\.\/)+|^\.$|\/+$/g, "");
  const prefix = directory === "" ? "" : `${directory}/`;
  const files = new Map<string, CommitFile>();
  for (const file of tree) {
    if (file.mode !== SUBMODULE && file.path.startsWith(prefix)) files.set(file.path.slice(prefix.length), file);
  }
  return files;
}

type Found = Exclude<keyof VerifiedSource, "missing"> | SourceDifference;

function compared(question: SourceQuestion, entry: SourceEntry, file: CommitFile | undefined): Found {
  const { path } = entry;
  if (file === undefined) {
    return question.isAllowedUntracked(path) ? "untracked" : { path, why: "is not in the commit" };
  }
  const why = kindDifference(entry, file);
  if (why !== null) return { path, why };
  const id = question.objectFormat === "sha1" ? entry.gitSha1 : entry.gitSha256;
  if (id === file.blob) return "same";
  if (entry.type === "file" && question.blobId(lfsPointer(entry)) === file.blob) return "lfs";
  return question.acceptedManifests.has(path) ? "manifests" : { path, why: "differs" };
}

function kindDifference({ type, mode }: SourceEntry, file: CommitFile): SourceDifference["why"] | null {
  if (type === "link") return file.mode === LINK ? null : "is a file in the commit";
  if (file.mode === LINK) return "is a link in the commit";
  return (mode === "755") === (file.mode === EXECUTABLE) ? null : "has another executable bit";
}

/** What Git keeps of a file whose content is in LFS: the pointer has one form, so that its blob id can be computed. */
function lfsPointer({ sha256, size }: SourceEntry): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize ${size}\n`;
}
