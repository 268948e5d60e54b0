/** Delegations on the wire. Implements docs/spec/api.md section 6.5. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { queryFlag, queryNumber, queryText } from "./query-text.ts";
import { instantInput, wireTimeSchema } from "./wire-time.ts";

const notAvailable = z.literal(false, { error: "is not available in this version: leave it out" }).exactOptional();

export const createDelegationSchema = z.object({
  user_id: text(1, 128).nullable().exactOptional(),
  delegate_to: text(1, 128),
  starts_at: instantInput,
  ends_at: instantInput,
  reason: text(0, 1024).nullable().exactOptional(),
  policy_keys: z.array(text(1, 128)).max(100).default([]),
  artifact_types: z.array(text(1, 128)).max(100).default([]),
  move_open_tasks: notAvailable,
});

export const delegationOutSchema = z.object({
  id: z.uuid(),
  user_id: z.string(),
  delegate_to: z.string(),
  starts_at: wireTimeSchema,
  ends_at: wireTimeSchema,
  reason: z.string().nullable(),
  created_by: z.string(),
  created_at: wireTimeSchema,
  updated_at: wireTimeSchema,
  policy_keys: z.array(z.string()),
  artifact_types: z.array(z.string()),
  active: z.boolean(),
});
export type DelegationOut = z.output<typeof delegationOutSchema>;

export const delegationsQuerySchema = z.object({
  user_id: queryText(128).exactOptional(),
  active: queryFlag.exactOptional(),
  limit: queryNumber(1, 500).default(100),
});
