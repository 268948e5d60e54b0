import { useState } from "react";

import type { InboxItem } from "../../api/inbox.ts";
import { focusedRow } from "../../shell/row-keys.ts";
import { useShortcuts } from "../../shell/shortcuts.ts";

export interface Selection {
  readonly has: (taskId: string) => boolean;
  readonly set: (taskId: string, selected: boolean) => void;
  readonly clear: () => void;
  readonly items: readonly InboxItem[];
}

/** R-INB-4: x selects the row with the focus, Shift-x everything from the last selected to it, u undoes the selection. */
export function useSelection(items: readonly InboxItem[]): Selection {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [last, setLast] = useState<string | null>(null);
  const set = (taskId: string, selected: boolean): void => {
    setLast(taskId);
    setChosen((before) => (selected ? [...new Set([...before, taskId])] : before.filter((each) => each !== taskId)));
  };
  const clear = (): void => {
    setChosen([]);
  };
  const toggle = (): void => {
    const taskId = focusedRow()?.dataset["task"];
    if (taskId !== undefined) set(taskId, !chosen.includes(taskId));
  };
  const range = (): void => {
    const ids = items.map((item) => item.task_id);
    const [from, to] = [ids.indexOf(last ?? ""), ids.indexOf(focusedRow()?.dataset["task"] ?? "")];
    if (from === -1 || to === -1) {
      toggle();
      return;
    }
    setChosen((before) => [...new Set([...before, ...ids.slice(Math.min(from, to), Math.max(from, to) + 1)])]);
  };
  useShortcuts({ x: toggle, X: range, u: clear });
  return {
    has: (taskId) => chosen.includes(taskId),
    set,
    clear,
    // What has left the list is no longer selected, whoever decided it.
    items: items.filter((item) => chosen.includes(item.task_id)),
  };
}
