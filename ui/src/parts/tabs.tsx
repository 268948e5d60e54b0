import type { KeyboardEvent, ReactNode } from "react";
import { useId, useRef } from "react";

import styles from "./tabs.module.css";

export interface Tab<T extends string> {
  readonly value: T;
  readonly word: string;
  readonly pane: () => ReactNode;
}

interface TabsProps<T extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<T>[];
  readonly shown: T;
  readonly onShow: (value: T) => void;
}

/** One tab stop for all tabs; the arrow keys, Home and End move between them and show what they reach. */
export function Tabs<T extends string>({ label, tabs, shown, onShow }: TabsProps<T>): ReactNode {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const current = tabs.findIndex((tab) => tab.value === shown);
  const move = (event: KeyboardEvent): void => {
    const steps: Readonly<Record<string, number>> = {
      ArrowRight: (current + 1) % tabs.length,
      ArrowLeft: (current - 1 + tabs.length) % tabs.length,
      Home: 0,
      End: tabs.length - 1,
    };
    const next = steps[event.key];
    const reached = next === undefined ? undefined : tabs[next];
    if (next === undefined || reached === undefined) return;
    event.preventDefault();
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
    onShow(reached.value);
  };
  return (
    <>
      <div ref={list} role="tablist" aria-label={label} className={styles.tabs} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.value}
            type="button"
            role="tab"
            id={`${id}-${tab.value}`}
            aria-selected={tab.value === shown}
            aria-controls={`${id}-pane`}
            tabIndex={tab.value === shown ? 0 : -1}
            className={styles.tab}
            onClick={() => {
              onShow(tab.value);
            }}
          >
            {tab.word}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-pane`} aria-labelledby={`${id}-${shown}`} tabIndex={0} className={styles.pane}>
        {tabs[current]?.pane()}
      </div>
    </>
  );
}
