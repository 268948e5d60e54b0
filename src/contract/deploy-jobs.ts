/** What is to be done outside, in the shape of the original's jobs (docs/spec/deploy.md 11.3). */
import { z } from "zod";
import { cursorText, queryNumber } from "./query-text.ts";

const jobStates = ["available", "completed", "discarded", "cancelled"] as const;

export const deployJobSchema = z.object({
  id: z.uuid(),
  state: z.enum(jobStates),
  queue: z.string(),
  kind: z.string(),
  /** What it is about; no credential and no content. */
  args: z.record(z.string(), z.string()),
  attempt: z.int(),
  max_attempts: z.int(),
  created_at: z.string(),
  scheduled_at: z.string(),
  /** Of the newest attempt; absent before the first. */
  attempted_at: z.string().exactOptional(),
  finalized_at: z.string().exactOptional(),
  /** Of those of the newest 20 attempts that failed, oldest first. */
  errors: z.array(z.object({ at: z.string(), attempt: z.int(), code: z.string(), error: z.string() })),
  last_error: z.string().exactOptional(),
});
export type DeployJobOut = z.output<typeof deployJobSchema>;

export const deployJobsSchema = z.object({
  jobs: z.array(deployJobSchema),
  page_info: z.object({ next_cursor: z.string().nullable(), limit: z.int() }),
});

export const deployJobsQuerySchema = z.object({
  state: z.enum(jobStates).exactOptional(),
  kind: z
    .enum([
      ...(["mail", "webhook", "deploy.ci", "deploy.vcs_comment", "deploy.vcs_status", "deploy.vcs_tree"] as const),
      ...(["deploy.vcs_facts", "deploy.chat", "deploy.mail"] as const),
    ])
    .exactOptional(),
  limit: queryNumber(1, 200).default(50),
  cursor: cursorText.exactOptional(),
});
