import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { archivePaths, archivePathsBytesMax, differingPaths } from "./archive-paths.ts";

function entry(path: string, content: string, mode: "644" | "755" | "link" = "644") {
  return { path, mode, sha256: createHash("sha256").update(content).digest("hex") };
}

const FIRST = [entry("b/two", "2"), entry("a", "1"), entry("run", "3", "755"), entry("same", "4")];

describe("the kept files of an archive", () => {
  it("deploy R-BIND-6: added, missing, changed and otherwise permitted files are named, sorted", () => {
    const kept = archivePaths(FIRST);
    expect(kept.whole).toBe(true);
    expect(differingPaths(kept, archivePaths(FIRST.toReversed()))).toEqual([]);
    const other = [entry("a", "one"), entry("run", "3"), entry("same", "4"), entry("zz\nnew", "5")];
    expect(differingPaths(kept, archivePaths(other))).toEqual(["a", "b/two", "run", "zz\\nnew"]);
  });

  it("deploy R-BIND-6: the list is bounded, and says nothing about what did not fit", () => {
    const name = (at: number): string => `${String(at).padStart(6, "0")}${"x".repeat(1_000)}`;
    const many = Array.from({ length: 1_200 }, (_, at) => entry(name(at), String(at)));
    const kept = archivePaths(many);
    expect([kept.whole, Buffer.byteLength(kept.paths) <= archivePathsBytesMax]).toEqual([false, true]);
    expect(Buffer.byteLength(kept.paths)).toBeGreaterThan(archivePathsBytesMax - 2_000);
    const changed = many.map((one, at) => (at === 1 || at === 1_199 ? entry(one.path, "other") : one));
    expect(differingPaths(kept, archivePaths(changed))).toEqual([name(1)]);
    const few = archivePaths([...many.slice(0, 2), entry("zz", "behind the end")]);
    expect(differingPaths(kept, few).at(-1)).toBe(kept.paths.trimEnd().split("\n").at(-1)?.slice(18));
  });
});
