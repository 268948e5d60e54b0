/** Factors, challenges and step-up on the wire. Implements docs/spec/identity.md sections 2 and 4. */
import { z } from "zod";
import { meSchema } from "./identity.ts";
import { jsonValue, text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

export const factorSchema = z.object({
  id: z.uuid(),
  type: z.enum(["passkey", "totp"]),
  name: z.string(),
  created_at: wireTimeSchema,
  last_used_at: wireTimeSchema.nullable(),
  /** It serves decisions from here on (R-FACT-9). */
  usable_at: wireTimeSchema,
  /** A passkey that cannot leave its device. */
  device_bound: z.boolean(),
  /** A passkey that is copied between devices. */
  synced: z.boolean(),
  /** Can sign decisions, once it is usable. */
  signing: z.boolean(),
  disabled: z.boolean(),
});
export type FactorOut = z.output<typeof factorSchema>;

export const factorsSchema = z.object({
  factors: z.array(factorSchema),
  backup_codes: z.object({ remaining: z.int(), created_at: wireTimeSchema }).nullable(),
  password_changed_at: wireTimeSchema.nullable(),
});

/** A factor that was enrolled; `me` when the session became a full one, whose new cookie comes along. */
export const enrolledSchema = factorSchema.extend({ me: meSchema.exactOptional() });

const name = text(1, 64)
  .refine((value) => value.trim() !== "", { error: "must not be blank" })
  .refine((value) => !/\p{Control}/u.test(value), { error: "must not hold control characters" });

export const renameFactorSchema = z.strictObject({ name });

/** Browsers' options are made for the browser alone. */
const options = z.record(z.string(), z.unknown());

export const passkeyOptionsSchema = z.object({
  ceremony: z.uuid(),
  options: options.meta({ description: "for navigator.credentials.create" }),
});

export const enrolPasskeySchema = z.strictObject({ ceremony: z.uuid(), response: jsonValue, name });

export const totpOptionsSchema = z.object({
  ceremony: z.uuid(),
  secret: z.string(),
  uri: z.string(),
  qr: z.string().meta({ description: "an SVG picture of the address" }),
});

export const enrolTotpSchema = z.strictObject({ ceremony: z.uuid(), code: text(1, 16), name });

export const backupCodesSchema = z.object({ ceremony: z.uuid(), codes: z.array(z.string()) });

export const confirmBackupCodesSchema = z.strictObject({ ceremony: z.uuid() });

/** Longer ones are refused before anything is computed (R-LOCAL-2). */
export const setPasswordSchema = z.strictObject({ password: z.string().max(1024) });

const decision = z.enum(["approve", "reject", "abstain"]);

export const challengeSchema = z.strictObject({
  /** Method and path of the call that it is for. */
  act: z
    .string()
    .max(512)
    .regex(
      /^(?:POST|PUT|PATCH|DELETE) \/[A-Za-z0-9._~:%@+/-]*$/,
      "must be a method and a path, as POST /people/<id>/lock",
    ),
  /** Where the act decides a task: what is decided. */
  decision: decision.exactOptional(),
  /** Where the act decides several: which tasks, in their order. */
  items: z
    .array(z.strictObject({ task_id: z.uuid(), action: decision }))
    .min(1)
    .max(50)
    .exactOptional(),
});

export const challengeOutSchema = z.object({
  id: z.uuid(),
  options: options.meta({ description: "for navigator.credentials.get" }),
  expires_at: wireTimeSchema,
});
