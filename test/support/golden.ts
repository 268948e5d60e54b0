/** Files that say what the product promises: `GOLDEN=update` rewrites them, everything else compares. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

export function expectGolden(name: string, text: string): void {
  const file = join(import.meta.dirname, "..", "golden", name);
  if (process.env["GOLDEN"] === "update") writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, "utf8"));
}
