import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expands, isBranchName, isFullCommit, isRequestMembers, readRequestMembers } from "./request-members.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const good = { message: "ship it", git_commit_hash: commit, app: "shop" };
const digest = `sha256:${"a".repeat(64)}`;

function read(changed: Record<string, unknown>): unknown {
  const members = readRequestMembers({ ...good, ...changed });
  return isRequestMembers(members) ? members : `${members.status} ${members.message}`;
}

function nested(depth: number): unknown {
  return depth === 0 ? "x" : { a: nested(depth - 1) };
}

function keyed(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index]));
}

const COMMIT_TEXT = "400 git_commit_hash must be a full commit id (40 or 64 hexadecimal characters)";

describe("the members of a request", () => {
  it("deploy R-REQ-1: are read into the words of the gate", () => {
    const members = read({
      message: "  ship\n\tit ",
      git_commit_hash: ` ${commit.toUpperCase()} `,
      git_branch: "refs/heads/feature/x",
      ci_metadata: { workflow_id: "w", pipeline_number: 42, empty: null },
      target_api_token_id: "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
      target_api_token: "ignored",
      images: { web: `registry.example.com:5000/shop/web:1@${digest}` },
      unknown: { anything: true },
    });
    expect(members).toEqual({
      message: "ship\n\tit",
      commit,
      app: "shop",
      branch: "feature/x",
      ciMetadata: { workflow_id: "w", pipeline_number: 42, empty: null },
      targetToken: { id: "3f2504e0-4f89-41d3-9a0c-0305e82c3301" },
      images: { web: `registry.example.com:5000/shop/web:1@${digest}` },
    });
  });

  it("deploy R-REQ-1: what is optional may be missing, null or empty", () => {
    const nothing = { branch: null, ciMetadata: null, targetToken: null, images: {} };
    expect(read({})).toMatchObject(nothing);
    const empty = {
      git_branch: null,
      ci_metadata: null,
      target_api_token_id: null,
      target_api_token: null,
      images: null,
    };
    expect(read(empty)).toMatchObject(nothing);
    expect(read({ git_branch: "", target_api_token_id: "", target_api_token: "" })).toMatchObject(nothing);
    expect(read({ target_api_token: "17" })).toMatchObject({ targetToken: { nameOrNumber: "17" } });
  });

  it.each([
    [{ message: undefined }, "400 message is required"],
    [{ message: "" }, "400 message is required"],
    [{ message: " \n " }, "400 message is required"],
    [{ message: 5 }, "400 message is required"],
    [{ message: "a\u0000" }, "400 message is required"],
    [{ message: "a\rb" }, "400 message is required"],
    [{ message: "a\u0085b" }, "400 message is required"],
    [{ message: "a\ud800" }, "400 message is required"],
    [{ message: "a".repeat(2_001) }, "400 message is required"],
    [{ git_commit_hash: undefined }, "400 git_commit_hash is required"],
    [{ git_commit_hash: " " }, "400 git_commit_hash is required"],
    [{ git_commit_hash: 1234567 }, "400 git_commit_hash is required"],
    [{ git_commit_hash: "%" }, COMMIT_TEXT],
    [{ git_commit_hash: "_" }, COMMIT_TEXT],
    [{ git_commit_hash: "a" }, COMMIT_TEXT],
    [{ git_commit_hash: "abcdef" }, COMMIT_TEXT],
    [{ git_commit_hash: `${commit}0` }, COMMIT_TEXT],
    [{ git_commit_hash: `${commit.slice(1)}g` }, COMMIT_TEXT],
    [{ git_commit_hash: "a".repeat(63) }, COMMIT_TEXT],
    [{ git_commit_hash: "main" }, COMMIT_TEXT],
    [{ app: undefined }, "400 app is required"],
    [{ app: "" }, "400 app is required"],
    [{ app: ["shop"] }, "400 app is required"],
    [{ app: "Shop" }, "400 app name is not valid"],
    [{ app: "-shop" }, "400 app name is not valid"],
    [{ app: "shop-" }, "400 app name is not valid"],
    [{ app: "shop\n" }, "400 app name is not valid"],
    [{ app: "a".repeat(64) }, "400 app name is not valid"],
    [{ git_branch: "a b" }, "400 git_branch is not a valid branch name"],
    [{ git_branch: 5 }, "400 git_branch is not a valid branch name"],
    [{ git_branch: "refs/heads/" }, "400 git_branch is not a valid branch name"],
    [{ git_branch: "é".repeat(128) }, "400 git_branch is not a valid branch name"],
    [{ ci_metadata: [] }, "400 invalid ci_metadata"],
    [{ ci_metadata: "{}" }, "400 invalid ci_metadata"],
    [{ ci_metadata: nested(6) }, "400 invalid ci_metadata"],
    [{ ci_metadata: { a: [[[[[]]]]] } }, "400 invalid ci_metadata"],
    [{ ci_metadata: keyed(51) }, "400 invalid ci_metadata"],
    [{ ci_metadata: { a: keyed(50) } }, "400 invalid ci_metadata"],
    [{ ci_metadata: { a: "x".repeat(16_384 - 7) } }, "400 invalid ci_metadata"],
    [{ ci_metadata: { a: "\u0000" } }, "400 invalid ci_metadata"],
    [{ ci_metadata: { "\udc00": 1 } }, "400 invalid ci_metadata"],
    [{ target_api_token_id: "17" }, "404 api token not found"],
    [{ target_api_token_id: 17 }, "404 api token not found"],
    [{ target_api_token: 17 }, "404 api token not found"],
    [{ target_api_token: "a".repeat(151) }, "404 api token not found"],
    [{ images: [] }, "400 images must be pinned by digest"],
    [{ images: { web: "shop/web:1" } }, "400 images must be pinned by digest"],
    [{ images: { web: `shop/web@sha256:${"a".repeat(63)}` } }, "400 images must be pinned by digest"],
    [{ images: { web: `shop/web@sha256:${"A".repeat(64)}` } }, "400 images must be pinned by digest"],
    [{ images: { web: `@${digest}` } }, "400 images must be pinned by digest"],
    [{ images: { web: 5 } }, "400 images must be pinned by digest"],
    [{ images: { WEB: `shop/web@${digest}` } }, "400 images must be pinned by digest"],
    [{ images: { web: `${"a".repeat(500)}@${digest}` } }, "400 images must be pinned by digest"],
    [
      { images: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`s${index}`, `x@${digest}`])) },
      "400 images must be pinned by digest",
    ],
  ])("deploy R-REQ-1: %j: %s", (changed, expected) => {
    expect(read(changed)).toBe(expected);
  });

  it.each([null, undefined, [], "text", 5])("deploy R-REQ-2: %j is no payload", (body) => {
    const members = readRequestMembers(body);
    expect(isRequestMembers(members) ? "" : members.message).toBe("invalid payload");
  });

  it("deploy R-REQ-1: takes what is just within its limits", () => {
    expect(read({ message: "😀".repeat(2_000) })).toMatchObject({ message: "😀".repeat(2_000) });
    expect(read({ app: "a".repeat(63) })).toMatchObject({ app: "a".repeat(63) });
    expect(read({ app: "a" })).toMatchObject({ app: "a" });
    expect(read({ git_branch: `${"é".repeat(127)}e` })).toMatchObject({ branch: `${"é".repeat(127)}e` });
    expect(read({ ci_metadata: nested(5) })).toMatchObject({ ciMetadata: nested(5) });
    expect(read({ ci_metadata: keyed(50) })).toMatchObject({ ciMetadata: keyed(50) });
    expect(read({ ci_metadata: { a: "x".repeat(16_384 - 8) } })).toMatchObject({ app: "shop" });
    expect(read({ target_api_token: "a".repeat(150) })).toMatchObject({ app: "shop" });
    expect(read({ git_commit_hash: "a".repeat(64) })).toMatchObject({ commit: "a".repeat(64) });
    const images = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`s${index}`, `x@${digest}`]));
    expect(read({ images })).toMatchObject({ images });
    expect(read({ images: { "resources.db": `x@${digest}`, "web.initContainer": `x@${digest}` } })).toMatchObject({
      app: "shop",
    });
  });

  it("deploy R-REQ-2: the first member that is wrong answers, in the order of the rule", () => {
    const order = [
      ["message", "message is required"],
      ["git_commit_hash", "git_commit_hash is required"],
      ["app", "app is required"],
      ["git_branch", "git_branch is not a valid branch name"],
      ["ci_metadata", "invalid ci_metadata"],
      ["target_api_token_id", "api token not found"],
      ["images", "images must be pinned by digest"],
    ] as const;
    for (const [first, [, expected]] of order.entries()) {
      const wrong = Object.fromEntries(order.slice(first).map(([name]) => [name, 5]));
      expect(String(read(wrong)).slice(4)).toBe(expected);
    }
  });

  it("deploy R-REQ-1: no object makes it throw, and nothing but texts of the rule comes back", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...Object.keys(good), "git_branch", "images"), fc.jsonValue()),
        (body) => {
          const members = readRequestMembers(body);
          expect(isRequestMembers(members) || (members.status === 400 && members.message !== "")).toBe(true);
        },
      ),
    );
  });
});

