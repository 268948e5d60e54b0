import type { ReactNode } from "react";
import { useState } from "react";

import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";
import listing from "./listing.module.css";

export interface RowAct {
  readonly word: string;
  /** For readers who hear the buttons of all rows one after the other. */
  readonly label?: string;
  readonly sheet: (close: () => void) => ReactNode;
}

interface RowActsProps {
  readonly acts: readonly RowAct[];
  /** Buttons that act at once. */
  readonly children?: ReactNode;
}

/** What can be done about a line of a list: buttons, each of which opens a sheet. */
export function RowActs({ acts, children }: RowActsProps): ReactNode {
  const [open, setOpen] = useState<string | null>(null);
  const close = (): void => {
    setOpen(null);
  };
  return (
    <div className={listing.acts}>
      {children}
      {acts.map(({ word, label }) => (
        <button
          key={word}
          type="button"
          className={classNames(controls.button, controls.small, controls.quiet)}
          aria-label={label}
          onClick={() => {
            setOpen(word);
          }}
        >
          {word}
        </button>
      ))}
      {acts.find(({ word }) => word === open)?.sheet(close)}
    </div>
  );
}
