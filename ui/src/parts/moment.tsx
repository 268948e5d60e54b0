import type { ReactNode } from "react";
import { useId, useRef } from "react";

import { placeUnder } from "./anchored.ts";
import { absoluteWords, relativeWords } from "./durations.ts";
import styles from "./moment.module.css";
import { useTicking } from "./ticking-clock.ts";

interface MomentProps {
  readonly at: string;
  /** In rows the row itself is the one tab stop; there the absolute time is in the title only. */
  readonly reachable?: boolean;
}

/** R-CON-10: relative, with the absolute time and its zone on focus and hover. */
export function Moment({ at, reachable = false }: MomentProps): ReactNode {
  const instant = Date.parse(at);
  const words = useTicking((now) => relativeWords(instant, now));
  if (Number.isNaN(instant)) return <span>{at}</span>;
  if (reachable) return <ReachableMoment at={at} words={words} absolute={absoluteWords(instant)} />;
  return (
    <time dateTime={at} title={absoluteWords(instant)}>
      {words}
    </time>
  );
}

interface ReachableMomentProps {
  readonly at: string;
  readonly words: string;
  readonly absolute: string;
}

function ReachableMoment({ at, words, absolute }: ReachableMomentProps): ReactNode {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const tip = useRef<HTMLSpanElement>(null);
  const show = (): void => {
    if (tip.current === null || trigger.current === null || tip.current.matches(":popover-open")) return;
    tip.current.showPopover();
    placeUnder(tip.current, trigger.current, "start");
  };
  const hide = (): void => {
    if (tip.current?.matches(":popover-open") === true) tip.current.hidePopover();
  };
  return (
    <span onMouseEnter={show} onMouseLeave={hide}>
      <button
        ref={trigger}
        type="button"
        className={styles.trigger}
        aria-describedby={id}
        onFocus={show}
        onBlur={hide}
        onKeyDown={(event) => {
          if (event.key === "Escape") hide();
        }}
      >
        <time dateTime={at}>{words}</time>
      </button>
      <span ref={tip} id={id} role="tooltip" popover="manual" className={styles.tip}>
        {absolute}
      </span>
    </span>
  );
}
