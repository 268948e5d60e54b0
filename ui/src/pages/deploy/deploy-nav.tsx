import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import styles from "./deploy-nav.module.css";

const places = [
  { to: "/deploy", word: "Requests" },
  { to: "/deploy/apps", word: "Apps" },
  { to: "/deploy/racks", word: "Racks" },
  { to: "/deploy/integrations", word: "Integrations" },
  { to: "/deploy/tokens", word: "Tokens" },
] as const;

/** The pages of the deploy gate; what a person may not read there, the page itself says. */
export function DeployNav(): ReactNode {
  return (
    <nav className={styles.nav} aria-label="Deploy pages">
      {places.map(({ to, word }) => (
        <Link
          key={to}
          to={to}
          className={styles.link}
          activeOptions={{ exact: to === "/deploy", includeSearch: false }}
          activeProps={{ className: styles.here, "aria-current": "page" }}
        >
          {word}
        </Link>
      ))}
    </nav>
  );
}
