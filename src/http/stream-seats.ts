import type { Authorized } from "./authorized.ts";

/** How many long calls of one kind, event streams or waits, one caller may have open at once in this process. */
export class StreamSeats {
  readonly #taken = new Map<string, number>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  /** The way to give the seat back, or null when all are taken. */
  take(caller: string): (() => void) | null {
    const taken = this.#taken.get(caller) ?? 0;
    if (taken >= this.#max) return null;
    this.#taken.set(caller, taken + 1);
    return () => {
      const left = (this.#taken.get(caller) ?? 1) - 1;
      if (left <= 0) this.#taken.delete(caller);
      else this.#taken.set(caller, left);
    };
  }
}

export function seatOf({ actor }: Authorized): string {
  return actor.person?.id ?? JSON.stringify([actor.issuer, actor.subject]);
}
