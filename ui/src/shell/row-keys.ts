import { useShortcuts } from "./shortcuts.ts";

/** Rows of a list are links marked with data-row. j and k move the focus, o opens; Enter is the link's own. */
const selector = "a[data-row]";

let lastRow = 0;

function rows(): readonly HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(selector)];
}

export function focusedRow(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>(selector) ?? null;
}

export function moveRow(step: number): void {
  const all = rows();
  const focused = focusedRow();
  const current = focused === null ? lastRow - (step > 0 ? 1 : -1) : all.indexOf(focused);
  const next = Math.min(all.length - 1, Math.max(0, current + step));
  lastRow = next;
  all[next]?.focus();
  all[next]?.scrollIntoView({ block: "nearest" });
}

export function useRowKeys(): void {
  useShortcuts({
    j: () => {
      moveRow(1);
    },
    k: () => {
      moveRow(-1);
    },
    o: () => focusedRow()?.click(),
    "/": () => {
      document.querySelector<HTMLElement>("input[type=search]")?.focus();
    },
  });
}
