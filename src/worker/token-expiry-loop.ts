/** Tells the ledger of tokens that ended by their time. Late is harmless: they were refused from their last moment on (R-TOK-3). */

export interface TokenExpiryLoopOptions {
  /** One round; says how many tokens it told of. */
  readonly expire: () => Promise<number>;
  readonly everyMs?: number;
  /** True while nothing may be written. */
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 60_000;

export function startTokenExpiryLoop(options: TokenExpiryLoopOptions): { stop(): Promise<void> } {
  let isStopped = false;

  async function sweep(): Promise<void> {
    try {
      while (!isStopped && !options.isPaused() && (await options.expire()) > 0);
    } catch (error) {
      options.onError(error);
    }
  }

  let running = sweep();
  const timer = setInterval(() => {
    running = running.then(sweep);
  }, options.everyMs ?? EVERY_MS);
  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
