import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useInbox } from "../../api/inbox.ts";
import type { Me } from "../../api/session.ts";
import { may } from "../../api/session.ts";
import styles from "./inbox-page.module.css";
import type { InboxSearch, InboxTab } from "./inbox-search.ts";

export function InboxTabs({ me, search }: { readonly me: Me; readonly search: InboxSearch }): ReactNode {
  const counts = useInbox({ state: "open" }).data?.counts;
  const tabs: readonly { readonly tab: InboxTab; readonly word: string; readonly count?: number | undefined }[] = [
    { tab: "mine", word: "For me", count: counts?.open },
    { tab: "asked", word: "Asked by me" },
    { tab: "decided", word: "Decided by me", count: counts?.done },
    ...(may(me, "approval:request:read_all") ? [{ tab: "all" as const, word: "All" }] : []),
  ];
  const shown = search.tab ?? "mine";
  return (
    <nav aria-label="Inbox" className={styles.tabs}>
      {tabs.map(({ tab, word, count }) => (
        <Link
          key={tab}
          to="/inbox"
          search={{
            ...search,
            tab: tab === "mine" ? undefined : tab,
            open: undefined,
            decide: undefined,
            cursor: undefined,
          }}
          className={styles.tab}
          activeProps={{}}
          aria-current={tab === shown ? "page" : undefined}
        >
          {word}
          {count !== undefined && <span className={styles.tabCount}>{count}</span>}
        </Link>
      ))}
    </nav>
  );
}
