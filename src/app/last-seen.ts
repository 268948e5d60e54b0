/** When was each session last used? Kept in memory and written now and then, so that no call costs a write (R-SESS-4). */
import type { Instant } from "../core/person.ts";

export class LastSeen {
  #seen = new Map<string, Instant>();
  /** What was written or read already, so that nothing is written twice. */
  readonly #told = new Map<string, Instant>();

  see(sessionId: string, now: Instant): void {
    this.#seen.set(sessionId, now);
  }

  /** The later of what this process saw and what the row says. */
  at(sessionId: string, stored: Instant | null): Instant | null {
    const here = this.#seen.get(sessionId) ?? this.#told.get(sessionId) ?? null;
    if (here === null || stored === null) return here ?? stored;
    return Math.max(here, stored);
  }

  /** Everything seen since the last time, to be written in one statement; those no longer in use are forgotten. */
  drain(now: Instant): ReadonlyMap<string, Instant> {
    const seen = this.#seen;
    this.#seen = new Map();
    for (const [id, at] of seen) this.#told.set(id, at);
    for (const [id, at] of this.#told) if (now - at > FORGET_MS) this.#told.delete(id);
    return seen;
  }
}

/** Longer than any idle time that is allowed. */
const FORGET_MS = 2 * 3_600_000;
