import { Link } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import { FileTextIcon, InboxIcon, ScaleIcon } from "lucide-react";
import type { ReactNode } from "react";

import { useInbox } from "../api/inbox.ts";
import type { Me } from "../api/session.ts";
import { isViewer } from "../api/session.ts";
import styles from "./rail.module.css";
import { Wordmark } from "./wordmark.tsx";

/** The pages a person may read. On a phone it is the bar at the bottom. */
export function Rail({ me }: { readonly me: Me }): ReactNode {
  const open = useInbox({ state: "open" }).data?.counts.open ?? 0;
  return (
    <nav className={styles.rail} aria-label="Pages">
      <Link to="/inbox" className={styles.brand} aria-label="Countersign, go to the inbox">
        <Wordmark />
      </Link>
      <ul className={styles.pages}>
        <li>
          <Link to="/inbox" className={styles.page} activeProps={{ className: styles.active, "aria-current": "page" }}>
            <Entry icon={InboxIcon} word="Inbox" />
            {open > 0 && (
              <span className={styles.count}>
                {open > 999 ? "999+" : open}
                <span className="visually-hidden"> waiting for you</span>
              </span>
            )}
          </Link>
        </li>
        <li>
          <Link
            to="/requests"
            className={styles.page}
            activeProps={{ className: styles.active, "aria-current": "page" }}
          >
            <Entry icon={FileTextIcon} word="Requests" />
          </Link>
        </li>
        {isViewer(me) && (
          <li>
            <Link
              to="/policies"
              className={styles.page}
              activeProps={{ className: styles.active, "aria-current": "page" }}
            >
              <Entry icon={ScaleIcon} word="Policies" />
            </Link>
          </li>
        )}
      </ul>
    </nav>
  );
}

function Entry({ icon: Icon, word }: { readonly icon: LucideIcon; readonly word: string }): ReactNode {
  return (
    <>
      <Icon size={18} strokeWidth={1.75} aria-hidden="true" />
      <span>{word}</span>
    </>
  );
}
