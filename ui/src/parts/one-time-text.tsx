import type { ReactNode } from "react";

import { CopyButton } from "./copy-button.tsx";
import styles from "./one-time-text.module.css";

interface OneTimeTextProps {
  readonly what: string;
  readonly text: string;
  /** What can be done with it, and until when. */
  readonly children: ReactNode;
}

/** A secret or a link that is shown this once: whole, selectable, with a button that copies it. */
export function OneTimeText({ what, text, children }: OneTimeTextProps): ReactNode {
  return (
    <div className={styles.once}>
      <div className={styles.words}>{children}</div>
      <div className={styles.line}>
        <code className={styles.text} tabIndex={0} aria-label={what}>
          {text}
        </code>
        <CopyButton text={text} what={what} labelled />
      </div>
    </div>
  );
}
