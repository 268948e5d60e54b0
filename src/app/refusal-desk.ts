/**
 * What this process keeps in memory about sign-ins that were refused: how many were strangers', how many of each person
 * became entries, and which entries are being written. One per process (docs/spec/identity.md section 10).
 */
import type { PersonId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";

const WINDOW_MS = 3_600_000;
/** More refusals of one person within the hour are counted with the strangers'. */
const ENTRIES_MAX = 20;
export const SUMMARY_SECONDS = 60;

export class RefusalDesk {
  #strangers = 0;
  #summaryAt: Instant = 0;
  #window = 0;
  readonly #entries = new Map<PersonId, number>();
  readonly #writing = new Set<Promise<void>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Counts one refusal; true when it is to become an entry of this person. */
  count(personId: PersonId | null, now: Instant): boolean {
    const isEntry = personId !== null && this.#hasRoom(personId, now);
    if (!isEntry) this.#strangers += 1;
    return isEntry;
  }

  /** How many were counted and not told yet; 0 when the last time was less than a minute ago. */
  takeStrangers(now: Instant): number {
    if (this.#strangers === 0 || now - this.#summaryAt < SUMMARY_SECONDS * 1_000) return 0;
    const count = this.#strangers;
    this.#strangers = 0;
    this.#summaryAt = now;
    return count;
  }

  /** The answer does not wait for it: its delay would tell a stranger whether a login exists (R-LOCAL-3). */
  writeAside(entry: Promise<void>): void {
    const done: Promise<void> = entry.catch(this.#onError).finally(() => this.#writing.delete(done));
    this.#writing.add(done);
  }

  /** Resolves when nothing is being written any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #hasRoom(personId: PersonId, now: Instant): boolean {
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.#window) this.#entries.clear();
    this.#window = window;
    const written = this.#entries.get(personId) ?? 0;
    this.#entries.set(personId, written + 1);
    return written < ENTRIES_MAX;
  }
}
