/** Tasks on the wire. Implements docs/spec/api.md section 6.4. */
import { z } from "zod";
import { jsonMembers, text } from "./policy-fields.ts";
import { queryFlag, queryNumber, queryText } from "./query-text.ts";
import { wireTimeSchema } from "./wire-time.ts";

export const taskStatusSchema = z.enum(["open", "claimed", "completed", "skipped", "expired", "reassigned"]);
export const taskKindSchema = z.enum(["approver", "observer"]);

export const taskOutSchema = z.object({
  id: z.uuid(),
  request_id: z.uuid(),
  stage_id: z.uuid(),
  stage_order: z.int(),
  assignee: z.string(),
  assignee_name: z.string().nullable(),
  kind: taskKindSchema,
  delegated_from: z.string().nullable(),
  reassigned_from: z.string().nullable(),
  status: taskStatusSchema,
  claimed_at: wireTimeSchema.nullable(),
  completed_at: wireTimeSchema.nullable(),
  due_at: wireTimeSchema.nullable(),
  decision_id: z.uuid().nullable(),
  decision_action: z.string().nullable(),
  decision_comment: z.string().nullable(),
  created_at: wireTimeSchema,
  context: jsonMembers,
  artifact_type: z.string(),
  artifact_id: z.string(),
  policy_key: z.string(),
  search_text: z.string().nullable(),
  overdue: z.boolean(),
  override: z.boolean(),
  decided_by: z.string().nullable(),
  on_behalf_of: z.string().nullable(),
  seat_id: z.uuid().nullable(),
  required: z.boolean(),
  leaf: z.string().nullable(),
  assurance: z.string(),
  request_status: z.string(),
  revision: z.int(),
  digest: z.string(),
});
export type TaskOut = z.output<typeof taskOutSchema>;

export const taskPageSchema = z.object({
  items: z.array(taskOutSchema),
  total: z.int(),
  page: z.int(),
  page_size: z.int(),
  pages: z.int(),
});

export const tasksQuerySchema = z.object({
  assignee: queryText(128).default("me"),
  request_id: queryText(64).exactOptional(),
  status: taskStatusSchema.exactOptional(),
  artifact_type: queryText(128).exactOptional(),
  policy_key: queryText(128).exactOptional(),
  search_text: queryText(200).exactOptional(),
  kind: taskKindSchema.exactOptional(),
  overdue: queryFlag.exactOptional(),
  sort: z.enum(["-created_at", "due_at"]).default("-created_at"),
  page: queryNumber(1, 10_000).default(1),
  page_size: queryNumber(1, 100).default(25),
});

export const taskStatsQuerySchema = z.object({ status: taskStatusSchema.exactOptional() });

export const taskStatsSchema = z.object({
  total: z.int(),
  change_request_count: z.int(),
  intake_form_count: z.int(),
  by_artifact_type: z.record(z.string(), z.int()),
});

export const reassignTaskSchema = z.object({
  new_assignee: text(1, 128),
  reason: text(0, 1024).nullable().exactOptional(),
});

export const reassignedTaskSchema = taskOutSchema.extend({ warnings: z.array(z.string()) });
