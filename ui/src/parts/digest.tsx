import type { ReactNode } from "react";

import { CopyButton } from "./copy-button.tsx";
import styles from "./digest.module.css";

const shownCharacters = 10;

export function shortDigest(digest: string): string {
  const colon = digest.indexOf(":");
  const hex = digest.slice(colon + 1);
  return hex.length <= shownCharacters ? digest : `${digest.slice(0, colon + 1)}${hex.slice(0, shownCharacters)}…`;
}

/** Short on the page, whole in the title and on the clipboard. */
export function Digest({ digest, whole = false }: { readonly digest: string; readonly whole?: boolean }): ReactNode {
  return (
    <span className={styles.digest}>
      <code className={whole ? styles.whole : styles.short} title={digest}>
        {whole ? digest : shortDigest(digest)}
      </code>
      <CopyButton text={digest} what="digest" />
    </span>
  );
}
