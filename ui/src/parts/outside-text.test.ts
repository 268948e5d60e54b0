import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { piecesOf, visibleText } from "./outside-text.tsx";

describe("text from outside", () => {
  it.each([
    ["right-to-left override", "\u202e", "[U+202E]"],
    ["isolate", "\u2066", "[U+2066]"],
    ["Arabic letter mark", "\u061c", "[U+061C]"],
    ["zero width space", "\u200b", "[U+200B]"],
    ["word joiner", "\u2060", "[U+2060]"],
    ["byte order mark", "\ufeff", "[U+FEFF]"],
    ["soft hyphen", "\u00ad", "[U+00AD]"],
    ["null", "\u0000", "[U+0000]"],
    ["escape", "\u001b", "[U+001B]"],
    ["line separator", "\u2028", "[U+2028]"],
    ["tag character", "\u{e0041}", "[U+E0041]"],
    ["Hangul filler", "\u3164", "[U+3164]"],
  ])("console R-CON-8: a %s is drawn as a visible mark", (_name, character, mark) => {
    expect(visibleText(`a${character}b`)).toBe(`a${mark}b`);
  });

  it("console R-CON-8: ordinary text of any script, line breaks and tabs stay as they are", () => {
    const ordinary = "Öz, 東京, مرحبا, שלום, 🚀\n\tnext line";
    expect(piecesOf(ordinary)).toEqual([{ kind: "text", text: ordinary }]);
  });

  it("console R-CON-8: nothing is lost, and no steering character is left in what is drawn as text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (outside) => {
        const pieces = piecesOf(outside);
        const drawn = pieces.filter((piece) => piece.kind === "text").map((piece) => piece.text);
        expect(drawn.join("")).not.toMatch(/[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/);
        const count = pieces.reduce(
          (sum, piece) => sum + (piece.kind === "mark" ? 1 : Array.from(piece.text).length),
          0,
        );
        expect(count).toBe(Array.from(outside).length);
      }),
    );
  });
});
