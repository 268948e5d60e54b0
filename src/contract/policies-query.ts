/** What may be asked of the list of policies. Implements docs/spec/api.md section 6.2. */
import { z } from "zod";
import { policyStatusSchema } from "./policy.ts";
import { cursorText, queryNumber, queryText } from "./query-text.ts";

export const policiesQuerySchema = z.object({
  q: queryText(200).exactOptional(),
  status: policyStatusSchema.exactOptional(),
  artifact_type: queryText(128).exactOptional(),
  limit: queryNumber(1, 500).default(500),
  cursor: cursorText.exactOptional(),
});
