/**
 * What is to be told of the ends of tokens, before and after: a round at start and one a minute (identity R-TOK-3). Late is
 * harmless: tokens are refused from their last moment on.
 */

export interface TokenExpiryLoopOptions {
  /** One round; says how many tokens it told of, or that none is left. */
  readonly round: () => Promise<number>;
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
      while (!isStopped && !options.isPaused() && (await options.round()) > 0);
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
