/**
 * Who may compute a password hash now? A flood of sign-ins must not take the process's memory: two at once, 64 wait, the rest
 * are told to come again (identity R-LOCAL-2).
 */
import { Unavailable } from "../../ports/unavailable.ts";

const AT_ONCE = 2;
const WAITING_MAX = 64;

export class HashTurns {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running >= AT_ONCE) {
      if (this.#waiting.length >= WAITING_MAX) throw new Unavailable("busy", "Too many sign-ins at once: try again");
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // Whoever is woken takes over this turn.
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
