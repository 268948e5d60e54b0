/** The program of an archive thread: examines the archives of several uploads beside each other, each in order. */
import { parentPort } from "node:worker_threads";
import type { SourceEntry } from "../../gates/deploy/source-digest.ts";
import { ArchiveExamination } from "./archive-examination.ts";
import { ArchiveRefused } from "./archive-refused.ts";
import { type FromThread, SLOT_BYTES, type ToThread } from "./thread-messages.ts";

/** About two milliseconds of the serving thread. */
const ENTRIES_AT_ONCE = 1_000;

class ThreadReading {
  readonly #reading: number;
  readonly #memory: SharedArrayBuffer;
  readonly #examination: ArchiveExamination;
  /** One step after the other. */
  #steps: Promise<void> = Promise.resolve();
  #over = false;
  #entries: readonly SourceEntry[] = [];
  #told = 0;

  constructor({ reading, memory, options }: Extract<ToThread, { kind: "open" }>) {
    this.#reading = reading;
    this.#memory = memory;
    this.#examination = new ArchiveExamination(options);
  }

  chunk(slot: number, bytes: number): void {
    this.#next(async () => {
      if (!this.#over) await this.#examination.write(Buffer.from(this.#memory, slot * SLOT_BYTES, bytes));
      tell({ kind: "free", reading: this.#reading, slot });
    });
  }

  finish(): void {
    this.#next(async () => {
      if (this.#over) return;
      const { entries, ...summary } = await this.#examination.finish();
      this.#end();
      this.#entries = entries;
      tell({ kind: "summary", reading: this.#reading, summary });
    });
  }

  more(): void {
    const entries = this.#entries.slice(this.#told, this.#told + ENTRIES_AT_ONCE);
    this.#told += entries.length;
    const last = this.#told === this.#entries.length;
    tell({ kind: "entries", reading: this.#reading, entries, last });
    if (last) readings.delete(this.#reading);
  }

  abort(): void {
    readings.delete(this.#reading);
    this.#next(async () => {
      this.#end();
    });
  }

  #next(step: () => Promise<void>): void {
    this.#steps = this.#steps.then(step).catch((error: unknown) => {
      this.#end();
      const reading = this.#reading;
      if (error instanceof ArchiveRefused) tell({ kind: "fault", reading, fault: error.fault });
      else tell({ kind: "broken", reading, why: error instanceof Error ? error.message : String(error) });
    });
  }

  #end(): void {
    this.#over = true;
    this.#examination.close();
  }
}

const readings = new Map<number, ThreadReading>();

function tell(message: FromThread): void {
  parentPort?.postMessage(message);
}

function told(message: ToThread): void {
  if (message.kind === "open") {
    readings.set(message.reading, new ThreadReading(message));
    return;
  }
  const reading = readings.get(message.reading);
  switch (message.kind) {
    case "chunk":
      reading?.chunk(message.slot, message.bytes);
      break;
    case "finish":
      reading?.finish();
      break;
    case "more":
      reading?.more();
      break;
    case "abort":
      reading?.abort();
  }
}

parentPort?.on("message", told);
