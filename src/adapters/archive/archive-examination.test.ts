/** Every archive of R-MANIFEST-2 that must be refused, byte by byte, and what the listing of a good one says. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ARCHIVE_LIMITS, type ArchiveLimits, narrowedLimits } from "../../gates/deploy/archive-limits.ts";
import type { ArchiveFault } from "../../gates/deploy/content-refusal.ts";
import type { ArchiveListing, ArchiveOptions } from "../../ports/archive-reader.ts";
import {
  gnuLong,
  paxHeader,
  paxRecord,
  resummed,
  TAR_END,
  tarBlock,
  tarDirectory,
  type TarFields,
  tarFile,
  tarGz,
  tarLink,
} from "../../../test/support/tar-archive.ts";
import { ArchiveExamination } from "./archive-examination.ts";
import { ArchiveRefused } from "./archive-refused.ts";

const GNU = "ustar  \u0000";
const MANIFEST = tarFile("convox.yml", "services:\n  web:\n    build: .\n");
const LONG = `${"d".repeat(60)}/${"f".repeat(60)}/x.ts`;

interface Reading extends Partial<Omit<ArchiveOptions, "limits">> {
  readonly limits?: Partial<ArchiveLimits>;
  readonly chunkBytes?: number;
}

async function examined(archive: Buffer, reading: Reading = {}): Promise<ArchiveListing | ArchiveFault> {
  const { chunkBytes = 64 * 1024, limits = {}, ...options } = reading;
  const examination = new ArchiveExamination({
    captures: { paths: ["convox.yml"], topLevelYaml: false },
    blobIds: ["sha1", "sha256"],
    ...options,
    limits: narrowedLimits(limits),
  });
  try {
    for (let at = 0; at < archive.length; at += chunkBytes) {
      await examination.write(archive.subarray(at, at + chunkBytes));
    }
    return await examination.finish();
  } catch (error) {
    if (error instanceof ArchiveRefused) return error.fault;
    throw error;
  } finally {
    examination.close();
  }
}

async function listing(archive: Buffer, reading: Reading = {}): Promise<ArchiveListing> {
  const outcome = await examined(archive, reading);
  if ("code" in outcome) throw new Error(`refused: ${outcome.path}: ${outcome.why}`);
  return outcome;
}

async function refusal(archive: Buffer, reading: Reading = {}): Promise<string> {
  const outcome = await examined(archive, reading);
  return "code" in outcome ? `${outcome.code}: ${outcome.path}: ${outcome.why}` : "accepted";
}

function altered(block: Buffer, change: (block: Buffer) => void): Buffer {
  const copy = Buffer.from(block);
  change(copy);
  return copy;
}

function raw(parts: readonly Buffer[]): Buffer {
  return gzipSync(Buffer.concat(parts));
}

describe("deploy R-MANIFEST-2: an archive with more than one meaning is refused", () => {
  const tars: readonly (readonly [string, readonly Buffer[], string])[] = [
    ["a hard link", [tarBlock({ name: "a", type: "1", link: "b" })], "a: it is a hard link"],
    ["a character device", [tarBlock({ name: "tty", type: "3" })], "tty: it is a device"],
    ["a block device", [tarBlock({ name: "sda", type: "4" })], "sda: it is a device"],
    ["a named pipe", [tarBlock({ name: "p", type: "6" })], "p: it is a named pipe"],
    ["a GNU sparse file", [tarBlock({ name: "s", type: "S", magic: GNU })], "s: it is a sparse file"],
    [
      "a PAX sparse file",
      [paxHeader({ "GNU.sparse.major": "1" }), tarFile("s", "x")],
      "GNU.sparse.major is not allowed",
    ],
    ["a contiguous file", [tarBlock({ name: "c", type: "7" })], "c: it is of an unknown type"],
    ["a multi-volume entry", [tarBlock({ name: "m", type: "M", magic: GNU })], "m: it is of an unknown type"],
    ["a path twice", [MANIFEST, MANIFEST], "convox.yml: its path comes twice"],
    ["a path twice, once with ./", [MANIFEST, tarFile("./convox.yml", "x")], "convox.yml: its path comes twice"],
    ["a path twice, once with /./", [tarFile("a/b", "1"), tarFile("a/./b", "2")], "a/b: its path comes twice"],
    ["a directory twice", [tarDirectory("d/"), tarDirectory("d")], "d: its path comes twice"],
    ["a file in place of a directory", [tarDirectory("d/"), tarFile("d", "x")], "d: its path comes twice"],
    ["a path below a file", [tarFile("a", "x"), tarFile("a/b/c", "y")], "a/b/c: its path lies below a file"],
    ["a path below a link", [tarLink("a", "/etc"), tarFile("a/passwd", "y")], "a/passwd: its path lies below a file"],
    ["a directory below a file", [tarFile("a", "x"), tarDirectory("a/b")], "a/b: its path lies below a file"],
    ["a file above a path", [tarFile("a/b/c", "x"), tarFile("a/b", "y")], "a/b: other entries lie below this path"],
    ["an absolute path", [tarFile("/etc/passwd", "x")], "/etc/passwd: its path is absolute"],
    ["a path upwards", [tarFile("a/../../b", "x")], "a/../../b: its path leads upwards"],
    ["a path upwards at the end", [tarDirectory("a/..")], "a/..: its path leads upwards"],
    ["a backslash", [tarFile("a\\..\\b", "x")], "a\\..\\b: its path has a backslash in it"],
    ["an empty part", [tarFile("a//b", "x")], "a//b: its path has an empty part"],
    ["no path", [tarFile("", "x")], "its path is empty"],
    ["a file as the root", [tarFile(".", "x")], "it is a file with the path of a directory"],
    ["a file with a slash", [tarFile("a/", "x")], "a: it is a file with the path of a directory"],
    ["a link with a slash", [tarLink("a/", "b")], "a: it is a link with the path of a directory"],
    ["a NUL in a name", [tarFile("a\0b", "x")], "its name has a NUL in it"],
    ["a NUL in a PAX path", [paxHeader({ path: "a\0b" }), tarFile("a", "x")], "its PAX key path has a NUL in it"],
    ["a NUL in a long name", [gnuLong(`${LONG}\0y`), tarFile("a", "x")], "its long name has a NUL in it"],
    ["a name that is not UTF-8", [tarFile(Buffer.from([0x61, 0xff]), "x")], "it is not valid UTF-8"],
    [
      "a PAX path that is not UTF-8",
      [paxHeader({ path: Buffer.from([0xc0, 0xaf]) }), tarFile("a", "x")],
      "valid UTF-8",
    ],
    ["an overlong form", [tarFile(Buffer.from([0xc0, 0xae]), "x")], "it is not valid UTF-8"],
    [
      "a wrong header checksum",
      [altered(MANIFEST, (block) => block.write("d", 0))],
      "the checksum of its header is wrong",
    ],
    ["no checksum", [altered(MANIFEST, (block) => block.fill(0, 148, 156))], "its checksum is not an octal number"],
    ["a V7 header", [tarFile("a", "x", { magic: "\0\0\0\0\0\0\0\0" })], "neither ustar nor GNU"],
    ["an unknown ustar version", [tarFile("a", "x", { magic: "ustar\u000001" })], "neither ustar nor GNU"],
    [
      "a prefix in a GNU header",
      [tarFile("a", "x", { magic: GNU, prefix: "evil" })],
      "a: its header has unknown fields",
    ],
    [
      "a star trailer",
      [resummed(altered(tarBlock({ name: "a" }), (block) => block.write("tar", 508)))],
      "unknown fields",
    ],
    [
      "a size in base 256",
      [resummed(altered(tarBlock({ name: "a" }), (block) => block.fill(0x80, 124, 125)))],
      "its size is not",
    ],
    ["a size with a sign", [tarBlock({ name: "a", size: "-0000000001" })], "its size is not an octal number"],
    [
      "a directory with content",
      [tarDirectory("d", { size: 512 }), Buffer.alloc(512)],
      "d: it is a directory with content",
    ],
    ["a link with content", [tarLink("l", "t", { size: 512 }), Buffer.alloc(512)], "l: it is a link with content"],
    ["a link to nowhere", [tarLink("l", "")], "l: it is a link to nowhere"],
    [
      "a set-user-id file",
      [tarFile("a", "x", { mode: 0o4755 })],
      "a: it would run with the rights of its owner or group",
    ],
    [
      "a PAX key twice",
      [tarFile("p", Buffer.concat([paxRecord("path", LONG), paxRecord("path", `${LONG}2`)]), { type: "x" })],
      "its PAX key path comes twice",
    ],
    [
      "an unknown PAX key",
      [paxHeader({ hdrcharset: "BINARY" }), tarFile("a", "x")],
      "its PAX key hdrcharset is not allowed",
    ],
    ["a global path", [paxHeader({ path: "convox.yml" }, "g"), tarFile("a", "x")], "its PAX key path is not allowed"],
    ["a global size", [paxHeader({ size: "1" }, "g"), tarFile("a", "x")], "its PAX key size is not allowed"],
    [
      "a PAX path in place of a name",
      [paxHeader({ path: "convox.yml" }), tarFile("harmless.txt", "x")],
      "replaces the name harmless.txt",
    ],
    [
      "a PAX link target in place of another",
      [paxHeader({ linkpath: "b" }), tarLink("l", "a")],
      "replaces the link target a",
    ],
    [
      "a PAX link target of a file",
      [paxHeader({ linkpath: "b" }), tarFile("f", "a")],
      "its extended header names a link's target",
    ],
    [
      "a PAX size that is not the size",
      [paxHeader({ size: "0" }), tarFile("a", "x")],
      "its PAX size is not the size in its header",
    ],
    ["a PAX size that is no number", [paxHeader({ size: "0x1" }), tarFile("a", "x")], "its PAX size is not a number"],
    ["an empty PAX path", [paxHeader({ path: "" }), tarFile("a", "x")], "its PAX key path is empty"],
    [
      "a PAX length that is too long",
      [tarFile("p", "99 path=a\n", { type: "x" }), tarFile("a", "x")],
      "its PAX header is damaged",
    ],
    [
      "a PAX length that is too short",
      [tarFile("p", "5 path=a\n", { type: "x" }), tarFile("a", "x")],
      "its PAX header is damaged",
    ],
    ["a PAX length with a zero in front", [tarFile("p", "010 path=a\n", { type: "x" }), tarFile("a", "x")], "damaged"],
    [
      "a PAX record without a key",
      [tarFile("p", "5 =a\n", { type: "x" }), tarFile("a", "x")],
      "its PAX header is damaged",
    ],
    [
      "two PAX headers for one entry",
      [paxHeader({ path: LONG }), paxHeader({ path: `${LONG}2` }), tarFile("a", "x")],
      "two extended headers",
    ],
    [
      "two long names for one entry",
      [gnuLong(LONG), gnuLong(`${LONG}2`), tarFile("a", "x")],
      "two extended headers of a kind",
    ],
    [
      "a long name and a PAX path",
      [gnuLong(LONG), paxHeader({ path: `${LONG}2` }), tarFile("a", "x")],
      "two extended headers for its name",
    ],
    [
      "a long name in place of a name",
      [gnuLong("convox.yml"), tarFile("a", "x", { magic: GNU })],
      "replaces the name a",
    ],
    ["an empty long name", [gnuLong(""), tarFile("a", "x")], "its long name is empty"],
    ["an extended header and no entry", [paxHeader({ path: LONG })], "an extended header is followed by no entry"],
    [
      "a global header between",
      [paxHeader({ path: LONG }), paxHeader({ comment: "c" }, "g"), tarFile("a", "x")],
      "followed by no entry",
    ],
    [
      "something in the last block",
      [altered(MANIFEST, (bytes) => bytes.write("x", 1000))],
      "something other than zeros fills its last block",
    ],
  ];

  it.each(tars)("deploy R-MANIFEST-2: %s", async (_, parts, why) => {
    const outcome = await refusal(tarGz(parts));
    expect(outcome).toContain(why);
    expect(outcome).toMatch(/^archive_form: /);
    // Where the chunks break decides nothing.
    expect(await refusal(tarGz(parts), { chunkBytes: 7 })).toBe(outcome);
  });

  const good = raw([MANIFEST, TAR_END]);
  const changed = (at: number, value: number): Buffer => altered(good, (bytes) => bytes.writeUInt8(value, at));
  const streams: readonly (readonly [string, Buffer, string])[] = [
    ["a second gzip member", Buffer.concat([good, good]), "more follows after its gzip member"],
    ["an empty second member", Buffer.concat([good, gzipSync("")]), "more follows after its gzip member"],
    ["a byte after the member", Buffer.concat([good, Buffer.from("x")]), "more follows after its gzip member"],
    ["zeros after the member", Buffer.concat([good, Buffer.alloc(512)]), "more follows after its gzip member"],
    ["no gzip at all", Buffer.concat([MANIFEST, TAR_END]), "it is not gzip"],
    ["another compression", changed(2, 7), "it is not gzip"],
    ["an unknown flag", changed(3, 0x20), "its gzip header has unknown flags"],
    ["a wrong header checksum", named(good, 0x0f, 1), "the checksum of its gzip header is wrong"],
    ["an endless header", named(Buffer.concat([good.subarray(0, 10), Buffer.alloc(40_000, "n")]), 0x08, 0), "too long"],
    ["a wrong checksum", changed(good.length - 8, good.readUInt8(good.length - 8) ^ 1), "its gzip checksum is wrong"],
    ["a wrong length", changed(good.length - 4, good.readUInt8(good.length - 4) ^ 1), "its gzip length is wrong"],
    ["damaged data", changed(10, 0xff), "its compressed data is damaged"],
    ["no trailer", good.subarray(0, -8), "it ends before its gzip member does"],
    ["half a trailer", good.subarray(0, -3), "it ends before its gzip member does"],
    ["nothing", Buffer.alloc(0), "it ends before its gzip member does"],
    ["an empty tar", raw([]), "it ends before its end marker"],
    ["no end marker", raw([MANIFEST]), "it ends before its end marker"],
    ["half an end marker", raw([MANIFEST, Buffer.alloc(512)]), "it ends before its end marker"],
    ["an entry within the end marker", raw([Buffer.alloc(512), MANIFEST, TAR_END]), "its end marker is incomplete"],
    [
      "an entry after the end marker",
      raw([MANIFEST, TAR_END, MANIFEST, TAR_END]),
      "something other than zeros follows",
    ],
    [
      "a byte after the end marker",
      raw([TAR_END, Buffer.alloc(9_000), Buffer.from("x")]),
      "something other than zeros",
    ],
    ["a file cut off", raw([MANIFEST.subarray(0, 520)]), "it ends before its end marker"],
  ];

  it.each(streams)("deploy R-MANIFEST-2: %s", async (_, archive, why) => {
    const outcome = await refusal(archive);
    expect(outcome).toMatch(/^archive_form: tar\.gz: /);
    expect(outcome).toContain(why);
    expect(await refusal(archive, { chunkBytes: 1 })).toBe(outcome);
  });
});

/** The archive with more in its gzip header: extra field, name, comment and checksum, as far as the flags say so. */
function named(archive: Buffer, flags: number, damage = 0): Buffer {
  const header = Buffer.concat([
    altered(archive.subarray(0, 10), (bytes) => bytes.writeUInt8(flags, 3)),
    ...((flags & 4) === 0 ? [] : [Buffer.from([3, 0, 1, 2, 3])]),
    ...((flags & 8) === 0 || archive.length > 30_000 ? [] : [Buffer.from("app.tar\0")]),
    ...((flags & 16) === 0 ? [] : [Buffer.from("a comment\0")]),
  ]);
  const sum = Buffer.alloc((flags & 2) === 0 ? 0 : 2);
  if (sum.length > 0) sum.writeUInt16LE(((crc32(header) & 0xffff) + damage) & 0xffff);
  return Buffer.concat([header, sum, archive.subarray(10)]);
}

