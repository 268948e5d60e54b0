import type { ReactNode } from "react";

import { classNames } from "../look/class-names.ts";
import styles from "./tested.module.css";

interface TestedProps {
  readonly ok: boolean;
  readonly children: ReactNode;
}

/** R-ADM-4: what came of a test, beside what was tested; good or bad is said in words by whoever writes the sentence. */
export function Tested({ ok, children }: TestedProps): ReactNode {
  return (
    <p className={classNames(styles.tested, ok ? styles.good : styles.bad)} role="status">
      {children}
    </p>
  );
}
