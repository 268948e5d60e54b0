import type { LucideIcon } from "lucide-react";
import type { KeyboardEvent, ReactNode } from "react";
import { useId, useRef, useState } from "react";

import { placeUnder } from "./anchored.ts";
import styles from "./menu.module.css";

export interface MenuItem {
  /** Where two items may have the same word. */
  readonly key?: string;
  readonly word: string;
  readonly icon: LucideIcon;
  /** Given for a choice among the items, absent for an act. */
  readonly checked?: boolean;
  readonly onSelect: () => void;
}

interface MenuProps {
  readonly label: string;
  readonly className: string | undefined;
  /** What the trigger shows. */
  readonly children: ReactNode;
  /** Shown above the items. */
  readonly head?: ReactNode;
  readonly items: readonly MenuItem[];
}

/** A menu on the browser's own popover: top layer, light dismissal and Escape come with it; the arrow keys are here. */
export function Menu({ label, className, children, head, items }: MenuProps): ReactNode {
  const id = useId();
  const trigger = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const onToggle = (shown: boolean): void => {
    setOpen(shown);
    if (!shown || popover.current === null || trigger.current === null) return;
    placeUnder(popover.current, trigger.current, "end");
    const chosen = popover.current.querySelector<HTMLElement>("[aria-checked=true]");
    (chosen ?? itemsOf(popover.current)[0])?.focus();
  };
  return (
    <>
      <button
        ref={trigger}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        aria-expanded={open}
        popoverTarget={id}
      >
        {children}
      </button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        className={styles.menu}
        onToggle={(event) => {
          onToggle(event.newState === "open");
        }}
      >
        {head}
        <div role="menu" aria-label={label} onKeyDown={moveByKey}>
          {items.map((item) => (
            <button
              key={item.key ?? item.word}
              type="button"
              role={item.checked === undefined ? "menuitem" : "menuitemradio"}
              aria-checked={item.checked}
              tabIndex={-1}
              className={styles.item}
              onClick={() => {
                popover.current?.hidePopover();
                item.onSelect();
              }}
            >
              <item.icon size={16} strokeWidth={1.75} aria-hidden="true" />
              {item.word}
            </button>
          ))}
        </div>
      </div>
    </>
  );
}

function itemsOf(menu: HTMLElement): readonly HTMLElement[] {
  return [...menu.querySelectorAll<HTMLElement>("[role^=menuitem]")];
}

function moveByKey(event: KeyboardEvent<HTMLElement>): void {
  const all = itemsOf(event.currentTarget);
  const current = all.findIndex((item) => item === document.activeElement);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: current + 1,
    ArrowUp: current - 1 + all.length,
    Home: 0,
    End: all.length - 1,
  };
  const next = steps[event.key];
  if (next !== undefined) {
    event.preventDefault();
    all[next % all.length]?.focus();
  }
  if (event.key === "Tab") event.currentTarget.closest<HTMLElement>("[popover]")?.hidePopover();
}
