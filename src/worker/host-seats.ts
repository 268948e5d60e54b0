/** How many attempts are under way for each host, and how many more one host may get (docs/spec/engine.md R-HOOK-11). */
export class HostSeats {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes a seat; answers how to leave it. Effects that call no host take none. */
  enter(host: unknown): () => void {
    if (typeof host !== "string") return () => undefined;
    this.#taken.set(host, (this.#taken.get(host) ?? 0) + 1);
    return () => {
      const left = (this.#taken.get(host) ?? 1) - 1;
      if (left === 0) this.#taken.delete(host);
      else this.#taken.set(host, left);
    };
  }

  /** Hosts that have as many as they may. */
  busy(): readonly string[] {
    return [...this.#taken].filter(([, count]) => count >= this.#most).map(([host]) => host);
  }

  /** So many may be taken at once, whoever they are for, and no host has more than it may; at least 1. */
  free(): number {
    const counts = [...this.#taken.values()].filter((count) => count < this.#most);
    return this.#most - Math.max(0, ...counts);
  }
}
