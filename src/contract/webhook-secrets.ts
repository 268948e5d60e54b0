/** Webhook secrets and keys on the wire. Implements docs/spec/api.md section 6.6 and docs/spec/engine.md R-HOOK-5, R-HOOK-15 to R-HOOK-18. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { instantInput, wireTimeSchema } from "./wire-time.ts";

const SECRET = text(16, 256);
const OVERLAP_MAX = 30 * 86_400;

export const createSecretSchema = z.object({
  id: text(1, 64)
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "may hold letters, digits, dots, dashes and underscores")
    .nullable()
    .exactOptional(),
  caller_service: text(1, 128),
  secret: SECRET.nullable().exactOptional(),
  allowed_callers: z.array(text(1, 128)).max(100).nullable().exactOptional(),
  allowed_urls: z
    .array(z.url({ protocol: /^https?$/ }).max(2048))
    .max(100)
    .nullable()
    .exactOptional(),
});

export const rotateSecretSchema = z.object({
  secret: SECRET.nullable().exactOptional(),
  effective_at: instantInput.nullable().exactOptional(),
  overlap_seconds: z.int().min(0).max(OVERLAP_MAX).default(86_400),
});

export const testSecretSchema = z.object({ url: text(1, 2048) });

export const secretOutSchema = z.object({
  id: z.string(),
  caller_service: z.string(),
  status: z.enum(["active", "revoked"]),
  created_at: wireTimeSchema,
  effective_at: wireTimeSchema,
  previous_until: wireTimeSchema.nullable(),
  last_used_at: wireTimeSchema.nullable(),
  allowed_callers: z.array(z.string()).nullable(),
  allowed_urls: z.array(z.string()).nullable(),
});
export type SecretOut = z.output<typeof secretOutSchema>;

/** Shown once. */
export const shownSecretSchema = secretOutSchema.extend({ secret: z.string() });

export const testedSchema = z.object({
  delivered: z.boolean(),
  event_id: z.uuid(),
  status_code: z.int().nullable(),
  error: z.string().nullable(),
  response_snippet: z.string().nullable(),
  duration_ms: z.int(),
});

export const webhookKeysSchema = z.object({
  keys: z.array(z.object({ id: z.string(), algorithm: z.literal("ed25519"), public_key: z.string() })),
});
