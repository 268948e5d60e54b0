/** Has channels of the chat told soon after something happened, and now and then besides (docs/spec/deploy.md R-SLACK-4). */
import { Alarm } from "./alarm.ts";
import type { Loop } from "./timer-loop.ts";

export interface ChatLoopOptions {
  readonly tell: () => Promise<void>;
  /** Tells of commits; answers how to stop listening. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
  readonly fallbackMs?: number;
  /** What happens within so long is told in one round. */
  readonly gatherMs?: number;
}

const FALLBACK_MS = 30_000;
const GATHER_MS = 1_000;

export function startChatLoop(options: ChatLoopOptions): Loop {
  const alarm = new Alarm();
  let isStopped = false;
  const unsubscribe = options.subscribe(() => {
    alarm.ringWithin(options.gatherMs ?? GATHER_MS);
  });

  async function run(): Promise<void> {
    while (!isStopped) {
      try {
        if (!options.isPaused()) await options.tell();
      } catch (error) {
        options.onError(error);
      }
      await alarm.wait(options.fallbackMs ?? FALLBACK_MS);
    }
  }

  const ended = run();
  return {
    async stop() {
      isStopped = true;
      unsubscribe();
      alarm.ringWithin(0);
      await ended;
    },
  };
}
