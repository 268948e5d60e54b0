/** Lines that arrive while somebody reads them, and an end. */

export class RackLog {
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #hasEnded = false;

  get text(): string {
    return this.#lines.join("");
  }

  write(text: string): void {
    this.#lines.push(text);
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** What there is, and unless it only wants that, what follows until the end or until nobody reads any more. */
  async *follow({
    stopsAtNow,
    stop,
  }: {
    readonly stopsAtNow: boolean;
    readonly stop: AbortSignal;
  }): AsyncGenerator<string> {
    for (let next = 0; ; next += 1) {
      while (next >= this.#lines.length) {
        if (stopsAtNow || this.#hasEnded || stop.aborted) return;
        await this.#more(stop);
      }
      yield this.#lines[next] ?? "";
    }
  }

  #more(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        stop.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      stop.addEventListener("abort", wake);
    });
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}
