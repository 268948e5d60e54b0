/** What an approval permits, on the wire. Implements docs/spec/api.md section 6.3. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const grantStateSchema = z.enum(["active", "used", "expired", "revoked"]);

export const grantOutSchema = z.object({
  state: grantStateSchema,
  not_before: wireTimeSchema,
  expires_at: wireTimeSchema.nullable(),
  uses: z.int(),
  uses_max: z.int().nullable(),
});
export type GrantOut = z.output<typeof grantOutSchema>;

export const useGrantSchema = z.object({
  digest: text(1, 128).meta({ description: "Of what is about to be done: `sha256:` and hex, as the request shows it" }),
});

/** The text is judged by the engine, so that a missing one is told in the same words everywhere. */
export const revokeGrantSchema = z.object({ comment: text(0, 1024) });

export const verdictSchema = z.object({
  verdict: z.enum(["permit", "deny", "not_applicable"]),
  reason: z.string(),
  grant: grantOutSchema.nullable(),
});
export type VerdictOut = z.output<typeof verdictSchema>;
