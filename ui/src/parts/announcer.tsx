import type { ReactNode } from "react";
import { useSyncExternalStore } from "react";

/** R-A11Y-2: results of own acts and the last two minutes are said at once; news of others politely, at most every 5 s. */
interface Spoken {
  readonly polite: string;
  readonly assertive: string;
}

const politeEveryMilliseconds = 5_000;
let spoken: Spoken = { polite: "", assertive: "" };
let lastPolite = 0;
let waiting: ReturnType<typeof setTimeout> | null = null;
let waitingText = "";
const listeners = new Set<() => void>();

function say(next: Partial<Spoken>): void {
  spoken = { ...spoken, ...next };
  for (const listener of listeners) listener();
}

export function announce(text: string): void {
  say({ assertive: text });
}

export function announcePolitely(text: string): void {
  waitingText = text;
  waiting ??= setTimeout(
    () => {
      waiting = null;
      lastPolite = Date.now();
      say({ polite: waitingText });
    },
    Math.max(0, politeEveryMilliseconds - (Date.now() - lastPolite)),
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Announcer(): ReactNode {
  const text = useSyncExternalStore(subscribe, () => spoken);
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite">
        {text.polite}
      </div>
      <div className="visually-hidden" role="alert" aria-live="assertive">
        {text.assertive}
      </div>
    </>
  );
}
