import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import controls from "../../parts/controls.module.css";
import styles from "./enrolment.module.css";

/** The address was opened without its secret, or a second time after a reload. */
export function LinkMissing(): ReactNode {
  return (
    <div className={styles.form}>
      <p className={styles.sentence}>
        This address works only as a whole link, and only as it was given to you. Open the link again; if it was used
        before, ask for a new one.
      </p>
      <Link to="/sign-in" className={controls.button}>
        Go to sign-in
      </Link>
    </div>
  );
}
