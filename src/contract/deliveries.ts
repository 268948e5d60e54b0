/** Deliveries on the wire. Implements docs/spec/api.md section 6.6. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { cursorText, queryNumber, queryText } from "./query-text.ts";
import { instantInput, wireTimeSchema } from "./wire-time.ts";

const statusSchema = z.enum(["pending", "delivered", "exhausted"]);

export const deliveriesQuerySchema = z.object({
  status: statusSchema.exactOptional(),
  request_id: z.uuid().exactOptional(),
  event_type: queryText(64).exactOptional(),
  url: queryText(2048).exactOptional(),
  since: instantInput.exactOptional(),
  until: instantInput.exactOptional(),
  limit: queryNumber(1, 500).default(100),
  cursor: cursorText.exactOptional(),
});

export const deliveryOutSchema = z.object({
  id: z.uuid(),
  event_id: z.string(),
  request_id: z.uuid().nullable(),
  event_type: z.string(),
  url: z.string(),
  status: statusSchema,
  attempt: z.int(),
  next_attempt_at: wireTimeSchema.nullable(),
  last_attempt_at: wireTimeSchema.nullable(),
  last_status_code: z.int().nullable(),
  last_error: z.string().nullable(),
  created_at: wireTimeSchema,
  updated_at: wireTimeSchema,
  sequence: z.int(),
  blocked_by: z.uuid().nullable(),
});
export type DeliveryOut = z.output<typeof deliveryOutSchema>;

export const deliveryAttemptOutSchema = z.object({
  attempt: z.int(),
  at: wireTimeSchema,
  duration_ms: z.int(),
  outcome: z.enum(["done", "retry", "failed", "lost"]),
  status_code: z.int().nullable(),
  error: z.string().nullable(),
  response_snippet: z.string().nullable(),
  url: z.string().nullable(),
  signed_with: z.string().nullable(),
});
export type DeliveryAttemptOut = z.output<typeof deliveryAttemptOutSchema>;

export const redeliverSchema = z.object({
  since: instantInput,
  until: instantInput,
  request_id: z.uuid().nullable().exactOptional(),
  status: statusSchema.nullable().exactOptional(),
  event_type: text(1, 64).nullable().exactOptional(),
});

export const redeliveredSchema = z.object({ queued: z.int() });
