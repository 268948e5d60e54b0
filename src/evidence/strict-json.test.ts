import { describe, expect, it } from "vitest";
import { parseStrictJson, utf8Text } from "./strict-json.ts";

describe("strict JSON", () => {
  it("identity R-SIGN-1: reads an object, whatever is inside", () => {
    const text = String.raw`{"a":[{"b":"}\"{,:"},{"b":2}],"":{"a":null},"__proto__":{"a":1}}`;
    expect(parseStrictJson(text)).toEqual(JSON.parse(text));
    expect(parseStrictJson('{ "a" : { } , "b" : "a" }')).toEqual({ a: {}, b: "a" });
  });

  it.each([
    ["a name twice", '{"a":1,"a":1}'],
    ["a name twice, once escaped", String.raw`{"a":1,"\u0061":1}`],
    ["a name twice with white space", '{"a":1,"a" \n :1}'],
    ["a name twice, inside", '{"x":[{"a":1,"b":{"c":1,"c":2}}]}'],
    ["bytes before", ' {"a":1}'],
    ["bytes after", '{"a":1}\n'],
    ["a byte order mark", '\ufeff{"a":1}'],
    ["a second value", '{"a":1}{"b":1}'],
    ["a list", '["a"]'],
    ["a comment", '{"a":1/**/}'],
    ["nothing", ""],
  ])("identity R-SIGN-1: refuses %s", (_, text) => {
    expect(parseStrictJson(text)).toBeUndefined();
  });

  it("identity R-SIGN-1: bytes that are no UTF-8 are no text", () => {
    expect(utf8Text(Uint8Array.of(0x7b, 0x7d))).toBe("{}");
    expect(utf8Text(Uint8Array.of(0xff))).toBeNull();
    expect(utf8Text(Uint8Array.of(0xed, 0xa0, 0x80))).toBeNull();
    expect(utf8Text(Uint8Array.of(0xc0, 0xaf))).toBeNull();
    expect(utf8Text(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toBe("\ufeffA");
  });
});
