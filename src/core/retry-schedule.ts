/** When a failed lookup is tried again: 1, 5, 15, 60, 300 s, then every 300 s, each ±20 % (R-RESOLVE-7). */
import type { Instant } from "./person.ts";

const SECONDS = [1, 5, 15, 60, 300] as const;
const LONGEST_SECONDS = 300;

/**
 * The spread is taken from the id, not from chance: the core has no randomness, and requests that failed together
 * must still not come back together.
 */
export function nextAttemptAt(attempt: number, id: string, now: Instant): Instant {
  const seconds = SECONDS[attempt - 1] ?? LONGEST_SECONDS;
  let mixed = attempt;
  for (let index = 0; index < id.length; index += 1) mixed = (mixed * 31 + id.charCodeAt(index)) % 10_007;
  const factor = 0.8 + (0.4 * mixed) / 10_006;
  return now + Math.round(seconds * 1000 * factor);
}
