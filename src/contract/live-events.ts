/** One event of the stream at /v1/events: its `data` line as JSON. Implements docs/spec/api.md section 6.7. */
import { z } from "zod";
import { gateNameSchema } from "./gate-name.ts";
import { queryNumber } from "./query-text.ts";

export const liveEventSchema = z.object({
  event_type: z.string(),
  request_id: z.uuid(),
  artifact_type: z.string().nullable(),
  artifact_id: z.string().nullable(),
  status: z.string().nullable(),
  stage_order: z.int().nullable(),
  sequence: z.int(),
  actor: z.string().nullable(),
  gate: gateNameSchema,
});
export type LiveEvent = z.output<typeof liveEventSchema>;

export const liveEventsQuerySchema = z.object({ after: queryNumber(-1, Number.MAX_SAFE_INTEGER).exactOptional() });
