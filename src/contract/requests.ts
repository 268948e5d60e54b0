/** Requests on the wire. Implements docs/spec/api.md section 6.3. */
import { z } from "zod";
import { gateNameSchema } from "./gate-name.ts";
import { grantOutSchema } from "./grants.ts";
import { canonicalBytesOf, findJsonFault } from "./policy-json.ts";
import { jsonMembers, jsonValue, text } from "./policy-fields.ts";
import { cursorText, queryNumber, queryText } from "./query-text.ts";
import { taskOutSchema } from "./tasks.ts";
import { instantInput, wireTimeSchema } from "./wire-time.ts";

const contextBytesMax = 256 * 1024;

const contextSchema = jsonMembers.refine(
  (value) => findJsonFault(value) !== null || canonicalBytesOf(value) <= contextBytesMax,
  { error: "must not be larger than 256 KiB" },
);

export const createRequestSchema = z.object({
  policy_key: text(1, 128),
  artifact_type: text(1, 128),
  artifact_id: text(1, 128),
  context: contextSchema.default({}),
  requester: text(1, 128).nullable().exactOptional(),
  expires_in_hours: z.int().min(1).max(87_600).nullable().exactOptional(),
  callback_url: text(0, 2048).nullable().exactOptional(),
  callback_secret_id: text(0, 64).nullable().exactOptional(),
  callback_events: z.array(text(1, 64)).max(50).nullable().exactOptional(),
});

/** `actor` is accepted from AWE's clients and means nothing: who cancels is said by the credential. */
export const cancelRequestSchema = z.object({
  reason: text(0, 1024).nullable().exactOptional(),
});

export const requestStatusSchema = z.enum(["pending", "in_review", "approved", "rejected", "cancelled", "expired"]);

const resolutionSchema = z.object({
  stage_order: z.int(),
  rule: z.string(),
  attempt: z.int(),
  last_error: z.string(),
  next_attempt_at: wireTimeSchema,
});

const outcomeSchema = z.object({
  reason: z.string().nullable(),
  stage_order: z.int().nullable(),
  actor: z.string().nullable(),
  actor_id: z.string().nullable(),
  comment: z.string().nullable(),
  cause: z.enum(["superseded", "rejected", "token_deleted"]).nullable(),
  superseded_by: z.uuid().nullable(),
});

export const requestOutSchema = z.object({
  id: z.uuid(),
  gate: gateNameSchema,
  policy_id: z.uuid(),
  policy_key: z.string(),
  policy_version: z.int(),
  artifact_type: z.string(),
  artifact_id: z.string(),
  source_service: z.string(),
  requester: z.string(),
  context: jsonMembers,
  status: requestStatusSchema,
  current_stage_order: z.int(),
  callback_url: z.string().nullable(),
  completed_at: wireTimeSchema.nullable(),
  created_at: wireTimeSchema,
  updated_at: wireTimeSchema,
  revision: z.int(),
  digest: z.string(),
  policy_digest: z.string(),
  salt: z.string(),
  created_by: z.string(),
  expires_at: wireTimeSchema,
  held: z.boolean(),
  resolution: resolutionSchema.nullable(),
  grant: grantOutSchema.nullable(),
  outcome: outcomeSchema.nullable(),
});
export type RequestOut = z.output<typeof requestOutSchema>;

export const createRequestOutSchema = z.object({
  request_id: z.uuid(),
  status: requestStatusSchema,
  current_stage_order: z.int(),
  tasks: z.array(taskOutSchema),
  digest: z.string(),
  expires_at: wireTimeSchema,
});
export type CreateRequestOut = z.output<typeof createRequestOutSchema>;

export const requestsQuerySchema = z.object({
  artifact_type: queryText(128).exactOptional(),
  artifact_id: queryText(128).exactOptional(),
  status: requestStatusSchema.exactOptional(),
  policy_key: queryText(128).exactOptional(),
  requester: queryText(128).exactOptional(),
  q: queryText(200).exactOptional(),
  created_after: instantInput.exactOptional(),
  created_before: instantInput.exactOptional(),
  limit: queryNumber(1, 500).default(50),
  cursor: cursorText.exactOptional(),
});

export const waitQuerySchema = z.object({ timeout: queryNumber(1, 60).default(30) });

export const requestEventSchema = z.object({
  id: z.uuid(),
  request_id: z.uuid(),
  event_type: z.string(),
  payload: z.record(z.string(), jsonValue),
  created_at: wireTimeSchema,
  sequence: z.int(),
});
export type RequestEventOut = z.output<typeof requestEventSchema>;

export const eventsQuerySchema = z.object({ after: queryNumber(0, 2_147_483_647).default(0) });
