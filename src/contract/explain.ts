/** Why a request stands where it stands, on the wire. Implements docs/spec/engine.md R-EXPLAIN-1 and R-EXPLAIN-2. */
import { z } from "zod";
import { requestStatusSchema } from "./requests.ts";
import { wireTimeSchema } from "./wire-time.ts";

const explainedSeatSchema = z.object({
  assignee: z.string(),
  name: z.string().nullable(),
  origin: z.string(),
  state: z.string(),
  required: z.boolean(),
  overdue: z.boolean(),
  locked: z.boolean(),
  delegated_from: z.string().nullable(),
});

export const explainedStageSchema = z.object({
  stage_order: z.int(),
  name: z.string(),
  group: z.int(),
  state: z.string(),
  mode: z.string(),
  needed: z.int().nullable(),
  approved: z.int(),
  remaining: z.int().nullable(),
  feasible: z.boolean(),
  due_at: wireTimeSchema.nullable(),
  required_missing: z.array(z.string()),
  seats: z.array(explainedSeatSchema),
  waiting_for: z.array(z.object({ assignee: z.string(), name: z.string().nullable(), required: z.boolean() })),
  excluded: z.array(z.object({ user: z.string(), reason: z.string(), path: z.string().nullable() })),
  skip_reason: z.string().nullable(),
});
export type ExplainedStage = z.output<typeof explainedStageSchema>;

export const explainSchema = z.object({
  status: requestStatusSchema,
  revision: z.int(),
  summary: z.string(),
  forbidden_approvers: z.array(z.object({ path: z.string(), found: z.boolean() })),
  stages: z.array(explainedStageSchema),
  you: z.object({
    can_decide: z.boolean(),
    task_id: z.uuid().nullable(),
    actions: z.array(z.string()),
    reasons: z.array(z.object({ code: z.string(), message: z.string() })),
  }),
  next: z.object({
    kind: z.enum(["decision", "timer", "nothing"]),
    at: wireTimeSchema.nullable(),
    who: z.array(z.string()),
  }),
});
export type ExplainOut = z.output<typeof explainSchema>;
