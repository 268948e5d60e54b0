import { useEffect, useRef, useState } from "react";

import type { InboxItem } from "../../api/inbox.ts";
import { recentOutcome } from "../../live/recent-outcomes.ts";
import { announcePolitely } from "../../parts/announcer.tsx";
import { focusedRow, moveRow } from "../../shell/row-keys.ts";

export interface Line {
  readonly item: InboxItem;
  /** How the item left the list, or null while it is in it. */
  readonly left: string | null;
}

interface Departure {
  readonly item: InboxItem;
  readonly index: number;
  readonly outcome: string;
}

/** How long a line says why its row is gone. */
const shownMilliseconds = 10_000;

/** R-INB-7: an item decided elsewhere leaves a line for 10 s saying how; the focus goes to the next row. */
export function useDepartures(items: readonly InboxItem[] | undefined, listKey: string, on: boolean): readonly Line[] {
  const before = useRef<{ readonly key: string; readonly items: readonly InboxItem[] }>({ key: "", items: [] });
  const [departures, setDepartures] = useState<readonly Departure[]>([]);
  useEffect(() => {
    if (items === undefined) return;
    const { key, items: former } = before.current;
    before.current = { key: listKey, items };
    if (!on || key !== listKey) {
      setDepartures([]);
      return;
    }
    const arrived = items.filter((item) => !former.some((each) => each.task_id === item.task_id));
    if (arrived.length > 0) announcePolitely(arrivalWords(arrived));
    const gone = departed(former, items);
    if (gone.length === 0) return;
    if (gone.some(({ item }) => focusedRow()?.dataset["task"] === item.task_id)) moveRow(1);
    setDepartures((current) => [...current, ...gone]);
    setTimeout(() => {
      setDepartures((current) => current.filter((departure) => !gone.includes(departure)));
    }, shownMilliseconds);
  }, [items, listKey, on]);
  return merge(items ?? [], departures);
}

function arrivalWords(arrived: readonly InboxItem[]): string {
  const first = arrived[0];
  return arrived.length === 1 && first !== undefined
    ? `New: ${first.title}`
    : `${String(arrived.length)} new requests wait for you`;
}

function departed(former: readonly InboxItem[], items: readonly InboxItem[]): readonly Departure[] {
  const present = new Set(items.map((item) => item.task_id));
  return former.flatMap((item, index) =>
    present.has(item.task_id) ? [] : [{ item, index, outcome: recentOutcome(item.request_id) }],
  );
}

function merge(items: readonly InboxItem[], departures: readonly Departure[]): readonly Line[] {
  const lines: Line[] = items.map((item) => ({ item, left: null }));
  const present = new Set(items.map((item) => item.task_id));
  for (const { item, index, outcome } of departures) {
    if (!present.has(item.task_id)) lines.splice(Math.min(index, lines.length), 0, { item, left: outcome });
  }
  return lines;
}
