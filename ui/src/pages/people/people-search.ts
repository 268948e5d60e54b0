import { searchText } from "../inbox/inbox-search.ts";

export interface PeopleSearch {
  readonly q?: string | undefined;
  readonly status?: string | undefined;
  readonly cursor?: string | undefined;
}

export function parsePeopleSearch(search: Record<string, unknown>): PeopleSearch {
  return { q: searchText(search["q"]), status: searchText(search["status"]), cursor: searchText(search["cursor"]) };
}
