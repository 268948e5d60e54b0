/** Lines of a source digest, and the order that every program sorts them in. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { ARCHIVE_LIMITS, narrowedLimits } from "./archive-limits.ts";
import { byCodePoint, sourceDigest, type SourceEntry } from "./source-digest.ts";

function entry(path: string): SourceEntry {
  return { path, type: "file", mode: "644", size: 1, sha256: "ab", gitSha1: "cd" };
}

function lines(parts: Iterable<string>): string {
  return Array.from(parts).join("");
}

it("deploy R-SOURCE-2: type, mode, size, hash and path, one line each, in order", () => {
  const link: SourceEntry = { path: "l", type: "link", mode: "link", size: 2, sha256: "ef" };
  expect(sourceDigest([link, entry("b"), entry("a\nb")], lines)).toBe(
    "sha256:file 644 1 ab a\\nb\nfile 644 1 ab b\nlink link 2 ef l\n",
  );
});

it("deploy R-SOURCE-2: the order is that of the UTF-8 bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (left, right) => {
      expect(Math.sign(byCodePoint(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
  );
  expect(sourceDigest([entry("\u{1f600}"), entry("\uffee"), entry("\uffee")], lines)).toMatch(
    /\uffee\n.*\uffee\n.*\u{1f600}\n$/u,
  );
});

it("deploy R-MANIFEST-1: limits can be narrowed and not widened", () => {
  expect(narrowedLimits({})).toEqual(ARCHIVE_LIMITS);
  expect(narrowedLimits({ entries: 5, archiveBytes: 2 ** 50 })).toEqual({ ...ARCHIVE_LIMITS, entries: 5 });
});
