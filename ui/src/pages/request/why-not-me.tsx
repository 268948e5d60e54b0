import type { ReactNode } from "react";
import { useId } from "react";

import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./decision-bar.module.css";

interface WhyNotMeProps {
  readonly sentence: string;
  readonly reasons: readonly { readonly code: string; readonly message: string }[];
  readonly shown: boolean;
  readonly onToggle: () => void;
  readonly children: ReactNode;
}

/** R-CON-4: a person who cannot decide reads why, in the server's own reasons. */
export function WhyNotMe({ sentence, reasons, shown, onToggle, children }: WhyNotMeProps): ReactNode {
  const listId = useId();
  return (
    <div className={styles.why}>
      <div className={styles.whyLine}>
        <p>{sentence}</p>
        <div className={styles.more}>
          {reasons.length > 0 && (
            <button
              type="button"
              className={classNames(controls.button, controls.small)}
              aria-expanded={shown}
              aria-controls={listId}
              onClick={onToggle}
            >
              Why not me?
            </button>
          )}
          {children}
        </div>
      </div>
      {shown && reasons.length > 0 && (
        <ul id={listId} className={styles.reasons}>
          {reasons.map((reason) => (
            <li key={reason.code}>
              <OutsideText text={reason.message} /> <code>{reason.code}</code>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
