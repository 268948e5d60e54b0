/** API tokens on the wire. Implements docs/spec/identity.md section 7 (R-TOK-1 to R-TOK-8). */
import { z } from "zod";
import { idInput } from "./machines.ts";
import { text } from "./policy-fields.ts";
import { cursorText, queryFlag, queryNumber, queryText } from "./query-text.ts";
import { wireTimeSchema } from "./wire-time.ts";

const scopesMax = 100;
const limitItemsMax = 100;
/** R-TOK-6: an overlap of at most 7 days. */
const overlapHoursMax = 168;

const families = ["generic", "deploy", "certificate", "connector"] as const;

function limitList(item: z.ZodType<string>): z.ZodArray<z.ZodType<string>> {
  return z.array(item).min(1).max(limitItemsMax);
}

/** Absent members narrow nothing (R-TOK-7). */
const limitsSchema = z.strictObject({
  cidrs: limitList(z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], { error: "is no range of addresses" }))
    .meta({ examples: [["192.0.2.0/24", "2001:db8::/32"]] })
    .exactOptional(),
  apps: limitList(text(1, 128)).exactOptional(),
  racks: limitList(text(1, 128)).exactOptional(),
  trust_profiles: limitList(text(1, 128)).exactOptional(),
  policy_keys: limitList(text(1, 128)).exactOptional(),
});

/** `expires_in_days` null means a token without an end, which only some may make (R-TOK-3). */
export const makeTokenSchema = z.strictObject({
  machine_id: idInput,
  name: text(1, 100).refine((value) => value.trim() === value, { error: "must not begin or end with blanks" }),
  family: z.enum(families).default("generic"),
  scopes: z.array(text(1, 128)).min(1).max(scopesMax),
  limits: limitsSchema.default({}),
  expires_in_days: z.int().min(1).max(3_650).nullable().exactOptional(),
});

export const rotateTokenSchema = z.strictObject({
  overlap_hours: z.int().min(0).max(overlapHoursMax).default(24),
});

export const tokensQuerySchema = z.object({
  machine_id: z
    .uuid()
    .transform((id) => id.toLowerCase())
    .exactOptional(),
  q: queryText(200).exactOptional(),
  /** Only those that can be used now, or only those that cannot. */
  live: queryFlag.exactOptional(),
  /** Those without an end alone (R-TOK-3). */
  expires: z.literal("never", { error: "must be never" }).exactOptional(),
  limit: queryNumber(1, 500).default(100),
  cursor: cursorText.exactOptional(),
});

export const tokenOutSchema = z.object({
  id: z.uuid(),
  machine_id: z.uuid(),
  machine: z.string(),
  name: z.string(),
  prefix: z.string(),
  last_four: z.string(),
  legacy: z.boolean(),
  scopes: z.array(z.string()),
  limits: limitsSchema,
  created_at: wireTimeSchema,
  created_by: z.string(),
  expires_at: wireTimeSchema.nullable(),
  /** Within 14 days. */
  expires_soon: z.boolean(),
  revoked_at: wireTimeSchema.nullable(),
  last_used_at: wireTimeSchema.nullable(),
  owner_active: z.boolean(),
});
export type TokenOut = z.output<typeof tokenOutSchema>;

/** The secret is shown here and nowhere else. */
export const madeTokenSchema = z.object({ token: tokenOutSchema, secret: z.string() });
