/**
 * Answers of GitHub that it can confirm instead of sending them again: a confirmed one costs nothing of the rate
 * (docs/spec/deploy.md R-GITHUB-1). Bounded by number and by size; the least recently used goes first.
 */

export interface CachedAnswer {
  readonly etag: string;
  readonly body: unknown;
  readonly link: string | null;
}

interface Kept extends CachedAnswer {
  readonly size: number;
}

const ANSWERS_MAX = 500;
/** In characters of JSON, for all answers together. */
const SIZE_MAX = 8 * 1024 * 1024;

export class EtagCache {
  readonly #kept = new Map<string, Kept>();
  #size = 0;

  get(key: string): CachedAnswer | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept;
  }

  put(key: string, answer: CachedAnswer): void {
    this.#drop(key);
    const size = JSON.stringify(answer.body).length;
    if (size > SIZE_MAX / 8) return;
    this.#kept.set(key, { ...answer, size });
    this.#size += size;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= ANSWERS_MAX && this.#size <= SIZE_MAX) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    this.#size -= this.#kept.get(key)?.size ?? 0;
    this.#kept.delete(key);
  }
}
