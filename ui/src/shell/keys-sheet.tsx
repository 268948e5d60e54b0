import type { ReactNode } from "react";
import { useState } from "react";

import controls from "../parts/controls.module.css";
import { Sheet } from "../parts/sheet.tsx";
import styles from "./keys-sheet.module.css";
import { singleKeysOn, turnSingleKeys } from "./shortcuts.ts";

const groups = [
  {
    title: "Lists",
    keys: [
      { keys: ["j"], does: "Next row" },
      { keys: ["k"], does: "Previous row" },
      { keys: ["o", "Enter"], does: "Open the row" },
      { keys: ["x", "X"], does: "Select the row, or all up to it" },
      { keys: ["u"], does: "Undo the selection" },
      { keys: ["/"], does: "Search" },
    ],
  },
  {
    title: "A request",
    keys: [
      { keys: ["a"], does: "Go to Approve" },
      { keys: ["r"], does: "Reject with a reason" },
      { keys: ["e"], does: "Why not me?" },
    ],
  },
  {
    title: "Go to",
    keys: [
      { keys: ["g i"], does: "Inbox" },
      { keys: ["g r"], does: "Requests" },
      { keys: ["g p"], does: "Policies" },
      { keys: ["?"], does: "These keys" },
    ],
  },
] as const;

export function KeysSheet({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [on, setOn] = useState(singleKeysOn);
  return (
    <Sheet title="Keyboard" onClose={onClose}>
      {groups.map((group) => (
        <section key={group.title} className={styles.group}>
          <h3 className={styles.title}>{group.title}</h3>
          <dl>
            {group.keys.map((line) => (
              <div key={line.does} className={styles.line}>
                <dt>
                  {line.keys.map((key) => (
                    <kbd key={key} className={controls.key}>
                      {key}
                    </kbd>
                  ))}
                </dt>
                <dd>{line.does}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      <p className={controls.hint}>No key decides alone: a and r move you to the decision, and you confirm it there.</p>
      <label className={controls.check}>
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => {
            setOn(event.target.checked);
            turnSingleKeys(event.target.checked);
          }}
        />
        Single-key shortcuts on this device
      </label>
    </Sheet>
  );
}
