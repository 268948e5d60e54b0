/** Writes down when tokens were last used: once a minute, all of them in one statement (docs/spec/identity.md R-TOK-8). */
import type { TokenUse, TokenUses } from "../ports/token-uses.ts";

export interface TokenUseLoopOptions {
  /** The uses since the last time; they are not told again. */
  readonly drain: () => readonly TokenUse[];
  readonly uses: TokenUses;
  readonly everyMs?: number;
  /** True while nothing may be written. */
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 60_000;

export function startTokenUseLoop(options: TokenUseLoopOptions): { stop(): Promise<void> } {
  let running = Promise.resolve();
  /** What could not be written is written with the next. */
  let unwritten: readonly TokenUse[] = [];

  async function write(): Promise<void> {
    if (options.isPaused()) return;
    const newest = new Map([...unwritten, ...options.drain()].map((use) => [use.tokenId, use]));
    const uses = [...newest.values()];
    try {
      await options.uses.write(uses);
      unwritten = [];
    } catch (error) {
      unwritten = uses;
      options.onError(error);
    }
  }

  const timer = setInterval(() => {
    running = running.then(write);
  }, options.everyMs ?? EVERY_MS);
  return {
    /** What was seen last is not lost with a clean end. */
    async stop() {
      clearInterval(timer);
      running = running.then(write);
      await running;
    },
  };
}