describe("commits", () => {
  it("deploy R-REQ-3: seven to thirty-nine digits are an abbreviation, which only its own full id expands", () => {
    expect(read({ git_commit_hash: "ABC123F" })).toMatchObject({ commit: "abc123f" });
    for (let length = 1; length <= 41; length += 1) {
      const start = `${commit}0`.slice(0, length);
      expect(expands(start, commit)).toBe(length >= 7 && length <= 39);
      expect(isFullCommit(start)).toBe(length === 40);
    }
    expect(expands("abcdef0", commit)).toBe(false);
    expect(expands(commit.slice(0, 12), commit.slice(0, 39))).toBe(false);
    expect(expands(commit.slice(0, 12), commit.toUpperCase())).toBe(false);
  });
});

describe("branches", () => {
  const examples = [
    ...["main", "feature/x", "a.b", "a-b", "@a", "a@", "a.lockx", "é", "a}b", "a{b", "x/HEAD", "a'b", "a;b", "@/x"],
    ...["HEAD", "-a", "a..b", ".a", "a/.b", "a.", "a/", "/a", "a//b", "a.lock", "a.lock/b", "a@{b", "a b"],
    ...["a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\\b", "a\tb", "a\u007fb", "..", "."],
  ];

  it("deploy R-REQ-1: are what Git itself takes for a branch", () => {
    for (const name of examples) {
      const git = spawnSync("git", ["check-ref-format", "--branch", name], { encoding: "utf8" });
      expect(isBranchName(name), JSON.stringify(name)).toBe(git.status === 0 && git.stdout === `${name}\n`);
    }
    // What stands for HEAD in every revision is no name to approve, though Git would take it.
    expect(isBranchName("@")).toBe(false);
    expect(isBranchName("")).toBe(false);
    expect(isBranchName("a\ud800")).toBe(false);
  });
});
