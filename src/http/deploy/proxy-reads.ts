/**
 * Entries about reads, written together shortly after their answers: nobody waits for them unless there are too many, and none is lost
 * while the process lives (docs/spec/deploy.md R-AUDIT-2, R-PERF-3).
 */
import type { Application } from "../../app/application.ts";
import { recordReads, type ReadCall } from "../../app/deploy/call-records.ts";

const WITHIN_MS = 200;
const QUEUE_MAX = 10_000;
const TOGETHER_MAX = 500;
const RETRY_MS = 1_000;

interface Waiting extends ReadCall {
  readonly app: Application;
}

export class ReadRecords {
  readonly #onError: (error: unknown) => void;
  readonly #max: number;
  #queue: Waiting[] = [];
  #timer: NodeJS.Timeout | null = null;
  #writing: Promise<void> = Promise.resolve();
  #room: (() => void)[] = [];

  constructor(onError: (error: unknown) => void, max = QUEUE_MAX) {
    this.#onError = onError;
    this.#max = max;
  }

  add(app: Application, read: ReadCall): void {
    this.#queue.push({ app, ...read });
    this.#schedule(WITHIN_MS);
  }

  /** Resolves when there is room for one more: a full queue slows its callers down. */
  async room(): Promise<void> {
    while (this.#queue.length >= this.#max) {
      await new Promise<void>((resolve) => {
        this.#room.push(resolve);
      });
    }
  }

  /** Writes what there is; what cannot be written now stays. */
  async flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
  }

  async close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.flush();
  }

  #schedule(milliseconds: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      void this.flush();
    }, milliseconds);
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const [first] = this.#queue;
      if (first === undefined) return;
      const together = this.#queue.slice(0, TOGETHER_MAX).filter(({ app }) => app.orgId === first.app.orgId);
      try {
        await recordReads(first.app, together);
      } catch (error) {
        this.#onError(error);
        this.#schedule(RETRY_MS);
        return;
      }
      const written = new Set(together);
      this.#queue = this.#queue.filter((waiting) => !written.has(waiting));
      for (const resolve of this.#room.splice(0)) resolve();
    }
  }
}
