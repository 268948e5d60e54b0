/** An archive that does not compress, of a size that one asks for, and what is known of it. */
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { MANIFEST } from "../test/support/deploy-scene.ts";
import { TAR_END, tarBlock, tarFile } from "../test/support/tar-archive.ts";

const PIECE_BYTES = 1_048_576;

export interface WrittenArchive {
  readonly file: string;
  readonly bytes: number;
  /** Of the file, in hex. */
  readonly sha256: string;
  /** As Git lists them. */
  readonly files: readonly {
    readonly path: string;
    readonly mode: string;
    readonly blob: string;
    readonly size: number;
  }[];
}

/** The manifest, and one file of `size` bytes, a multiple of a MiB. */
export async function writeArchive(file: string, size: number): Promise<WrittenArchive> {
  const blob = createHash("sha1").update(`blob ${String(size)}\0`);
  const piece = randomBytes(PIECE_BYTES);
  const parts = function* (): Generator<Buffer> {
    yield tarFile("convox.yml", MANIFEST);
    yield tarBlock({ name: "data", size });
    for (let number = 0; number < size / PIECE_BYTES; number += 1) {
      piece.writeUInt32BE(number);
      blob.update(piece);
      yield Buffer.from(piece);
    }
    yield TAR_END;
  };
  const sha256 = createHash("sha256");
  let bytes = 0;
  const seen = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sha256.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  // Random bytes stay as they are, whatever the effort.
  await pipeline(Readable.from(parts()), createGzip({ level: 0 }), seen, createWriteStream(file));
  const manifest = createHash("sha1")
    .update(`blob ${String(Buffer.byteLength(MANIFEST))}\0${MANIFEST}`)
    .digest("hex");
  return {
    ...{ file, bytes, sha256: sha256.digest("hex") },
    files: [
      { path: "convox.yml", mode: "100644", blob: manifest, size: Buffer.byteLength(MANIFEST) },
      { path: "data", mode: "100644", blob: blob.digest("hex"), size },
    ],
  };
}
