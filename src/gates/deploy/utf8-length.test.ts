import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8Length, utf8Start } from "./utf8-length.ts";

const anyText = fc.array(fc.nat(0x10_ffff)).map((points) => String.fromCodePoint(...points));

describe("length in UTF-8", () => {
  it("deploy R-REQ-1: counts bytes as an encoder does, for every text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(utf8Length(text)).toBe(Buffer.byteLength(text, "utf8"));
      }),
    );
    expect(utf8Length("\ud800")).toBe(Buffer.byteLength("\ud800", "utf8"));
  });

  it("deploy R-PROXY-4: cuts between characters, never beyond the limit and never earlier than needed", () => {
    fc.assert(
      fc.property(anyText, fc.nat(40), (text, bytesMax) => {
        const start = utf8Start(text, bytesMax);
        const next = Array.from(text.slice(start.length))[0] ?? "";
        expect(text.startsWith(start)).toBe(true);
        expect(Buffer.byteLength(start)).toBeLessThanOrEqual(bytesMax);
        expect(next === "" || Buffer.byteLength(start + next) > bytesMax).toBe(true);
      }),
    );
  });
});
