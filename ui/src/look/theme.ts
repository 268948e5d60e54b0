import { useSyncExternalStore } from "react";

/** The system's theme unless a person chose one on this device. public/theme.js applies the choice before the first paint. */
export type Theme = "system" | "light" | "dark";

const storageKey = "countersign.theme";
const listeners = new Set<() => void>();

function isTheme(value: unknown): value is Theme {
  return value === "system" || value === "light" || value === "dark";
}

function chosenTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return isTheme(chosen) ? chosen : "system";
}

export function chooseTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(storageKey);
    else localStorage.setItem(storageKey, theme);
  } catch {
    // Storage is denied: the choice holds for this page only.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, chosenTheme);
}
