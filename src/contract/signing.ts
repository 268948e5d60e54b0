/** Views and statements on the wire. Implements docs/spec/identity.md sections 5 and 7. */
import { z } from "zod";
import { decisionSchema, decisionsMax, itemErrorSchema } from "./decisions.ts";
import { jsonMembers } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const checkpointSchema = z.object({ origin: z.string(), size: z.int(), root: z.string() });

export const viewOutSchema = z.object({
  id: z.uuid(),
  task_id: z.uuid(),
  request_id: z.uuid(),
  revision: z.int(),
  digest: z.string(),
  policy: z.object({ key: z.string(), version: z.int(), digest: z.string() }),
  display: z.object({ digest: z.string(), document: jsonMembers }),
  checkpoint: checkpointSchema,
  shown_at: wireTimeSchema,
  expires_at: wireTimeSchema,
  assurance: z.object({ approve: z.string(), reject: z.string() }),
  methods: z.array(z.string()).meta({ description: "What the person can prove an approval with now" }),
});
export type ViewOut = z.output<typeof viewOutSchema>;

const statementShape = {
  view: z.uuid(),
  action: decisionSchema.shape.action,
  comment: decisionSchema.shape.comment,
  reason_code: decisionSchema.shape.reason_code,
};

export const mintStatementSchema = z.object(statementShape);

export const mintStatementsSchema = z.object({
  items: z
    .array(z.object({ task_id: z.uuid(), ...statementShape }))
    .min(1)
    .max(decisionsMax),
});

const statementText = z
  .string()
  .meta({ description: "The canonical text; a passkey signs a digest of these very bytes" });
const ceremony = {
  options: jsonMembers.meta({ description: "PublicKeyCredentialRequestOptionsJSON" }),
  not_after: wireTimeSchema,
};

export const statementOutSchema = z.object({ id: z.uuid(), statement: statementText, ...ceremony });

export const statementsOutSchema = z.object({
  batch: z.string().meta({ description: "Root over the statements, hex" }),
  items: z.array(
    z.union([
      z.object({ task_id: z.uuid(), id: z.uuid(), statement: statementText }),
      z.object({ task_id: z.uuid(), error: itemErrorSchema }),
    ]),
  ),
  ...ceremony,
});