describe("deploy R-MANIFEST-2: what the usual programs write is accepted", () => {
  it("deploy R-MANIFEST-2: ustar, PAX and GNU long names, a global comment, attributes and zero padding", async () => {
    const parts = [
      paxHeader({ comment: "0123456789012345678901234567890123456789" }, "g"),
      tarDirectory("./"),
      tarDirectory("./src/"),
      tarFile("./src/a.ts", "a"),
      tarFile("x.ts", "b", { prefix: "src/deep" }),
      paxHeader({ path: LONG, mtime: "1.5", "SCHILY.xattr.user.a": "b=c\n", uid: "1" }),
      tarFile(LONG.slice(0, 100), "c"),
      paxHeader({ path: "name", size: "1" }),
      tarFile("name", "d"),
      gnuLong(`${LONG}.gnu`),
      gnuLong(`${LONG}.target`, "K"),
      tarLink(LONG.slice(0, 100), LONG.slice(0, 100), { magic: GNU }),
      tarFile("old", "e", { type: "\0" }),
      tarFile("grün.txt", "f"),
      Buffer.alloc(20 * 512),
    ];
    const { entries } = await listing(tarGz(parts));
    expect(entries.map(({ path }) => path)).toEqual([
      ...["src/a.ts", "src/deep/x.ts", LONG, "name", `${LONG}.gnu`, "old", "grün.txt"],
    ]);
    expect(entries[4]).toMatchObject({ type: "link", size: Buffer.byteLength(`${LONG}.target`) });
  });

  it("deploy R-MANIFEST-2: a gzip header with extra field, name, comment and checksum", async () => {
    const archive = named(tarGz([MANIFEST]), 0x1f);
    expect((await listing(archive)).entries).toHaveLength(1);
    expect((await listing(archive, { chunkBytes: 1 })).entries).toHaveLength(1);
  });

  it("deploy R-MANIFEST-2: the tar of this machine, whatever form it writes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-tar-"));
    try {
      writeFileSync(join(folder, "convox.yml"), "services: {}\n");
      writeFileSync(join(folder, `${"n".repeat(150)}.txt`), "x", { mode: 0o755 });
      const digests = await Promise.all(
        ["gnu", "pax", "ustar"].map(async (format) => {
          // ustar cannot hold the long name.
          const what = format === "ustar" ? ["convox.yml"] : ["."];
          const archive = execFileSync("tar", ["-cz", `--format=${format}`, "-C", folder, ...what]);
          return (await listing(archive)).sourceDigest;
        }),
      );
      expect(digests[0]).toBe(digests[1]);
      expect(digests[2]).not.toBe(digests[0]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("deploy R-MANIFEST-1: limits while streaming", () => {
  const noise = Buffer.from(Array.from({ length: 4_096 }, (_, at) => (at * 7919 + (at >> 3) * 31) & 0xff));
  const cases: readonly (readonly [string, readonly Buffer[], Partial<ArchiveLimits>, string])[] = [
    ["the archive", [tarFile("a", noise)], { archiveBytes: 100 }, "tar.gz: the archive is larger than 100 bytes"],
    ["what comes out of it", [tarFile("a", noise)], { expandedBytes: 4_096 }, "it expands to more than 4096 bytes"],
    [
      "entries",
      [tarFile("a", "1"), tarFile("b", "2"), tarDirectory("c")],
      { entries: 2 },
      "c: it has more than 2 entries",
    ],
    [
      "global headers",
      [paxHeader({ comment: "1" }, "g"), paxHeader({ comment: "2" }, "g")],
      { entries: 1 },
      "more than 1 entries",
    ],
    ["directories that entries imply", [tarFile("a/b/c/d", "1")], { entries: 1 }, "it has too many directories"],
    ["a path", [tarFile("abcdefgh", "1")], { pathBytes: 7 }, "abcdefgh: a path is longer than 7 bytes"],
    ["a link's target", [tarLink("a", "abcdefgh")], { pathBytes: 7 }, "a: a link's target is longer than 7 bytes"],
    ["a file", [tarFile("a", noise)], { fileBytes: 4_095 }, "a: a file is larger than 4095 bytes"],
    ["a named manifest", [MANIFEST], { manifestBytes: 8 }, "convox.yml: a manifest is larger than 8 bytes"],
    ["its manifests together", [MANIFEST], { manifestsBytes: 8 }, "its manifests together are larger than 8 bytes"],
    [
      "an extended header",
      [tarFile("p", Buffer.alloc(300_000), { type: "x" })],
      {},
      "an extended header is longer than 262144 bytes",
    ],
  ];

  it.each(cases)("deploy R-MANIFEST-1: %s", async (_, parts, limits, which) => {
    expect(await listing(tarGz([tarFile("z", "1")]), { limits: { ...limits, archiveBytes: 4_096 } })).toBeDefined();
    const outcome = await refusal(tarGz(parts), { limits });
    expect(outcome).toMatch(/^archive_limit: /);
    expect(outcome).toContain(which);
  });

  it("deploy R-MANIFEST-1: 200 to 1, wherever in the archive the zeros lie", async () => {
    const zeros = tarFile("zeros", Buffer.alloc(1_000_000));
    const random = tarFile("random", randomContent(20_000));
    expect(await refusal(tarGz([zeros]))).toContain(
      "archive_limit: tar.gz: it expands to more than 200 times its size",
    );
    expect((await listing(tarGz([zeros, random]))).entries).toHaveLength(2);
    expect((await listing(tarGz([random, zeros]))).entries).toHaveLength(2);
  });

  it("deploy R-MANIFEST-1: a bomb is refused long before it has come out", async () => {
    const bomb = gzipSync(Buffer.concat([tarBlock({ name: "bomb", size: 2 ** 28 }), Buffer.alloc(2 ** 28)]));
    const examination = new ArchiveExamination({
      captures: { paths: [], topLevelYaml: false },
      blobIds: [],
      limits: ARCHIVE_LIMITS,
    });
    await expect(examination.write(bomb)).rejects.toMatchObject({ fault: { code: "archive_limit" } });
    examination.close();
  });
});

/** Bytes that do not compress, the same in every run. */
function randomContent(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash("sha256").update(`${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

describe("deploy R-MANIFEST-3: manifests are captured while the archive streams", () => {
  it("deploy R-MANIFEST-3: the named paths, wherever they lie, byte for byte", async () => {
    const text = "\ufeffservices: {}\r\n# ü\n";
    const archive = tarGz([
      tarFile("other.yml", "x"),
      tarFile("./deploy/convox.yml", text),
      tarFile(".git/a.yml", "y"),
    ]);
    const captures = { paths: ["./deploy/convox.yml", ".git/a.yml", "missing.yml"], topLevelYaml: false };
    expect((await listing(archive, { captures, chunkBytes: 5 })).manifests).toEqual([
      { path: "deploy/convox.yml", text },
    ]);
  });

  it("deploy R-MANIFEST-3: a link is not a manifest", async () => {
    expect((await listing(tarGz([tarLink("convox.yml", "evil.yml"), tarFile("evil.yml", "x")]))).manifests).toEqual([]);
  });

  it("deploy R-MANIFEST-3: YAML of the top two levels where asked for, the first 64 that fit", async () => {
    const captures = { paths: ["z/z/convox.yml"], topLevelYaml: true };
    const parts = [
      tarFile("pnpm-lock.yaml", Buffer.alloc(5_000, "#")),
      tarFile("a.yaml", "a"),
      tarFile("a/b.yml", "b"),
      tarFile("a/b/c.yml", "c"),
      tarFile("a.json", "d"),
      ...Array.from({ length: 70 }, (_, at) => tarFile(`m${at}.yml`, "m")),
      tarFile("z/z/convox.yml", "z"),
    ];
    const { manifests } = await listing(tarGz(parts), { captures, limits: { manifestBytes: 4_000 } });
    expect(manifests).toHaveLength(65);
    const paths = manifests.map(({ path }) => path);
    expect(paths.slice(0, 3)).toEqual(["a.yaml", "a/b.yml", "m0.yml"]);
    expect(paths.at(-1)).toBe("z/z/convox.yml");
  });

  it("deploy R-MANIFEST-4: bytes that are not UTF-8 are told from all text", async () => {
    const { manifests } = await listing(tarGz([tarFile("convox.yml", Buffer.from([0x61, 0xff]))]));
    expect(manifests).toEqual([{ path: "convox.yml", text: "a\ufffd" }]);
  });
});

describe("deploy R-SOURCE-2: one digest for one content", () => {
  const name = fc.stringMatching(/^[a-zé日\u{1f600}][a-z0-9 .ü\u{1f600}\n-]{0,12}[a-z]$/u);
  const file = fc.record({
    path: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
    content: fc.uint8Array({ maxLength: 1_200 }),
    kind: fc.constantFrom("plain", "executable", "link"),
  });
  interface File {
    readonly path: string;
    readonly content: Uint8Array;
    readonly kind: string;
  }
  const tree = fc
    .uniqueArray(file, { minLength: 1, maxLength: 6, selector: ({ path }) => path })
    .filter(noneBelowAnother);

  function noneBelowAnother(files: readonly File[]): boolean {
    return files.every(({ path }) => files.every((other) => !other.path.startsWith(`${path}/`)));
  }

  function packed({ path, content, kind }: File, fields: Partial<TarFields>): Buffer {
    const long = Buffer.byteLength(path) > 100 ? [paxHeader({ path })] : [];
    const short = Buffer.from(path).subarray(0, 100);
    const entryName = long.length > 0 ? Buffer.from("long") : short;
    if (kind === "link")
      return Buffer.concat([...long, tarLink("", `t${content.length}`, { ...fields, name: entryName })]);
    return Buffer.concat([
      ...long,
      tarFile(entryName, Buffer.from(content), { ...fields, mode: kind === "executable" ? 0o755 : 0o600 }),
    ]);
  }

  async function digestOf(files: readonly File[], fields: Partial<TarFields> = {}, level = 6): Promise<string> {
    return (
      await listing(
        tarGz(
          files.map((entry) => packed(entry, fields)),
          level,
        ),
        { blobIds: [] },
      )
    ).sourceDigest;
  }

  it("deploy R-SOURCE-2: times, owners, order, compression, directories and .git/ do not matter", async () => {
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: 8 ** 7 - 1 }),
        async (files, level, number) => {
          const other = [
            tarDirectory("./"),
            ...files.toReversed().map((entry) => packed(entry, { mtime: number, uid: number })),
            tarFile(".git/index", String(number)),
          ];
          const { sourceDigest, entries } = await listing(tarGz(other, level), { chunkBytes: 100 });
          expect(sourceDigest).toBe(await digestOf(files));
          expect(entries).toHaveLength(files.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("deploy R-SOURCE-2: a changed byte, mode, kind or path and an added or missing file each change it", async () => {
    await fc.assert(
      fc.asyncProperty(
        tree,
        fc.nat(),
        fc.constantFrom("byte", "mode", "path", "less", "more"),
        async (files, at, how) => {
          const chosen = files[at % files.length];
          if (chosen === undefined) throw new Error("A tree has files");
          const others = files.filter((entry) => entry !== chosen);
          const content = Buffer.concat([
            chosen.content.subarray(0, -1),
            Buffer.from([(chosen.content.at(-1) ?? 0) ^ 1, 0]),
          ]);
          const changes: Readonly<Record<string, readonly File[]>> = {
            byte: [{ ...chosen, content }],
            mode: [{ ...chosen, kind: chosen.kind === "plain" ? "executable" : "plain" }],
            path: [{ ...chosen, path: `${chosen.path}Z` }],
            less: [],
            more: [chosen, { ...chosen, path: "ZZ" }],
          };
          expect(await digestOf([...others, ...(changes[how] ?? [])])).not.toBe(await digestOf(files));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("deploy R-SOURCE-2: is what sorting and sha256sum of its lines say", async () => {
    const sha = (text: string): string => createHash("sha256").update(text).digest("hex");
    const lines = [
      `file 644 1 ${sha("a")} \u{1f600}.txt\n`,
      `file 644 1 ${sha("a")} \uffee.txt\n`,
      `file 755 2 ${sha("bb")} b\\nc\n`,
      `link link 3 ${sha("../")} l\n`,
    ].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    const archive = tarGz([
      tarLink("l", "../"),
      tarFile("\u{1f600}.txt", "a"),
      tarFile("b\nc", "bb", { mode: 0o751 }),
      tarFile("\uffee.txt", "a"),
    ]);
    expect((await listing(archive)).sourceDigest).toBe(`sha256:${sha(lines.join(""))}`);
  });
});

describe("deploy R-BIND-5: hashes are those of the bytes", () => {
  it("deploy R-BIND-5: the object's digest and length are of the bytes as sent", async () => {
    const archive = tarGz([MANIFEST]);
    expect(await listing(archive, { chunkBytes: 10 })).toMatchObject({
      objectSha256: createHash("sha256").update(archive).digest("hex"),
      objectBytes: archive.length,
    });
  });

  it("deploy R-SOURCE-3: blob ids agree with git's own, in both object formats", async () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-git-"));
    try {
      const contents = ["", "a\n", "grün\r\n", Buffer.from([0, 255, 10]), randomContent(200_000)];
      const archive = tarGz(contents.map((content, at) => tarFile(`f${at}`, content)));
      const { entries } = await listing(archive);
      for (const format of ["sha1", "sha256"] as const) {
        const repository = join(folder, format);
        execFileSync("git", ["init", "-q", `--object-format=${format}`, repository]);
        const ids = contents.map((input) =>
          execFileSync("git", ["hash-object", "--stdin"], {
            cwd: repository,
            input: Buffer.from(input),
            encoding: "utf8",
          }).trim(),
        );
        expect(entries.map((entry) => (format === "sha1" ? entry.gitSha1 : entry.gitSha256))).toEqual(ids);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("deploy R-SOURCE-4: what lies under .git/ is neither hashed nor listed, and still has to be in form", async () => {
    const inside = tarFile(".git/config", "x");
    expect(
      (await listing(tarGz([inside, tarFile(".gitignore", "y"), tarFile("a/.git/b", "z")]))).entries.map(
        ({ path }) => path,
      ),
    ).toEqual([...[".gitignore", "a/.git/b"]]);
    expect(await refusal(tarGz([inside, inside]))).toContain(".git/config: its path comes twice");
  });
});
