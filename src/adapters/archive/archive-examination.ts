/**
 * One archive from its first byte to its listing: hashed as sent, unpacked, judged and hashed file by file, with nothing kept
 * but names, hashes and manifests (deploy R-BIND-5, R-MANIFEST-1, R-MANIFEST-3, R-SOURCE-2, R-SOURCE-4).
 */
import { createHash, type Hash } from "node:crypto";
import { archivePaths } from "../../gates/deploy/archive-paths.ts";
import { sourceDigest, type SourceEntry } from "../../gates/deploy/source-digest.ts";
import type { ArchiveListing, ArchiveOptions, GitObjectFormat } from "../../ports/archive-reader.ts";
import { tooLarge, WHOLE } from "./archive-refused.ts";
import { GzipMember } from "./gzip-member.ts";
import { ManifestCapture } from "./manifest-capture.ts";
import { TarEntries, type TarEntry } from "./tar-entries.ts";

const GIT_DIRECTORY = ".git/";
/** Small archives of small files can be mostly headers and padding. */
const RATIO_FREE_BYTES = 64 * 1024;
/** What may come out ahead of what went in, so that the order of the files decides nothing. */
const RATIO_AHEAD_BYTES = 64 * 1024 * 1024;

interface OpenFile {
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
  readonly hashes: ContentHashes;
}

export class ArchiveExamination {
  readonly #options: ArchiveOptions;
  readonly #object = createHash("sha256");
  readonly #entries: SourceEntry[] = [];
  readonly #captures: ManifestCapture;
  readonly #member: GzipMember;
  readonly #tar: TarEntries;
  #objectBytes = 0;
  #expandedBytes = 0;
  /** Null between files, and in files that are not hashed. */
  #file: OpenFile | null = null;

  constructor(options: ArchiveOptions) {
    this.#options = options;
    this.#captures = new ManifestCapture(options.captures, options.limits);
    this.#tar = new TarEntries(
      {
        entry: (entry) => {
          this.#entry(entry);
        },
        content: (chunk) => {
          this.#content(chunk);
        },
        fileEnd: () => {
          this.#fileEnd();
        },
      },
      options.limits,
    );
    this.#member = new GzipMember((chunk) => {
      this.#unpacked(chunk);
    });
  }

  /** Resolves when the chunk's memory is free again; rejects with `ArchiveRefused`, after which nothing more may be written. */
  async write(chunk: Buffer): Promise<void> {
    this.#objectBytes += chunk.length;
    const most = this.#options.limits.archiveBytes;
    if (this.#objectBytes > most) throw tooLarge(WHOLE, `the archive is larger than ${most} bytes`);
    // zlib unpacks in a thread of its own meanwhile.
    const unpacked = this.#member.write(chunk);
    this.#object.update(chunk);
    await unpacked;
  }

  async finish(): Promise<ArchiveListing> {
    await this.#member.finish();
    this.#tar.finish();
    const { expansion } = this.#options.limits;
    if (this.#expandedBytes > RATIO_FREE_BYTES && this.#expandedBytes > expansion * this.#objectBytes) {
      throw expandsTooMuch(expansion);
    }
    return {
      objectSha256: this.#object.digest("hex"),
      objectBytes: this.#objectBytes,
      sourceDigest: sourceDigest(this.#entries, sha256OfParts),
      paths: archivePaths(this.#entries),
      entries: this.#entries,
      manifests: this.#captures.manifests(),
    };
  }

  close(): void {
    this.#member.close();
  }

  #unpacked(chunk: Buffer): void {
    this.#expandedBytes += chunk.length;
    const { expandedBytes, expansion } = this.#options.limits;
    if (this.#expandedBytes > expandedBytes) throw tooLarge(WHOLE, `it expands to more than ${expandedBytes} bytes`);
    if (this.#expandedBytes > expansion * this.#objectBytes + RATIO_AHEAD_BYTES) throw expandsTooMuch(expansion);
    this.#tar.push(chunk);
  }

  #entry(entry: TarEntry): void {
    // Judged for their form like all others, and then left alone (deploy R-SOURCE-4).
    if (entry.kind === "directory" || entry.path.startsWith(GIT_DIRECTORY)) return;
    if (entry.kind === "link") {
      this.#link(entry.path, Buffer.from(entry.target));
      return;
    }
    this.#file = { ...entry, hashes: new ContentHashes(entry.size, this.#options.blobIds) };
    this.#captures.open(entry.path, entry.size);
  }

  #link(path: string, target: Buffer): void {
    const hashes = new ContentHashes(target.length, this.#options.blobIds);
    hashes.update(target);
    this.#entries.push({ path, type: "link", mode: "link", size: target.length, ...hashes.digests() });
  }

  #content(chunk: Buffer): void {
    if (this.#file === null) return;
    this.#file.hashes.update(chunk);
    this.#captures.add(chunk);
  }

  #fileEnd(): void {
    if (this.#file === null) return;
    const { path, size, executable, hashes } = this.#file;
    this.#file = null;
    this.#captures.close();
    this.#entries.push({ path, type: "file", mode: executable ? "755" : "644", size, ...hashes.digests() });
  }
}

/** The hashes of one content, all in one pass. */
class ContentHashes {
  readonly #sha256 = createHash("sha256");
  readonly #blobSha1: Hash | null;
  readonly #blobSha256: Hash | null;

  constructor(size: number, blobIds: readonly GitObjectFormat[]) {
    const blob = (format: GitObjectFormat): Hash | null =>
      blobIds.includes(format) ? createHash(format).update(`blob ${size}\0`) : null;
    this.#blobSha1 = blob("sha1");
    this.#blobSha256 = blob("sha256");
  }

  update(chunk: Buffer): void {
    this.#sha256.update(chunk);
    this.#blobSha1?.update(chunk);
    this.#blobSha256?.update(chunk);
  }

  digests(): Pick<SourceEntry, "sha256" | "gitSha1" | "gitSha256"> {
    return {
      sha256: this.#sha256.digest("hex"),
      ...(this.#blobSha1 === null ? {} : { gitSha1: this.#blobSha1.digest("hex") }),
      ...(this.#blobSha256 === null ? {} : { gitSha256: this.#blobSha256.digest("hex") }),
    };
  }
}

function sha256OfParts(parts: Iterable<string>): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

function expandsTooMuch(expansion: number): Error {
  return tooLarge(WHOLE, `it expands to more than ${expansion} times its size`);
}
