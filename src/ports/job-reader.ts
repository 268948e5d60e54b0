/** What is to be done outside, and what became of it, newest first (docs/spec/deploy.md 11.3, jobs). */
import type { EffectKind, EffectRecord, EffectState } from "./effects.ts";
import type { Page } from "./page.ts";

export interface JobFilter {
  readonly state?: EffectState;
  readonly kind?: EffectKind;
  readonly limit: number;
  readonly cursor?: string;
}

export interface JobReader {
  jobs(filter: JobFilter): Promise<Page<EffectRecord>>;
}
