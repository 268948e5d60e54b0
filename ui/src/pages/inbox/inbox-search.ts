/** What the address of the inbox says (R-CON-7): tab, filters, and the request opened beside the list. */
export const inboxTabs = ["mine", "asked", "decided", "all"] as const;
export type InboxTab = (typeof inboxTabs)[number];

export interface InboxSearch {
  readonly tab?: InboxTab | undefined;
  readonly type?: string | undefined;
  readonly policy?: string | undefined;
  readonly q?: string | undefined;
  readonly open?: string | undefined;
  readonly decide?: "approve" | "reject" | undefined;
  readonly cursor?: string | undefined;
}

export function parseInboxSearch(search: Record<string, unknown>): InboxSearch {
  return {
    tab: inboxTabs.find((tab) => tab === search["tab"]),
    type: searchText(search["type"]),
    policy: searchText(search["policy"]),
    q: searchText(search["q"]),
    open: searchText(search["open"]),
    decide: parseIntent(search["decide"]),
    cursor: searchText(search["cursor"]),
  };
}

export function isFiltered(search: InboxSearch): boolean {
  return search.q !== undefined || search.type !== undefined || search.policy !== undefined;
}

export function parseIntent(value: unknown): "approve" | "reject" | undefined {
  return value === "approve" || value === "reject" ? value : undefined;
}

/** The router reads 42 and true as what they look like; in a filter they are text. */
export function searchText(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}
