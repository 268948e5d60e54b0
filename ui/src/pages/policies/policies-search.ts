import { searchText } from "../inbox/inbox-search.ts";

export interface PoliciesSearch {
  readonly q?: string | undefined;
  readonly status?: string | undefined;
}

export function parsePoliciesSearch(search: Record<string, unknown>): PoliciesSearch {
  return { q: searchText(search["q"]), status: searchText(search["status"]) };
}
