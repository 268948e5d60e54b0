/** YAML with one meaning, expressions and globs whose time nobody can stretch. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manifestReader } from "./manifest-reader.ts";

function why(text: string): string {
  const reading = manifestReader.yaml(text);
  return "why" in reading ? reading.why : "read";
}

function value(text: string): unknown {
  const reading = manifestReader.yaml(text);
  if ("why" in reading) throw new Error(reading.why);
  return reading.value;
}

describe("deploy R-MANIFEST-4: a manifest has one meaning", () => {
  const refused: readonly (readonly [string, string, string])[] = [
    ["bytes that were not UTF-8", "a: \ufffd", "it is not valid UTF-8"],
    ["two documents", "a: 1\n---\nb: 2", "it has more than one document"],
    ["a key twice", "a: 1\na: 2", "the key a comes twice"],
    ["a key twice, once quoted", 'a: 1\n"a": 2', "the key a comes twice"],
    ["a key twice, deep down", "x:\n  - {a: 1, a: 2}", "the key a comes twice"],
    ["a number and its text as keys", '1: a\n"1": b', "the key 1 comes twice"],
    ["two merges", "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a", "the key << comes twice"],
    ["a merge of no map", "a: &a [1]\nb:\n  <<: *a", "the key << merges something that is not a map"],
    ["a merge of text", "b:\n  <<: text", "the key << merges something that is not a map"],
    ["a tag of somebody's own", "a: !env X", "Unresolved tag: !env"],
    ["a binary tag", "a: !!binary aGk=", "Unresolved tag"],
    ["a tag of a map that is merged", "b:\n  <<: !x {a: 1}", "Unresolved tag: !x"],
    ["the tag that says nothing", "a: ! b", "the tag ! is not allowed"],
    ["a tagged key", "! a: b", "the tag ! is not allowed"],
    ["another version", "%YAML 1.1\n---\na: yes", "it has YAML directives"],
    ["a tag directive", "%TAG ! tag:x,2000:\n---\na: 1", "it has YAML directives"],
    ["an unknown anchor", "a: *b", "the anchor b is unknown"],
    ["an anchor that comes later", "a: *b\nb: &b 1", "the anchor b is unknown"],
    ["a structure that holds itself", "a: &a [*a]", "it is nested more than 50 deep"],
    ["a merge of itself", "a: &a\n  <<: *a", "it has more than 100 alias expansions"],
    ["101 aliases", `a: &a 1\nb: [${"*a,".repeat(101)}]`, "it has more than 100 alias expansions"],
    ["a key that is a list", "? [a]\n: 1", "it has a key that is not text"],
    ["a key that is an alias", "a: &a b\n*a : 1", "it has a key that is not text"],
    ["an empty key", ": 1", "it has a key that is empty"],
    ["51 levels", `${"[".repeat(51)}${"]".repeat(51)}`, "it is nested more than 50 deep"],
    ["a tab as indentation", "a:\n\tb: 1", "it is not YAML: Tabs are not allowed as indentation"],
    ["no YAML", "a: b: c", "it is not YAML: Nested mappings"],
  ];

  it.each(refused)("deploy R-MANIFEST-4: %s", (_, text, reason) => {
    expect(why(text)).toContain(reason);
  });

  it("deploy R-MANIFEST-4: anchors and merges are resolved, and the explicit key wins wherever it stands", () => {
    const text =
      "base: &base {image: a, port: 1}\nmore: &more {port: 2, extra: 3}\nweb:\n  image: b\n  <<: [*base, *more]\nagain: *base\n";
    expect(value(text)).toEqual({
      base: { image: "a", port: 1 },
      more: { port: 2, extra: 3 },
      web: { image: "b", port: 1, extra: 3 },
      again: { image: "a", port: 1 },
    });
    expect(value("a: &a {x: 1}\nb: {<<: *a, x: 2}")).toEqual({ a: { x: 1 }, b: { x: 2 } });
    expect(value("a: {'<<': 1}")).toEqual({ a: { "<<": 1 } });
  });

  it("deploy R-MANIFEST-4: 100 expansions and 50 levels are read", () => {
    expect(value(`a: &a 1\nb: [${"*a,".repeat(100)}]`)).toMatchObject({ a: 1 });
    expect(why(`${"[".repeat(49)}1${"]".repeat(49)}`)).toBe("read");
  });

  it("deploy R-MANIFEST-4: the core schema, with numbers that programs read differently as their text", () => {
    expect(value("[1, 1.5, true, ~, yes, 0755, 1.10, 0x10, .inf, !!str 5, 2024-01-01]")).toEqual([
      ...[1, 1.5, true, null, "yes", "0755", "1.10", "0x10", ".inf", "5", "2024-01-01"],
    ]);
    expect(value("1: a\ntrue: b\n0x1: c")).toEqual({ "1": "a", true: "b", "0x1": "c" });
  });

  it("deploy R-MANIFEST-4: a key that means something to JavaScript is only a key", () => {
    const read = value("__proto__: {polluted: 1}\nconstructor: 2");
    expect(JSON.stringify(read)).toBe('{"__proto__":{"polluted":1},"constructor":2}');
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it("deploy R-MANIFEST-4: JSON is YAML", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (json) => {
        const text = JSON.stringify(json);
        fc.pre(!text.includes("\ufffd") && !/[^\\]?-?\d(e|\.0)/.test(text));
        expect(value(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each(["[", "- ", "a: \n", "? ", "{a: ", "&a ", '"', "[1,", "!a ", "%a\n", "---\n", "&a [*a, ", "a:\n ", "#\n"])(
    "deploy R-MANIFEST-4: a mebibyte of %j is told soon",
    (text) => {
      const start = performance.now();
      expect(why(text.repeat(2 ** 20 / text.length))).not.toBe("read");
      expect(performance.now() - start).toBeLessThan(5_000);
    },
  );

  it("deploy R-MANIFEST-4: a billion laughs end at the hundredth", () => {
    const levels = Array.from({ length: 9 }, (_, at) => `l${at + 1}: &l${at + 1} [${`*l${at},`.repeat(9)}]`);
    expect(why(`l0: &l0 [x]\n${levels.join("\n")}`)).toBe("it has more than 100 alias expansions");
  });
});

describe("deploy R-IMAGE-2: expressions", () => {
  it("deploy R-IMAGE-2: match the whole text", () => {
    const match = manifestReader.expression("a|ab+");
    expect(["a", "abb", "ab\n", "xa", "abc"].map((text) => match?.(text))).toEqual([true, true, false, false, false]);
  });

  it.each(["[", "(?=a)", "\\1", "a{1001}", "(((a{100}){100}){100})", "a".repeat(3_000)])(
    "deploy R-IMAGE-2: %s is no expression",
    (source) => {
      expect(manifestReader.expression(source)).toBeNull();
    },
  );

  it("deploy R-IMAGE-2: what makes other engines backtrack takes no time", () => {
    const start = performance.now();
    expect(manifestReader.expression("(a*)*(a|aa)*b")?.("a".repeat(4_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("deploy R-SOURCE-3: globs", () => {
  const named: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["dist/**", ["dist/a", "dist/a/b", "dist/.b", "dist/a\nb"], ["dist", "dist/", "xdist/a", "a/dist/b"]],
    ["**/*.log", ["a.log", "b/a.log", "c/b/.log"], ["a.logs", "alog", "a.log/b"]],
    ["*.js", ["a.js", ".js"], ["a/b.js", "ajs", "a.jsx"]],
    ["./a?c", ["abc", "a\nc"], ["ac", "a/c", "abbc"]],
    ["{a,b/*}.txt", ["a.txt", "b/x.txt"], ["b.txt", "a,b.txt"]],
    ["{a,{b,c}}", ["a", "b", "c"], ["{a", "a,b"]],
    ["[a-c]/[!x]", ["b/y", "c/-"], ["d/y", "b/x", "b//"]],
    ["a\\*b", ["a*b"], ["axb"]],
    ["a,b.c+d(e)", ["a,b.c+d(e)"], ["abxc+d(e)"]],
    ["**", ["a", "a/b"], [""]],
    ["a/**/b", ["a/b", "a/x/y/b"], ["ab", "a/xb"]],
  ];

  it.each(named)("deploy R-SOURCE-3: %s", (glob, yes, no) => {
    const match = manifestReader.globs([glob]);
    expect(yes.filter((path) => match?.(path) !== true)).toEqual([]);
    expect(no.filter((path) => match?.(path) !== false)).toEqual([]);
  });

  it.each(["", "a{b", "a}b", "a[b", "a[]", "a\\", "a**", "**a", "a/**b", "[a", "x".repeat(501), "[z-a]"])(
    "deploy R-SOURCE-3: %j is no glob",
    (glob) => {
      expect(manifestReader.globs(["ok", glob])).toBeNull();
    },
  );

  it("deploy R-SOURCE-3: no globs name nothing, and several name what one of them names", () => {
    expect(manifestReader.globs([])?.("a")).toBe(false);
    expect(manifestReader.globs(["b", "a"])?.("a")).toBe(true);
  });

  it("deploy R-SOURCE-3: many stars and a long path take no time", () => {
    const start = performance.now();
    expect(manifestReader.globs([`${"*a".repeat(20)}b`])?.("a".repeat(4_000))).toBe(false);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
