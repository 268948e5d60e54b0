import { Link } from "@tanstack/react-router";
import { ChevronLeftIcon } from "lucide-react";
import type { ReactNode } from "react";
import { createContext, use, useEffect } from "react";
import { createPortal } from "react-dom";

import styles from "./page-head.module.css";

/** The element in the top bar that the current page draws its heading into. */
export const HeadSlot = createContext<HTMLElement | null>(null);

interface PageHeadProps {
  readonly title: string;
  /** The list this page belongs to. With it the page draws its own, larger heading. */
  readonly back?: {
    readonly to: "/inbox" | "/requests" | "/policies" | "/people" | "/deploy" | "/deploy/apps";
    readonly word: string;
  };
}

export function PageHead({ title, back }: PageHeadProps): ReactNode {
  const slot = use(HeadSlot);
  useEffect(() => {
    document.title = `${title} · Countersign`;
  }, [title]);
  if (slot === null) return null;
  return createPortal(
    back === undefined ? (
      <h1 className={styles.title}>{title}</h1>
    ) : (
      <Link to={back.to} className={styles.back}>
        <ChevronLeftIcon size={16} aria-hidden="true" />
        {back.word}
      </Link>
    ),
    slot,
  );
}
