/** Who wants to know that something was committed by this process, and how large the ledger is now. */
export class CommitSignal {
  readonly #listeners = new Set<(size: number) => void>();

  subscribe(listener: (size: number) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(size: number): void {
    for (const listener of this.#listeners) listener(size);
  }
}
