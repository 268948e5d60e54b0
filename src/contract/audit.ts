/** The audit list on the wire: a view of the ledger. Implements docs/spec/api.md section 6.6. */
import { z } from "zod";
import { jsonMembers, jsonValue } from "./policy-fields.ts";
import { cursorText, queryNumber, queryText } from "./query-text.ts";
import { instantInput, wireTimeSchema } from "./wire-time.ts";

export const auditQuerySchema = z.object({
  actor: queryText(255).exactOptional(),
  action: queryText(128).exactOptional(),
  resource_type: queryText(128).exactOptional(),
  resource_id: queryText(255).exactOptional(),
  since: instantInput.exactOptional(),
  until: instantInput.exactOptional(),
  limit: queryNumber(1, 1000).default(100),
  cursor: cursorText.exactOptional(),
});

/** AWE calls the object `metadata_`; it stands under both names. */
export const auditOutSchema = z.object({
  id: z.string(),
  occurred_at: wireTimeSchema,
  actor: z.string(),
  actor_email: z.string().nullable(),
  action: z.string(),
  resource_type: z.string(),
  resource_id: z.string(),
  summary: z.string(),
  before: jsonValue,
  after: jsonValue,
  metadata_: jsonMembers,
  metadata: jsonMembers,
  entry: z.int(),
});
export type AuditOut = z.output<typeof auditOutSchema>;
