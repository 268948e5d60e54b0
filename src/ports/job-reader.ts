/** What is to be done outside, and what became of it, newest first (docs/spec/deploy.md 11.3, jobs). */
import type { EffectAttemptRecord, EffectKind, EffectRecord, EffectState } from "./effects.ts";
import type { Page } from "./page.ts";

export interface JobFilter {
  readonly state?: EffectState;
  readonly kind?: EffectKind;
  readonly limit: number;
  readonly cursor?: string;
}

export interface JobReader {
  jobs(filter: JobFilter): Promise<Page<EffectRecord>>;
  /** The newest 20 attempts of each of these, oldest first. */
  jobAttempts(ids: readonly string[]): Promise<readonly EffectAttemptRecord[]>;
}
