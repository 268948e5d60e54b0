/** Decisions on the wire. Implements docs/spec/api.md section 6.4 and docs/spec/engine.md R-DECIDE-1, R-DECIDE-5. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const actions = ["approve", "reject", "abstain"] as const;

const decisionActionSchema = z
  .enum([...actions, "request_changes"], { error: "must be one of approve, reject, abstain" })
  .transform((action, context): (typeof actions)[number] => {
    if (action !== "request_changes") return action;
    context.issues.push({
      code: "custom",
      input: action,
      message: "request_changes is not available in this version: reject with a comment instead",
      params: { code: "not_available" },
    });
    return z.NEVER;
  });

/** `proof` and `signature` are refused, so that nobody believes a decision stronger than it is. */
const absent = z.null({ error: "is not available in this version: leave it out" }).exactOptional();

export const decisionSchema = z.object({
  action: decisionActionSchema,
  comment: text(0, 4000).nullable().exactOptional(),
  attachments_ref: text(0, 1024).nullable().exactOptional(),
  reason_code: text(0, 64).nullable().exactOptional(),
  digest: text(0, 128).nullable().exactOptional(),
  proof: absent,
  signature: absent,
});

export const decisionOutSchema = z.object({
  id: z.uuid(),
  request_id: z.uuid(),
  task_id: z.uuid(),
  stage_order: z.int(),
  actor: z.string(),
  action: z.enum(actions),
  comment: z.string().nullable(),
  attachments_ref: z.string().nullable(),
  created_at: wireTimeSchema,
  actor_id: z.string(),
  on_behalf_of: z.string().nullable(),
  override: z.boolean(),
  reason_code: z.string().nullable(),
  assurance: z.string(),
  digest: z.string(),
  request_status: z.string(),
  stage_outcome: z.enum(["open", "approved", "rejected"]),
  revision: z.int(),
});
export type DecisionOut = z.output<typeof decisionOutSchema>;
