import type { ReactNode } from "react";

import { classNames } from "../look/class-names.ts";
import { absoluteWords, durationWords } from "./durations.ts";
import styles from "./time-left.module.css";
import { useTicking } from "./ticking-clock.ts";

interface TimeLeftProps {
  readonly until: string;
  /** Where the wait began; with it a rule shows how much of the time is gone. */
  readonly from?: string;
  readonly ended?: "overdue" | "expired";
}

const soonMilliseconds = 60 * 60 * 1_000;

/** Time left in words, as a rule, and in colour when it is short; colour never stands alone. */
export function TimeLeft({ until, from, ended = "overdue" }: TimeLeftProps): ReactNode {
  const end = Date.parse(until);
  const now = useTicking((time) => Math.floor(time / 1_000) * 1_000);
  if (Number.isNaN(end)) return null;
  const left = end - now;
  const tone = left <= 0 ? styles.over : left <= soonMilliseconds ? styles.soon : styles.calm;
  return (
    <span className={classNames(styles.left, tone)} title={absoluteWords(end)}>
      <time dateTime={until} className={styles.words}>
        {left > 0 ? `${durationWords(left)} left` : overWords(ended, left)}
      </time>
      {from !== undefined && <Rule gone={(now - Date.parse(from)) / (end - Date.parse(from))} />}
    </span>
  );
}

function overWords(ended: "overdue" | "expired", left: number): string {
  return ended === "expired" ? "expired" : `overdue by ${durationWords(-left)}`;
}

function Rule({ gone }: { readonly gone: number }): ReactNode {
  const percent = Math.min(100, Math.max(0, Number.isFinite(gone) ? gone * 100 : 100));
  return (
    <span className={styles.rule} aria-hidden="true">
      <span className={styles.rest} style={{ inlineSize: `${(100 - percent).toFixed(1)}%` }} />
    </span>
  );
}
