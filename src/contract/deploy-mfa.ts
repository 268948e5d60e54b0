/** One's own factors in the deploy gate's words (docs/spec/deploy.md 11.2). Ids are numbers, as older clients read them. */
import { z } from "zod";
import { jsonValue } from "./policy-fields.ts";

const preferred = z.enum(["totp", "webauthn"]);

export const deployMfaStatusSchema = z.object({
  enrolled: z.boolean(),
  required: z.boolean(),
  methods: z.array(
    z.object({
      id: z.int(),
      type: z.enum(["totp", "webauthn"]),
      label: z.string(),
      /** Whether a terminal can ask for it without a browser. */
      cli_capable: z.boolean(),
      created_at: z.string(),
      confirmed_at: z.string(),
      last_used_at: z.string().exactOptional(),
    }),
  ),
  trusted_devices: z.array(
    z.object({
      id: z.int(),
      label: z.string(),
      created_at: z.string(),
      expires_at: z.string(),
      last_used_at: z.string().exactOptional(),
    }),
  ),
  backup_codes: z.object({
    total: z.int(),
    unused: z.int(),
    last_used_at: z.string().exactOptional(),
    last_generated_at: z.string().exactOptional(),
  }),
  recent_step_up_expires_at: z.string().exactOptional(),
  preferred_method: preferred.exactOptional(),
  webauthn_available: z.boolean(),
});
export type DeployMfaStatusOut = z.output<typeof deployMfaStatusSchema>;

const methodId = z.int().min(0);
const label = z.string().max(64).nullish();

export const totpStartedSchema = z.object({
  method_id: z.int(),
  secret: z.string(),
  uri: z.string(),
  /** Empty while earlier ones still count. */
  backup_codes: z.array(z.string()),
});
export const confirmTotpSchema = z.object({
  method_id: methodId,
  code: z.string().max(16),
  trust_device: z.boolean().nullish(),
  label,
});
export const webauthnStartedSchema = z.object({
  method_id: z.int(),
  public_key_options: z.record(z.string(), z.unknown()),
  backup_codes: z.array(z.string()),
});
export const confirmWebauthnSchema = z.object({ method_id: methodId, credential: jsonValue, label });
export const enrolledMethodSchema = z.object({ status: z.literal("confirmed"), method_id: z.int() });

export const verifyCodeSchema = z.object({ code: z.string().min(1).max(64), trust_device: z.boolean().nullish() });
export const verifiedSchema = z.object({
  mfa_verified_at: z.string(),
  recent_step_up_expires_at: z.string(),
  trusted_device_cookie: z.boolean(),
});
export const startAssertionSchema = z
  .object({
    /** Method and path of the call that it is for: `POST /api-tokens`. */
    purpose: z
      .string()
      .max(512)
      .regex(/^(?:POST|PUT|DELETE) \/[A-Za-z0-9._~:%@+/-]*$/)
      .nullish(),
    /** Refused: `purpose` names the call. */
    resource: z.string().max(512).nullish(),
  })
  .nullish();
export const assertionStartedSchema = z.object({
  options: z.record(z.string(), z.unknown()),
  session_data: z.uuid(),
});
export const verifyAssertionSchema = z.object({
  session_data: z.uuid(),
  assertion_response: jsonValue,
  trust_device: z.boolean().nullish(),
});

/** Refused where it is not what it is: it follows from the kind of factor. */
export const changeMethodSchema = z.object({ label: z.string().min(1).max(64), cli_capable: z.boolean().nullish() });
export const backupCodesOutSchema = z.object({ backup_codes: z.array(z.string()) });

export const preferMethodSchema = z.object({ preferred_method: preferred });

/** Each member is looked at by itself: what is missing has a word of its own. */
export const proveTerminalSchema = z.object({
  state: z.string().max(64).nullish(),
  method: z.string().max(32).nullish(),
  code: z.string().max(64).nullish(),
  session_data: z.string().max(64).nullish(),
  assertion_response: jsonValue.nullish(),
});
export const provenTerminalSchema = z.object({ redirect: z.string() });
