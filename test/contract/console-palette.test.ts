import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

const tokens = readFileSync(join(import.meta.dirname, "../../ui/src/look/tokens.css"), "utf8");

const themes = ["light", "dark"] as const;
type Theme = (typeof themes)[number];

/** Every token is a pair: light-dark(#light, #dark). */
function colour(name: string, theme: Theme): string {
  const pair = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\);`).exec(tokens);
  const found = pair?.[theme === "light" ? 1 : 2];
  if (found === undefined) throw new Error(`tokens.css has no pair of colours called --${name}`);
  return found;
}

/** WCAG 2.2 relative luminance. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const channel = Number.parseInt(hex.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((left, right) => left - right);
  return (lighter + 0.05) / (darker + 0.05);
}

const grounds = ["paper", "card", "sunk"];
const words = ["ink", "ink-2", "accent", "approve", "reject", "wait"];

/** What the style sheets put on what. */
const textPairs = [
  ...words.flatMap((word) => grounds.map((ground) => [word, ground] as const)),
  ...["approve", "reject", "wait"].map((tone) => [tone, `${tone}-ground`] as const),
  ...["approve", "reject", "wait"].map((tone) => ["ink", `${tone}-ground`] as const),
  ["on-accent", "accent"] as const,
  ["paper", "ink"] as const,
];

const borderPairs = [
  ...grounds.map((ground) => ["edge", ground] as const),
  ...["accent", "approve", "reject", "wait"].flatMap((tone) => grounds.map((ground) => [tone, ground] as const)),
];

describe.each(themes)("the %s palette", (theme) => {
  it.each(textPairs)("console section 4: text in --%s on --%s has a contrast of at least 5.6", (text, ground) => {
    expect(contrast(colour(text, theme), colour(ground, theme))).toBeGreaterThanOrEqual(5.6);
  });

  it.each(borderPairs)(
    "console section 4: a border in --%s on --%s has a contrast of at least 3.3",
    (border, ground) => {
      expect(contrast(colour(border, theme), colour(ground, theme))).toBeGreaterThanOrEqual(3.3);
    },
  );
});
