import type { ReactNode } from "react";

import type { Policy } from "../../api/policies.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./policy-version-page.module.css";

/** The whole answer of the server: nothing that the words above leave out is out of reach. */
export function PolicyJson({ policy }: { readonly policy: Policy }): ReactNode {
  const text = JSON.stringify(policy.raw, null, 2);
  return (
    <details className={styles.json}>
      <summary className={styles.subtitle}>JSON</summary>
      <div className={styles.copy}>
        <CopyButton text={text} what="JSON" labelled />
      </div>
      <pre tabIndex={0} aria-label="Policy as JSON">
        <OutsideText text={text} />
      </pre>
    </details>
  );
}
