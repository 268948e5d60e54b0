import { searchText } from "../inbox/inbox-search.ts";

/** R-CON-7: what is filtered and which page is shown are in the address. */
export interface DeploySearch {
  readonly status?: string | undefined;
  readonly app?: string | undefined;
  readonly scope?: string | undefined;
  readonly branch?: string | undefined;
  readonly commit?: string | undefined;
  readonly q?: string | undefined;
  /** Days, as `2026-11-20`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
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
    since: dayText(search["since"]),
    until: dayText(search["until"]),
    cursor: searchText(search["cursor"]),
  };
}

function dayText(value: unknown): string | undefined {
  const text = searchText(value);
  return text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
}
