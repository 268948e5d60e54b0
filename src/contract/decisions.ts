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

const reasonShape = {
  comment: text(0, 4000).nullable().exactOptional(),
  reason_code: text(0, 64).nullable().exactOptional(),
};

/** What a browser's `PublicKeyCredential.toJSON()` gives. */
const passkeyAnswer = z.record(z.string(), z.json());

/** A factor proven with the call itself; a header may carry it instead. */
const proof = z
  .json()
  .exactOptional()
  .meta({ description: "A passkey's answer, an authenticator code or a backup code" });

export const decisionSchema = z.object({
  action: decisionActionSchema,
  ...reasonShape,
  attachments_ref: text(0, 1024).nullable().exactOptional(),
  digest: text(0, 128).nullable().exactOptional(),
  view: z.uuid().nullable().exactOptional(),
  proof,
  signature: z.object({ statement: z.uuid(), response: passkeyAnswer }).nullable().exactOptional(),
});

/** One decision of several; `statement` names what was signed for it. */
const decisionItemSchema = z.object({
  task_id: z.uuid(),
  action: decisionActionSchema,
  ...reasonShape,
  digest: text(0, 128).nullable().exactOptional(),
  view: z.uuid().nullable().exactOptional(),
  statement: z.uuid().nullable().exactOptional(),
});

/** engine R-DECIDE-9 and identity R-SIGN-5: as many as a person can be asked to look at. */
export const decisionsMax = 50;

export const decisionsSchema = z.object({
  items: z.array(decisionItemSchema).min(1).max(decisionsMax),
  proof,
  signature: z.object({ response: passkeyAnswer }).nullable().exactOptional(),
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
  method: z.string().nullable(),
  factor_id: z.uuid().nullable(),
  shown_at: wireTimeSchema.nullable(),
  entry: z.int().nullable().meta({ description: "Position in the ledger; null in the answer to the decision itself" }),
  digest: z.string(),
  request_status: z.string(),
  stage_outcome: z.enum(["open", "approved", "rejected"]),
  revision: z.int(),
});
export type DecisionOut = z.output<typeof decisionOutSchema>;

/** Why one item of several was not done; the members that errors have besides. */
export const itemErrorSchema = z.object({
  code: z.string(),
  message: z.string(),
  step_up: z.object({ needed: z.string(), methods: z.array(z.string()) }).exactOptional(),
  changed: z.array(z.string()).exactOptional(),
});
export type ItemError = z.output<typeof itemErrorSchema>;

export const decisionResultsSchema = z.object({
  results: z.array(
    z.object({
      task_id: z.uuid(),
      status: z.int(),
      decision: decisionOutSchema.exactOptional(),
      error: itemErrorSchema.exactOptional(),
    }),
  ),
});
