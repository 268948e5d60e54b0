/**
 * What was looked up about a credential, kept for the few seconds in which it is likely to be presented again. Implements
 * docs/spec/identity.md R-TOK-9: at most 5 s, and nothing survives a change of who may do what.
 */

/** A lost notification is made up for by time. */
const LIFE_MS = 5_000;
/** Whoever presents many credentials cannot fill the memory; the oldest goes first. */
const KEPT_MAX = 10_000;

export interface CredentialCache<Value> {
  /** The value under this key, from memory or loaded now. What is not there is not remembered: it may be made any moment. */
  get(key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined>;
  /** Forgets everything, also what is being loaded at this moment: that may show the state before the change. */
  drop(): void;
}

interface Kept<Value> {
  readonly since: number;
  readonly value: Promise<Value | undefined>;
}

/** `clock` gives milliseconds. Keys are hashes: no credential stays in memory. */
export function createCredentialCache<Value>(clock: () => number): CredentialCache<Value> {
  const kept = new Map<string, Kept<Value>>();

  function forget(key: string, entry: Kept<Value>): void {
    if (kept.get(key) === entry) kept.delete(key);
  }

  function isFresh({ since }: Kept<Value>): boolean {
    const age = clock() - since;
    return age >= 0 && age < LIFE_MS;
  }

  return {
    get(key, load) {
      const known = kept.get(key);
      if (known !== undefined && isFresh(known)) return known.value;
      const entry: Kept<Value> = { since: clock(), value: load() };
      kept.delete(key);
      kept.set(key, entry);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_MAX) break;
        kept.delete(oldest);
      }
      entry.value.then(
        (value) => {
          if (value === undefined) forget(key, entry);
        },
        () => {
          forget(key, entry);
        },
      );
      return entry.value;
    },
    drop() {
      kept.clear();
    },
  };
}
