import { searchText } from "../inbox/inbox-search.ts";

export interface RequestsSearch {
  readonly status?: string | undefined;
  readonly type?: string | undefined;
  readonly policy?: string | undefined;
  readonly requester?: string | undefined;
  readonly q?: string | undefined;
  readonly cursor?: string | undefined;
}

export function parseRequestsSearch(search: Record<string, unknown>): RequestsSearch {
  return {
    status: searchText(search["status"]),
    type: searchText(search["type"]),
    policy: searchText(search["policy"]),
    requester: searchText(search["requester"]),
    q: searchText(search["q"]),
    cursor: searchText(search["cursor"]),
  };
}
