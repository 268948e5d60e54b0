/**
 * Where does the next page start? After the last row's sort key, written into an opaque text (engine R-API-10). Keys are
 * compared, not counted, so that rows inserted meanwhile neither repeat nor hide others.
 */
import { InvalidCursor } from "../../ports/invalid-cursor.ts";
import type { Page } from "../../ports/page.ts";

/** The list that a cursor belongs to: a cursor of one order makes no sense in another. */
export type CursorOf =
  | "requests"
  | "policies"
  | "audit"
  | "deliveries"
  | "inbox_due"
  | "inbox_newest"
  | "members"
  | "machines"
  | "tokens"
  | "deploy"
  | "jobs";

export function encodeCursor(list: CursorOf, key: readonly string[]): string {
  return Buffer.from(JSON.stringify([list, ...key])).toString("base64url");
}

const CURSOR = /^[A-Za-z0-9_-]{1,1000}$/;
/** A time as the database tells it; what is no time must not get as far as a cast. */
export const CURSOR_TIME = /^\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
export const CURSOR_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The sort key, one text per pattern. Throws InvalidCursor. */
export function decodeCursor(list: CursorOf, cursor: string, forms: readonly RegExp[]): readonly string[] {
  const [of, ...key] = CURSOR.test(cursor) ? parseTexts(Buffer.from(cursor, "base64url").toString("utf8")) : [];
  const isWhole = key.length === forms.length && key.every((part, index) => forms[index]?.test(part));
  if (of !== list || !isWhole || key.some((part) => part.includes("\0"))) throw new InvalidCursor();
  return key;
}

/** One row more than a page holds was asked for: its presence says that there is a next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  shape: { readonly item: (row: Row) => Item; readonly cursor: (row: Row) => string },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(shape.item), next: rows.length > limit && last !== undefined ? shape.cursor(last) : null };
}

function parseTexts(text: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((part) => typeof part === "string") ? value : [];
  } catch {
    return [];
  }
}
