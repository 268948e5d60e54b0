import { useSyncExternalStore } from "react";

/** Wide enough to show a list and an opened request side by side. */
const wide = window.matchMedia("(min-width: 1180px)");

function subscribe(listener: () => void): () => void {
  wide.addEventListener("change", listener);
  return () => {
    wide.removeEventListener("change", listener);
  };
}

export function useWide(): boolean {
  return useSyncExternalStore(subscribe, () => wide.matches);
}
