/** Tells what was left untold by a process that died: one round at start, then one every so often (docs/spec/effects.md). */
import type { Loop } from "./timer-loop.ts";

export interface TellingLoopOptions {
  readonly tell: () => Promise<void>;
  readonly everyMs: number;
  /** True while nothing may be written. */
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

export function startTellingLoop({ tell, everyMs, isPaused, onError }: TellingLoopOptions): Loop {
  const round = async (): Promise<void> => {
    if (!isPaused()) await tell().catch(onError);
  };
  let running = round();
  const timer = setInterval(() => {
    running = running.then(round);
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
