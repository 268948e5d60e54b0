/**
 * The reader of archives whose work is done in threads of their own, so that unpacking and hashing hold up no call
 * (deploy R-SOURCE-4, R-PERF-4, R-PERF-5). A few threads share all uploads; each upload has its own small memory.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { ArchiveOptions, ArchiveReader, ArchiveReading } from "../../ports/archive-reader.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import type { FromThread, ToThread } from "./thread-messages.ts";
import { ThreadedReading } from "./threaded-reading.ts";

const THREADS_MAX = 4;
/** What lists of entries and hashes in one thread may take; beyond it the thread ends, and not the server. */
const THREAD_MEMORY_MIB = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 8 };

export class ArchiveThreads implements ArchiveReader {
  readonly #threads: ArchiveThread[] = [];
  readonly #threadsMax = Math.min(THREADS_MAX, availableParallelism());
  #lastReading = 0;

  open(options: ArchiveOptions): ArchiveReading {
    this.#lastReading += 1;
    return this.#leastBusy().open(this.#lastReading, options);
  }

  /** Ends the threads; readings that are open break off. */
  async close(): Promise<void> {
    await Promise.all(this.#threads.splice(0).map((thread) => thread.end()));
  }

  #leastBusy(): ArchiveThread {
    const [best] = this.#threads.toSorted((left, right) => left.busy - right.busy);
    if (best !== undefined && (best.busy === 0 || this.#threads.length >= this.#threadsMax)) return best;
    const thread = new ArchiveThread(() => {
      const at = this.#threads.indexOf(thread);
      if (at !== -1) this.#threads.splice(at, 1);
    });
    this.#threads.push(thread);
    return thread;
  }
}

class ArchiveThread {
  readonly #worker = startWorker();
  readonly #readings = new Map<number, ThreadedReading>();

  constructor(onExit: () => void) {
    this.#worker.unref();
    this.#worker.on("message", (message: FromThread) => this.#readings.get(message.reading)?.told(message));
    this.#worker.on("error", (error) => {
      this.#breakAll(error);
    });
    this.#worker.on("exit", () => {
      onExit();
      this.#breakAll(new Error("its thread ended"));
    });
  }

  get busy(): number {
    return this.#readings.size;
  }

  open(id: number, options: ArchiveOptions): ThreadedReading {
    const reading = new ThreadedReading(
      id,
      (message: ToThread) => {
        this.#worker.postMessage(message);
      },
      () => {
        this.#forget(id);
      },
    );
    this.#readings.set(id, reading);
    this.#worker.ref();
    reading.begin(options);
    return reading;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #forget(id: number): void {
    this.#readings.delete(id);
    // An idle thread keeps no process alive.
    if (this.#readings.size === 0) this.#worker.unref();
  }

  #breakAll(cause: Error): void {
    for (const reading of [...this.#readings.values()]) {
      reading.breakOff(new Unavailable("busy", "The archive could not be examined: send it again", cause));
    }
  }
}

/** Compiled, the thread's program is JavaScript; run from source, the thread has to learn TypeScript first. */
function startWorker(): Worker {
  const resourceLimits = THREAD_MEMORY_MIB;
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL("./archive-thread.js", import.meta.url), { resourceLimits, execArgv: [] });
  }
  const learn = `data:text/javascript,import{register}from${JSON.stringify(import.meta.resolve("tsx/esm/api"))};register()`;
  return new Worker(new URL("./archive-thread.ts", import.meta.url), { resourceLimits, execArgv: ["--import", learn] });
}
