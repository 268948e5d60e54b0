import { CheckIcon } from "lucide-react";
import type { ReactNode } from "react";

import { classNames } from "../../look/class-names.ts";
import styles from "./enrolment.module.css";

/** Where in the short way in somebody stands. */
export function Steps({ words, current }: { readonly words: readonly string[]; readonly current: number }): ReactNode {
  return (
    <ol className={styles.steps} aria-label="Steps">
      {words.map((word, index) => (
        <li
          key={word}
          aria-current={index === current ? "step" : undefined}
          className={classNames(styles.step, index < current && styles.done)}
        >
          <i className={styles.number} aria-hidden="true">
            {index < current ? <CheckIcon size={14} strokeWidth={2.25} /> : index + 1}
          </i>
          {word}
          {index < current && <span className="visually-hidden"> (done)</span>}
        </li>
      ))}
    </ol>
  );
}
