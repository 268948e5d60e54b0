/**
 * Sleeps until something may have changed: a commit of this process wakes it at once, a commit of another one is seen by
 * the fallback poll. A signal that comes between two waits is not lost.
 */
import type { CommitSignal } from "./server-options.ts";

/** Commits of other processes are seen after at most this long. */
const FALLBACK_POLL_MS = 2000;

export class CommitWaiter {
  readonly #over: AbortSignal;
  /** Held for as long as somebody waits: what a combined signal was made of may be collected otherwise, and a time-out with it. */
  readonly #parts: readonly AbortSignal[];
  readonly #unsubscribe: () => void;
  #pending = false;
  #wake: (() => void) | null = null;

  /** Over as soon as one of the signals is. */
  constructor(events: CommitSignal, ...parts: readonly AbortSignal[]) {
    const over = AbortSignal.any([...parts]);
    this.#over = over;
    this.#parts = parts;
    const signal = (): void => {
      this.#pending = true;
      this.#wake?.();
    };
    const unsubscribe = events.subscribe(signal);
    over.addEventListener("abort", signal);
    this.#unsubscribe = () => {
      over.removeEventListener("abort", signal);
      unsubscribe();
    };
  }

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.#over;
  }

  /** Nobody waits any more: the time is over, the caller has gone, or the server stops. */
  get over(): boolean {
    return this.#parts.some((part) => part.aborted);
  }

  async next(): Promise<void> {
    if (!this.#pending && !this.over) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FALLBACK_POLL_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    this.#pending = false;
  }

  close(): void {
    this.#unsubscribe();
  }
}
