import type { ReactNode } from "react";

import { isWithdrawn } from "../api/proof.ts";
import styles from "./refused-note.module.css";
import { RefusalText } from "./states.tsx";

/** Why an act was not done, beside the button that asked for it. What the person stopped themselves is no failure. */
export function RefusedNote({ failure }: { readonly failure: Error | null }): ReactNode {
  if (failure === null || isWithdrawn(failure)) return null;
  return (
    <div className={styles.refused} role="alert">
      <RefusalText failure={failure} />
    </div>
  );
}
