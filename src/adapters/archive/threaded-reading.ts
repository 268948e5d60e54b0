/** One upload's side of an archive thread: copies chunks into the memory they share and waits while it is full. */
import type { ArchiveFault } from "../../gates/deploy/content-refusal.ts";
import type { SourceEntry } from "../../gates/deploy/source-digest.ts";
import type { ArchiveListing, ArchiveOptions, ArchiveReading } from "../../ports/archive-reader.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import { type FromThread, SLOT_BYTES, SLOTS, type ToThread } from "./thread-messages.ts";

type Outcome = ArchiveListing | ArchiveFault;

export class ThreadedReading implements ArchiveReading {
  readonly #id: number;
  readonly #send: (message: ToThread) => void;
  readonly #forget: () => void;
  readonly #memory = new SharedArrayBuffer(SLOTS * SLOT_BYTES);
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);
  readonly #entries: SourceEntry[] = [];
  #summary: Omit<ArchiveListing, "entries"> | null = null;
  #fault: ArchiveFault | null = null;
  #broken: Error | null = null;
  #aborted = false;
  #outcome: ArchiveListing | null = null;
  /** Whoever waits for a slot or for the outcome. */
  #wake: (() => void)[] = [];

  constructor(id: number, send: (message: ToThread) => void, forget: () => void) {
    this.#id = id;
    this.#send = send;
    this.#forget = forget;
  }

  get fault(): ArchiveFault | null {
    return this.#fault;
  }

  begin(options: ArchiveOptions): void {
    this.#send({ kind: "open", reading: this.#id, options, memory: this.#memory });
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; at += SLOT_BYTES) {
      const slot = await this.#freeSlot();
      if (slot === null) return;
      const part = chunk.subarray(at, at + SLOT_BYTES);
      new Uint8Array(this.#memory, slot * SLOT_BYTES, part.length).set(part);
      this.#send({ kind: "chunk", reading: this.#id, slot, bytes: part.length });
    }
  }

  async finish(): Promise<Outcome> {
    if (!this.#isOver()) this.#send({ kind: "finish", reading: this.#id });
    while (this.#outcome === null && !this.#isOver()) await this.#change();
    if (this.#broken !== null) throw this.#broken;
    const outcome = this.#fault ?? this.#outcome;
    if (outcome === null)
      throw new Error("The reading of an archive was finished after it was aborted (this is a bug)");
    return outcome;
  }

  abort(): void {
    if (this.#isOver() || this.#outcome !== null) return;
    this.#aborted = true;
    this.#send({ kind: "abort", reading: this.#id });
    this.#end();
  }

  breakOff(error: Error): void {
    this.#broken ??= error;
    this.#end();
  }

  /** Called by the thread. */
  told(message: FromThread): void {
    switch (message.kind) {
      case "free":
        this.#free.push(message.slot);
        break;
      case "fault":
        this.#fault = message.fault;
        this.#send({ kind: "abort", reading: this.#id });
        this.#end();
        break;
      case "broken":
        this.#send({ kind: "abort", reading: this.#id });
        this.breakOff(new Unavailable("busy", "The archive could not be examined: send it again", message.why));
        break;
      case "summary":
        this.#summary = message.summary;
        this.#send({ kind: "more", reading: this.#id });
        break;
      case "entries":
        this.#listed(message.entries, message.last);
    }
    this.#wakeAll();
  }

  #listed(entries: readonly SourceEntry[], last: boolean): void {
    for (const entry of entries) this.#entries.push(entry);
    if (!last) {
      this.#send({ kind: "more", reading: this.#id });
    } else if (this.#summary !== null) {
      this.#outcome = { ...this.#summary, entries: this.#entries };
      this.#end();
    }
  }

  /** Null where nothing more is to be written. */
  async #freeSlot(): Promise<number | null> {
    for (;;) {
      if (this.#broken !== null) throw this.#broken;
      if (this.#isOver()) return null;
      const slot = this.#free.pop();
      if (slot !== undefined) return slot;
      await this.#change();
    }
  }

  #isOver(): boolean {
    return this.#aborted || this.#fault !== null || this.#broken !== null;
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake.push(resolve);
    });
  }

  #end(): void {
    this.#forget();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
