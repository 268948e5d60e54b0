import { searchText } from "../inbox/inbox-search.ts";

export interface DeployAppSearch {
  readonly tab?: string | undefined;
}

export function parseDeployAppSearch(search: Record<string, unknown>): DeployAppSearch {
  return { tab: searchText(search["tab"]) };
}
