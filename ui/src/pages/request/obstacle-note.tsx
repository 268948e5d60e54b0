import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Moment } from "../../parts/moment.tsx";
import styles from "./decision-bar.module.css";
import type { Obstacle } from "./needed-assurance.ts";

/** Why the button beside it cannot be pressed, and what helps. */
export function ObstacleNote({ obstacle }: { readonly obstacle: Obstacle }): ReactNode {
  return (
    <p id="decision-obstacle" className={styles.obstacle}>
      {obstacle.sentence}
      {obstacle.until !== null && (
        <>
          {" "}
          <Moment at={obstacle.until} reachable />. Somebody who may vouch for you can end the wait.
        </>
      )}{" "}
      {obstacle.enrol && <Link to="/security">Set one up under Security</Link>}
    </p>
  );
}
