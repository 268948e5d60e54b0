/** Rows of text in columns, for a terminal. */
import { textIn } from "../client/api-client.ts";

/** Control characters of what others named could move the cursor. */
const CONTROL = /[\p{Control}\p{Format}]/gu;

export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = [heads, ...rows].map((row) => row.map((cell) => cell.replaceAll(CONTROL, "\ufffd")));
  const widths = heads.map((_head, column) => Math.max(...shown.map((row) => (row[column] ?? "").length)));
  return shown
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** These members of an object, empty where they are no text. */
export function textsIn(value: unknown, members: readonly string[]): readonly string[] {
  return members.map((member) => textIn(value, member) ?? "");
}
