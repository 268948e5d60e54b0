import type { ReactNode } from "react";
import { useEffect } from "react";

import { Announcer } from "../parts/announcer.tsx";
import styles from "./entry-frame.module.css";
import { Wordmark } from "./wordmark.tsx";

interface EntryFrameProps {
  readonly title: string;
  /** What stands between the name of the product and the title, as the steps of an enrolment. */
  readonly above?: ReactNode;
  readonly children: ReactNode;
}

/** The pages before the console: one column, nothing to wander off to. */
export function EntryFrame({ title, above, children }: EntryFrameProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Countersign`;
  }, [title]);
  return (
    <main className={styles.page}>
      <div className={styles.sheet}>
        <div className={styles.brand}>
          <Wordmark />
        </div>
        {above}
        <h1 className={styles.title}>{title}</h1>
        {children}
      </div>
      <Announcer />
    </main>
  );
}
