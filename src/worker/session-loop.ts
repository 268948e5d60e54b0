/**
 * What has to be done about sessions once a minute: write down when each was last used, end those whose time is over, tell how
 * many strangers were refused (docs/spec/identity.md R-SESS-3, R-SESS-4, section 10).
 */
export interface SessionLoopOptions {
  readonly writeLastSeen: () => Promise<void>;
  /** One round; repeated while it says that there may be more. */
  readonly endOverdue: () => Promise<number>;
  readonly summarize: () => Promise<void>;
  /** Resolves when nothing is being written beside the answers any more. */
  readonly settled: () => Promise<void>;
  readonly everyMs?: number;
  /** True while nothing may be written. */
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 60_000;

export function startSessionLoop(options: SessionLoopOptions): { stop(): Promise<void> } {
  let isStopped = false;

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      if (!options.isPaused()) await work();
    } catch (error) {
      options.onError(error);
    }
  }

  async function round(): Promise<void> {
    await attempt(options.writeLastSeen);
    await attempt(async () => {
      while (!isStopped && (await options.endOverdue()) > 0);
    });
    await attempt(options.summarize);
  }

  let running = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(round);
  }, options.everyMs ?? EVERY_MS);
  return {
    /** What was seen last is not lost with a clean end. */
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await running;
      await options.settled();
      await round();
    },
  };
}
