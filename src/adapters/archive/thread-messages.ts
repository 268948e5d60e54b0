/** What the serving thread and an archive thread tell each other. Content travels in memory that both see, never in a message. */
import type { ArchiveFault } from "../../gates/deploy/content-refusal.ts";
import type { SourceEntry } from "../../gates/deploy/source-digest.ts";
import type { ArchiveListing, ArchiveOptions } from "../../ports/archive-reader.ts";

/** A reading's memory: so many slots of so many bytes. */
export const SLOTS = 8;
export const SLOT_BYTES = 64 * 1024;

export type ToThread =
  | {
      readonly kind: "open";
      readonly reading: number;
      readonly options: ArchiveOptions;
      readonly memory: SharedArrayBuffer;
    }
  /** The slot is the thread's until it says `free`. */
  | { readonly kind: "chunk"; readonly reading: number; readonly slot: number; readonly bytes: number }
  | { readonly kind: "finish"; readonly reading: number }
  /** The next entries of a finished reading, so that a long list does not hold up the serving thread. */
  | { readonly kind: "more"; readonly reading: number }
  | { readonly kind: "abort"; readonly reading: number };

export type FromThread =
  | { readonly kind: "free"; readonly reading: number; readonly slot: number }
  | { readonly kind: "fault"; readonly reading: number; readonly fault: ArchiveFault }
  /** Not the archive's fault but ours. */
  | { readonly kind: "broken"; readonly reading: number; readonly why: string }
  | { readonly kind: "summary"; readonly reading: number; readonly summary: Omit<ArchiveListing, "entries"> }
  | {
      readonly kind: "entries";
      readonly reading: number;
      readonly entries: readonly SourceEntry[];
      readonly last: boolean;
    };
