import { parseIntent } from "../inbox/inbox-search.ts";

export interface RequestSearch {
  readonly pane?: "raw" | undefined;
  readonly decide?: "approve" | "reject" | undefined;
}

export function parseRequestSearch(search: Record<string, unknown>): RequestSearch {
  return { pane: search["pane"] === "raw" ? "raw" : undefined, decide: parseIntent(search["decide"]) };
}
