/** Forgets what nobody may ask for any more: answers kept for repeated calls (R-IDEMP-4), attempts at events after their days (R-HOOK-12), ceremonies that are over. Late is harmless here. */
import type { Instant } from "../core/person.ts";
import type { Housekeeping } from "../ports/housekeeping.ts";

export interface SweepLoopOptions {
  readonly housekeeping: Housekeeping;
  readonly clock: () => Instant;
  readonly answersTtlHours: number;
  /** How long attempts at events are shown. */
  readonly attemptsDays: number;
  readonly everyMs?: number;
  /** True while nothing may be written. */
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 3_600_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export function startSweepLoop(options: SweepLoopOptions): { stop(): Promise<void> } {
  let running = Promise.resolve();
  let isStopped = false;

  async function sweep(): Promise<void> {
    if (options.isPaused()) return;
    try {
      const before = options.clock() - options.answersTtlHours * HOUR;
      while (!isStopped && (await options.housekeeping.forgetAnswers(before)) > 0);
      const tried = options.clock() - options.attemptsDays * DAY;
      while (!isStopped && (await options.housekeeping.forgetAttempts(tried)) > 0);
      while (!isStopped && (await options.housekeeping.forgetScratch(options.clock())) > 0);
    } catch (error) {
      options.onError(error);
    }
  }

  const timer = setInterval(() => {
    running = running.then(sweep);
  }, options.everyMs ?? EVERY_MS);
  running = sweep();
  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
