/**
 * Asks racks what became of promotes whose outcome never arrived: at the start, and then again and again with longer and longer pauses while
 * nothing is found out (docs/spec/deploy.md R-STATE-6).
 */
import type { Loop } from "./timer-loop.ts";

export interface PromoteLoopOptions {
  /** How many outcomes were found out. */
  readonly reconcile: () => Promise<number>;
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
  readonly everyMs?: number;
}

/** Twice within the minute in which the rack is to be asked. */
const EVERY_MS = 20_000;

export function startPromoteLoop(options: PromoteLoopOptions): Loop {
  let running: Promise<void> = Promise.resolve();

  async function round(): Promise<void> {
    try {
      if (!options.isPaused()) await options.reconcile();
    } catch (error) {
      options.onError(error);
    }
  }

  running = round();
  const timer = setInterval(() => {
    running = running.then(round);
  }, options.everyMs ?? EVERY_MS);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
