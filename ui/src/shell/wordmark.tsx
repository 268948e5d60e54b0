import type { ReactNode } from "react";

import styles from "./rail.module.css";

export function Wordmark(): ReactNode {
  return (
    <span className={styles.wordmark}>
      <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true" className={styles.glyph}>
        <path className={styles.glyphRule} d="M3 27h26" />
        <path d="M6 14l7 7L26 6" />
      </svg>
      Countersign
    </span>
  );
}
