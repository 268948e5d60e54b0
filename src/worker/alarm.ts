/** A loop's sleep, which others may cut short. */

const WAIT_MAX_MS = 2 ** 31 - 1;

/** A wait that can be cut short; a ring while nobody waits shortens the next wait. */
export class Alarm {
  #ringAt = Infinity;
  #wake: (() => void) | null = null;

  ringWithin(ms: number): void {
    this.#ringAt = Math.min(this.#ringAt, performance.now() + ms);
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    const end = performance.now() + ms;
    for (;;) {
      const left = Math.min(end, this.#ringAt) - performance.now();
      if (left <= 0) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, WAIT_MAX_MS));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#ringAt = Infinity;
  }
}
