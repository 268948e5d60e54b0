import type { ReactNode } from "react";
import { lazy, Suspense, useState } from "react";

import type { InboxItem } from "../../api/inbox.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import styles from "./selection.module.css";
import type { Selection } from "./use-selection.ts";

const SelectionSheet = lazy(async () => ({ default: (await import("./selection-sheet.tsx")).SelectionSheet }));

/** The server takes as many as a person can be asked to look at. */
const selectedMost = 50;

interface Asking {
  readonly action: "approve" | "reject";
  /** Kept as it was: rows that leave the list while it is open stay in its result. */
  readonly items: readonly InboxItem[];
}

/** R-INB-6: how many are selected, and what can be done with all of them. */
export function SelectionBar({ selection }: { readonly selection: Selection }): ReactNode {
  const [asking, setAsking] = useState<Asking | null>(null);
  const count = selection.items.length;
  const tooMany = count > selectedMost;
  if (count === 0 && asking === null) return null;
  const ask = (action: Asking["action"]): void => {
    if (!tooMany) setAsking({ action, items: selection.items });
  };
  return (
    <section className={styles.bar} aria-label="Selection">
      <p>
        <strong>{count}</strong> selected{tooMany && `; at most ${String(selectedMost)} can be decided at once`}
      </p>
      <button type="button" className={classNames(controls.button, controls.quiet)} onClick={selection.clear}>
        Clear
      </button>
      <button
        type="button"
        className={classNames(controls.button, controls.refuse)}
        aria-disabled={tooMany}
        onClick={() => {
          ask("reject");
        }}
      >
        Reject…
      </button>
      <button
        type="button"
        className={classNames(controls.button, controls.primary)}
        aria-disabled={tooMany}
        onClick={() => {
          ask("approve");
        }}
      >
        Approve…
      </button>
      {asking !== null && (
        <Suspense>
          <SelectionSheet
            action={asking.action}
            items={asking.items}
            onClose={() => {
              setAsking(null);
            }}
            onDecided={selection.clear}
          />
        </Suspense>
      )}
    </section>
  );
}
