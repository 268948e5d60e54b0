/** An archive against the tree of a commit. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { archiveRefusal } from "./content-refusal.ts";
import { type CommitFile, checkSource, type SourceCheck, type SourceQuestion, sourceRefusal } from "./source-check.ts";
import type { SourceEntry } from "./source-digest.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

function hex(algorithm: string, text: string): string {
  return createHash(algorithm).update(text).digest("hex");
}

function blob(text: string, format: "sha1" | "sha256" = "sha1"): string {
  return hex(format, `blob ${Buffer.byteLength(text)}\0${text}`);
}

function entry(path: string, content: string, mode: SourceEntry["mode"] = "644"): SourceEntry {
  const size = Buffer.byteLength(content);
  const hashes = { sha256: hex("sha256", content), gitSha1: blob(content), gitSha256: blob(content, "sha256") };
  return { path, type: mode === "link" ? "link" : "file", mode, size, ...hashes };
}

function tracked(path: string, content: string, mode = "100644", format: "sha1" | "sha256" = "sha1"): CommitFile {
  return { path, mode, blob: blob(content, format) };
}

function check(
  entries: readonly SourceEntry[],
  tree: readonly CommitFile[],
  more: Partial<SourceQuestion> = {},
): SourceCheck {
  return checkSource({
    commit: COMMIT,
    objectFormat: "sha1",
    tree,
    sourcePath: ".",
    entries,
    isAllowedUntracked: () => false,
    acceptedManifests: new Set(),
    blobId: (text) => blob(text),
    ...more,
  });
}

function whyOf(outcome: SourceCheck): readonly string[] {
  return outcome.verdict === "verified" ? [] : outcome.differences.map(({ path, why }) => `${path} ${why}`);
}

describe("deploy R-SOURCE-3: the archive is the commit", () => {
  const tree = [
    tracked("a.ts", "a"),
    tracked("run.sh", "r", "100755"),
    tracked("old.ts", "o", "100664"),
    tracked("link", "a.ts", "120000"),
    { path: "sub", mode: "160000", blob: "f".repeat(40) },
  ];
  const files = [entry("a.ts", "a"), entry("run.sh", "r", "755"), entry("link", "a.ts", "link")];

  it("deploy R-SOURCE-3: content, executable bit and links agree; files may be missing", () => {
    const counts = { same: 3, lfs: 0, manifests: 0, untracked: 0, missing: 1 };
    expect(check(files, tree)).toEqual({ verdict: "verified", counts });
    expect(check([...files, entry("old.ts", "o")], tree)).toMatchObject({ counts: { same: 4, missing: 0 } });
  });

  it.each<readonly [string, SourceEntry, string]>([
    ["a changed byte", entry("a.ts", "b"), "a.ts differs"],
    ["an added file", entry("b.ts", "b"), "b.ts is not in the commit"],
    ["another case", entry("A.ts", "a"), "A.ts is not in the commit"],
    ["an executable bit more", entry("a.ts", "a", "755"), "a.ts has another executable bit"],
    ["an executable bit less", entry("run.sh", "r"), "run.sh has another executable bit"],
    ["a link in place of a file", entry("a.ts", "a", "link"), "a.ts is a file in the commit"],
    ["a file in place of a link", entry("link", "a.ts"), "link is a link in the commit"],
    ["a link elsewhere", entry("link", "/etc", "link"), "link differs"],
    ["a file in a submodule", entry("sub/x", "x"), "sub/x is not in the commit"],
    ["a file in place of a submodule", entry("sub", "x"), "sub is not in the commit"],
  ])("deploy R-SOURCE-3: %s is a difference", (_, changed, why) => {
    const rest = files.filter(({ path }) => path !== changed.path);
    expect(whyOf(check([...rest, changed], tree))).toEqual([why]);
  });

  it("deploy R-SOURCE-3: blob ids are those of the repository's object format", () => {
    const sha256 = { objectFormat: "sha256", blobId: (text: string) => blob(text, "sha256") } as const;
    expect(whyOf(check([entry("a", "x")], [tracked("a", "x", "100644", "sha256")], sha256))).toEqual([]);
    expect(whyOf(check([entry("a", "x")], [tracked("a", "x")], sha256))).toEqual(["a differs"]);
    const { path, type, mode, size, sha256: hash } = entry("a", "x");
    const withoutId = { path, type, mode, size, sha256: hash };
    expect(whyOf(check([withoutId], [tracked("a", "x")]))).toEqual(["a differs"]);
  });

  it("deploy R-SOURCE-3: content of LFS passes where its pointer is in the commit", () => {
    const content = "large";
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${hex("sha256", content)}\nsize 5\n`;
    const committed = [tracked("model.bin", pointer)];
    expect(check([entry("model.bin", content)], committed)).toMatchObject({ counts: { lfs: 1, same: 0 } });
    expect(check([entry("model.bin", pointer)], committed)).toMatchObject({ counts: { lfs: 0, same: 1 } });
    expect(whyOf(check([entry("model.bin", "other")], committed))).toEqual(["model.bin differs"]);
    expect(whyOf(check([entry("model.bin", content, "link")], [tracked("model.bin", pointer, "120000")]))).toEqual([
      "model.bin differs",
    ]);
  });

  it("deploy R-SOURCE-3: allowed untracked paths are for what is not in the commit", () => {
    const isAllowedUntracked = (path: string): boolean => path.startsWith("dist/");
    const committed = [tracked("dist/kept.js", "k")];
    expect(check([entry("dist/new.js", "n")], committed, { isAllowedUntracked })).toMatchObject({
      counts: { untracked: 1 },
    });
    expect(whyOf(check([entry("dist/kept.js", "changed")], committed, { isAllowedUntracked }))).toEqual([
      "dist/kept.js differs",
    ]);
  });

  it.each([".", "./", "services/api", "./services/api/"])(
    "deploy R-SOURCE-3: paths are compared below source_path %s",
    (sourcePath) => {
      const committed = [tracked("services/api/a", "x"), tracked("services/api-evil/a", "y"), tracked("a", "z")];
      const content = sourcePath.startsWith("services") || sourcePath.length > 2 ? "x" : "z";
      expect(whyOf(check([entry("a", content)], committed, { sourcePath }))).toEqual([]);
      expect(whyOf(check([entry("a", "y")], committed, { sourcePath }))).toEqual(["a differs"]);
    },
  );

  it("deploy R-SOURCE-5: a manifest that was accepted may differ, and nothing else of it may", () => {
    const acceptedManifests = new Set(["convox.yml"]);
    const committed = [tracked("convox.yml", "1")];
    expect(check([entry("convox.yml", "2")], committed, { acceptedManifests })).toMatchObject({
      counts: { manifests: 1 },
    });
    expect(whyOf(check([entry("convox.yml", "2", "755")], committed, { acceptedManifests }))).toHaveLength(1);
  });
});

describe("deploy R-SOURCE-3: the refusal", () => {
  it("deploy R-SOURCE-3: counts all, lists the first 20 by path, and says how to allow generated files", () => {
    const outcome = check(
      Array.from({ length: 25 }, (_, at) => entry(`f${String(99 - at)}`, "x")),
      [],
    );
    if (outcome.verdict === "verified") throw new Error("25 files are not in the commit");
    const refusal = sourceRefusal(COMMIT, outcome.differences);
    expect(refusal).toMatchObject({
      code: "source_mismatch",
      status: 422,
      message: "archive does not match commit 0123456: 25 files differ",
    });
    expect(refusal.lines).toHaveLength(22);
    expect(refusal.lines.slice(0, 2)).toEqual(["f75 is not in the commit", "f76 is not in the commit"]);
    expect(refusal.lines.slice(20)).toEqual(["and 5 more", expect.stringContaining("allowed_untracked_paths")]);
    expect(sourceRefusal(COMMIT, outcome.differences.slice(0, 1)).lines).toHaveLength(2);
  });

  it("deploy R-SOURCE-3: paths of an archive are shown, not interpreted", () => {
    const refusal = sourceRefusal(COMMIT, [{ path: `a\n\u202eb${"x".repeat(500)}`, why: "differs" }]);
    expect(refusal.lines[0]).toMatch(/^a\\u000a\\u202ebx+… differs$/);
    expect(refusal.lines[0]?.length).toBeLessThan(220);
  });
});

describe("deploy R-MANIFEST-1, R-MANIFEST-2: refusals of the archive", () => {
  it("deploy R-MANIFEST-2: names the path and why", () => {
    expect(archiveRefusal({ code: "archive_form", path: "a/b", why: "it is a hard link" })).toMatchObject({
      code: "archive_form",
      status: 422,
      message: "archive is not acceptable: a/b: it is a hard link",
    });
  });

  it("deploy R-MANIFEST-1: names the limit", () => {
    expect(archiveRefusal({ code: "archive_limit", path: "a", why: "a file is larger than 1 bytes" })).toMatchObject({
      code: "archive_limit",
      status: 413,
      message: "archive is too large: a file is larger than 1 bytes",
    });
  });
});
