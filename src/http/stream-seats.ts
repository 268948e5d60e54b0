/** How many event streams one person may have open at once, in this process. */
export class StreamSeats {
  readonly #taken = new Map<string, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The way to give the seat back, or null when all are taken. */
  take(person: string): (() => void) | null {
    const taken = this.#taken.get(person) ?? 0;
    if (taken >= this.#max) return null;
    this.#taken.set(person, taken + 1);
    return () => {
      const left = (this.#taken.get(person) ?? 1) - 1;
      if (left <= 0) this.#taken.delete(person);
      else this.#taken.set(person, left);
    };
  }
}
