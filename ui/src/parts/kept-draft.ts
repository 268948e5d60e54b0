import { useState } from "react";

/**
 * R-A11Y-3: what was typed outlives a new sign-in in this tab. It stays on the device, in the tab's own storage, and is
 * gone once it was sent or the tab is closed.
 */
const prefix = "countersign.draft.";

export function useKeptDraft(key: string): readonly [string, (text: string) => void] {
  const [text, setText] = useState(() => read(prefix + key));
  return [
    text,
    (next) => {
      setText(next);
      write(prefix + key, next);
    },
  ];
}

function read(key: string): string {
  try {
    return sessionStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function write(key: string, text: string): void {
  try {
    if (text === "") sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // Storage is denied: the draft lives as long as the page.
  }
}

/** Signing out leaves nothing of one person's words to the next. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(prefix)) sessionStorage.removeItem(key);
  } catch {
    // Storage is denied: there is nothing to forget.
  }
}
