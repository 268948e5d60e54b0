import { searchText } from "../inbox/inbox-search.ts";

/** R-CON-7: what is filtered and which page is shown are in the address. */
export interface DeploySearch {
  readonly status?: string | undefined;
  readonly app?: string | undefined;
  readonly scope?: string | undefined;
  readonly branch?: string | undefined;
  readonly commit?: string | undefined;
  readonly q?: string | undefined;
  readonly cursor?: string | undefined;
}

export function parseDeploySearch(search: Record<string, unknown>): DeploySearch {
  return {
    status: searchText(search["status"]),
    app: searchText(search["app"]),
    scope: searchText(search["scope"]),
    branch: searchText(search["branch"]),
    commit: searchText(search["commit"]),
    q: searchText(search["q"]),
    cursor: searchText(search["cursor"]),
  };
}
