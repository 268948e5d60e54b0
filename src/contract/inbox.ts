/** What one person has to do and has done, on the wire. Implements docs/spec/api.md section 6.7. */
import { z } from "zod";
import { gateNameSchema } from "./gate-name.ts";
import { taskKindSchema, taskStatusSchema } from "./tasks.ts";
import { requestStatusSchema } from "./requests.ts";
import { cursorText, queryNumber, queryText } from "./query-text.ts";
import { wireTimeSchema } from "./wire-time.ts";

export const inboxQuerySchema = z.object({
  gate: gateNameSchema.exactOptional(),
  state: z.enum(["open", "done"]).default("open"),
  artifact_type: queryText(128).exactOptional(),
  policy_key: queryText(128).exactOptional(),
  q: queryText(200).exactOptional(),
  sort: z.enum(["due_at", "-created_at"]).default("due_at"),
  limit: queryNumber(1, 100).default(50),
  cursor: cursorText.exactOptional(),
});

export const inboxItemSchema = z.object({
  gate: gateNameSchema,
  task_id: z.uuid(),
  request_id: z.uuid(),
  title: z.string(),
  requester: z.string(),
  reason: z.string().nullable(),
  due_at: wireTimeSchema.nullable(),
  overdue: z.boolean(),
  needed: z.int().nullable(),
  approved: z.int(),
  assurance: z.string(),
  digest: z.string(),
  links: z.object({ request: z.string() }),
  status: taskStatusSchema,
  request_status: requestStatusSchema,
  kind: taskKindSchema,
  artifact_type: z.string(),
  artifact_id: z.string(),
  policy_key: z.string(),
  stage_name: z.string(),
  stage_order: z.int(),
  delegated_from: z.string().nullable(),
  created_at: wireTimeSchema,
  expires_at: wireTimeSchema,
  decision_action: z.string().nullable(),
});
export type InboxItem = z.output<typeof inboxItemSchema>;

export const inboxSchema = z.object({
  items: z.array(inboxItemSchema),
  total: z.int(),
  cursor: z.string().nullable(),
  counts: z.object({ open: z.int(), done: z.int() }),
});
