import { ExternalLinkIcon } from "lucide-react";
import type { ReactNode } from "react";

import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./deploy-what.module.css";

interface OutsideLinkProps {
  /** Null where nobody knows the address: the text stands alone. */
  readonly to: string | null;
  readonly text: string;
  readonly mono?: boolean;
}

/** R-CON-8: a link to another host shows its target and opens beside the page. Only web addresses become links. */
export function OutsideLink({ to, text, mono = false }: OutsideLinkProps): ReactNode {
  const shown = mono ? (
    <code>
      <OutsideText text={text} />
    </code>
  ) : (
    <OutsideText text={text} />
  );
  if (to === null || !/^https?:\/\//.test(to)) return shown;
  return (
    <a href={to} title={to} target="_blank" rel="noopener noreferrer" className={styles.link}>
      {shown}
      <ExternalLinkIcon size={12} aria-hidden="true" />
      <span className="visually-hidden"> (opens another site)</span>
    </a>
  );
}
