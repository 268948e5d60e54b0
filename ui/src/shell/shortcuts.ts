import { useEffect, useRef } from "react";

/**
 * R-INB-4: single keys and two-key chords ("g i"). Inactive in fields, menus and dialogs, with modifier keys, and when a
 * person turned them off. The newest set of keys on the page is asked first.
 */
export type Shortcuts = Readonly<Record<string, () => void>>;

const storageKey = "countersign.single-keys";
const chordMilliseconds = 1_200;
const sets: { current: Shortcuts }[] = [];
let chord = { key: "", at: 0 };

export function singleKeysOn(): boolean {
  try {
    return localStorage.getItem(storageKey) !== "off";
  } catch {
    return true;
  }
}

export function turnSingleKeys(on: boolean): void {
  try {
    if (on) localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, "off");
  } catch {
    // Storage is denied: the keys stay as they are.
  }
}

export function useShortcuts(shortcuts: Shortcuts): void {
  const set = useRef(shortcuts);
  useEffect(() => {
    set.current = shortcuts;
  });
  useEffect(() => {
    sets.push(set);
    if (sets.length === 1) window.addEventListener("keydown", onKey);
    return () => {
      sets.splice(sets.indexOf(set), 1);
      if (sets.length === 0) window.removeEventListener("keydown", onKey);
    };
  }, []);
}

function onKey(event: KeyboardEvent): void {
  if (!isPlainKey(event) || !singleKeysOn() || isTaken(event.target)) return;
  const now = Date.now();
  const action =
    (now - chord.at < chordMilliseconds ? find(`${chord.key} ${event.key}`) : undefined) ?? find(event.key);
  chord = { key: action === undefined ? event.key : "", at: now };
  if (action === undefined) return;
  event.preventDefault();
  action();
}

function isPlainKey(event: KeyboardEvent): boolean {
  return !(event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing);
}

function find(key: string): (() => void) | undefined {
  for (const set of sets.toReversed()) {
    const action = set.current[key];
    if (action !== undefined) return action;
  }
  return undefined;
}

function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open]") !== null) return true;
  return (
    target instanceof Element && target.closest("input, textarea, select, [contenteditable], [role=menu]") !== null
  );
}
