/** How often one caller may write: a fixed window per minute, in this process (R-API-7). */
const WINDOW_MS = 60_000;

export class WriteRate {
  readonly #perMinute: number;
  readonly #clock: () => number;
  #window = 0;
  readonly #writes = new Map<string, number>();

  /** `perMinute` 0 means without limit. */
  constructor(perMinute: number, clock: () => number) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** Seconds to wait, or null when the write may go on. */
  countWrite(caller: string): number | null {
    if (this.#perMinute === 0) return null;
    const now = this.#clock();
    const window = Math.floor(now / WINDOW_MS);
    if (window !== this.#window) {
      this.#window = window;
      this.#writes.clear();
    }
    const writes = (this.#writes.get(caller) ?? 0) + 1;
    this.#writes.set(caller, writes);
    return writes <= this.#perMinute ? null : Math.ceil(((window + 1) * WINDOW_MS - now) / 1000);
  }
}
