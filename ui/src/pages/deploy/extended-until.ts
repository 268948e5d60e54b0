import type { Json } from "../../api/read.ts";

export interface Extending {
  /** Milliseconds. */
  readonly now: number;
  readonly approvedAt: string | null;
  readonly windowMinutes: Json | undefined;
  readonly longestMinutes: Json | undefined;
}

export interface ExtendedEnd {
  readonly at: number;
  /** No later end is possible with this approval. */
  readonly isLatest: boolean;
}

const minute = 60_000;

/** R-EXPIRY-4: one window from now on, and never beyond the longest one from the approval; null where the window is unknown. */
export function extendedUntil({ now, approvedAt, windowMinutes, longestMinutes }: Extending): ExtendedEnd | null {
  if (typeof windowMinutes !== "number") return null;
  const at = now + windowMinutes * minute;
  if (typeof longestMinutes !== "number" || approvedAt === null) return { at, isLatest: false };
  const latest = Date.parse(approvedAt) + longestMinutes * minute;
  return { at: Math.min(at, latest), isLatest: at >= latest };
}
