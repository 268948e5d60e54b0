/**
 * Reading an uploaded archive beside the stream: form, limits, hashes and manifests, in bounded memory and away from the
 * thread that serves calls (docs/spec/deploy.md R-BIND-4, R-BIND-5, R-MANIFEST-1 to -3, R-SOURCE-2, R-SOURCE-4).
 */
import type { ArchiveLimits } from "../gates/deploy/archive-limits.ts";
import type { ArchivePaths } from "../gates/deploy/archive-paths.ts";
import type { ArchiveFault } from "../gates/deploy/content-refusal.ts";
import type { CapturedManifest } from "../gates/deploy/deploy-records.ts";
import type { SourceEntry } from "../gates/deploy/source-digest.ts";

/** How a repository names its objects. */
export type GitObjectFormat = "sha1" | "sha256";

export interface ArchiveOptions {
  readonly captures: {
    /** Always captured; larger than the limit is a fault. */
    readonly paths: readonly string[];
    /** Also `*.yml` and `*.yaml` of the top two levels, the first 64 that are not too large (deploy R-MANIFEST-3). */
    readonly topLevelYaml: boolean;
  };
  /** Which blob ids the entries get; none where nothing is compared with a commit. */
  readonly blobIds: readonly GitObjectFormat[];
  readonly limits: ArchiveLimits;
}

export interface ArchiveListing {
  /** Of the bytes as sent, in hex. */
  readonly objectSha256: string;
  readonly objectBytes: number;
  /** `sha256:…` (deploy R-SOURCE-2). */
  readonly sourceDigest: string;
  /** What is kept of its files, sorted (deploy R-BIND-6). */
  readonly paths: ArchivePaths;
  /** Files and links outside `.git/`, as they came; as many as `limits.entries` at most. */
  readonly entries: readonly SourceEntry[];
  /** Bytes that are not UTF-8 became U+FFFD, which the manifest's reader refuses. */
  readonly manifests: readonly CapturedManifest[];
}

/** One archive on its way. After a fault or `abort` it takes chunks and forgets them. */
export interface ArchiveReading {
  /** Set as soon as the archive is known to be unacceptable, which may be long before its end. */
  readonly fault: ArchiveFault | null;
  /** Copies the chunk; resolves when there is room for more. Rejects with `Unavailable` where the reading broke off. */
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<ArchiveListing | ArchiveFault>;
  /** Nothing more will come and no answer is wanted; nothing is left behind. */
  abort(): void;
}

export interface ArchiveReader {
  open(options: ArchiveOptions): ArchiveReading;
}
