import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import controls from "../../parts/controls.module.css";
import type { InboxSearch } from "./inbox-search.ts";
import styles from "./rows.module.css";

interface PageLinksProps {
  readonly next: string | null;
  readonly search: InboxSearch;
}

export function PageLinks({ next, search }: PageLinksProps): ReactNode {
  if (next === null && search.cursor === undefined) return null;
  return (
    <nav className={styles.pages} aria-label="Pages of the list">
      {search.cursor !== undefined && (
        <Link to="/inbox" search={{ ...search, cursor: undefined }} className={controls.button}>
          First page
        </Link>
      )}
      {next !== null && (
        <Link to="/inbox" search={{ ...search, cursor: next }} className={controls.button}>
          Next page
        </Link>
      )}
    </nav>
  );
}
