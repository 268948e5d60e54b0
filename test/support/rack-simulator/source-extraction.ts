/**
 * What a rack's builder finds in an archive (deploy R-RACKSIM-1, row "build"): regular files and directories, everything else
 * passed over; a second file of the same path is written over the first without truncating it.
 */
import { posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";

export interface ExtractedSource {
  /** The paths of regular files, in the order in which they first came. */
  readonly files: readonly string[];
  /** The content of the one file that the builder reads itself; null when there is none. */
  readonly wanted: Buffer | null;
}

export async function extractSource(archive: Buffer, wantedPath: string): Promise<ExtractedSource> {
  const kinds = new Map<string, "directory" | "file">();
  const path = posix.join(".", wantedPath);
  const found: { content: Buffer | null } = { content: null };
  const unpacking = extract();
  const taking = (async () => {
    for await (const entry of unpacking) {
      const { type, name } = entry.header;
      const at = cleaned(name);
      if (type === "directory") place(kinds, at, "directory");
      if (type === "file") place(kinds, at, "file");
      if (type !== "file" || at !== path) entry.resume();
      else found.content = writtenOver(found.content, await contentOf(entry));
    }
  })();
  await Promise.all([pipeline(Readable.from([archive]), createGunzip(), unpacking), taking]);
  const files = [...kinds].filter(([, kind]) => kind === "file").map(([name]) => name);
  return { files, wanted: found.content };
}

async function contentOf(entry: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of entry) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function cleaned(name: string): string {
  return posix.join(".", name).replace(/\/$/, "");
}

function place(kinds: Map<string, "directory" | "file">, path: string, kind: "directory" | "file"): void {
  const before = kinds.get(path);
  if (before === "file" && kind === "directory") throw new Error(`mkdir ${path}: not a directory`);
  if (before === "directory" && kind === "file") throw new Error(`open ${path}: is a directory`);
  kinds.set(path, kind);
}

function writtenOver(before: Buffer | null, content: Buffer): Buffer {
  return before === null || before.length <= content.length
    ? content
    : Buffer.concat([content, before.subarray(content.length)]);
}
