/**
 * Signing in without an identity provider, one-time links, one's own sessions and devices, and terminals, on the wire.
 * Implements docs/spec/identity.md sections 3 and 4. Members that nobody knows are refused.
 */
import { z } from "zod";
import { meSchema, sessionKindSchema } from "./identity.ts";
import { jsonValue, text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

export const authOptionsSchema = z.object({
  mode: z.enum(["development", "production"]),
  setup_required: z.boolean(),
  /** Null while the installation is not set up. */
  organization: z.string().nullable(),
  methods: z.object({ passkey: z.boolean(), password: z.boolean() }),
  providers: z.array(z.object({ id: z.uuid(), name: z.string() })),
});
export type AuthOptions = z.output<typeof authOptionsSchema>;

/** 32 random bytes, base64url. */
const secret = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "is not what the link holds");
const words = (most: number): z.ZodType<string> =>
  text(1, most)
    .transform((value) => value.trim())
    .refine((value) => value !== "", { error: "must not be blank" });

/** What somebody types to say who they are; compared without regard to letter case. */
export const loginSchema = words(128)
  .refine((login) => !login.startsWith("service-account-"), { error: "is the name of a machine" })
  .refine((login) => !/\p{Control}/u.test(login), { error: "must not hold control characters" });

export const emailSchema = words(254).refine((email) => /^[^\s@]{1,64}@[^\s@]+\.?[^\s@]+$/.test(email), {
  error: "must be an e-mail address",
});

export const setupSchema = z.strictObject({
  token: secret,
  organization: words(128),
  name: words(255),
  email: emailSchema,
  login: loginSchema,
});

export const acceptInvitationSchema = z.strictObject({
  token: secret,
  name: words(255).exactOptional(),
  login: loginSchema.exactOptional(),
});

export const recoverSchema = z.strictObject({ token: secret });

export const ceremonyOptionsSchema = z.object({
  ceremony: z.uuid(),
  options: z.record(z.string(), z.unknown()).meta({ description: "for navigator.credentials.get" }),
});

export const passkeySignInSchema = z.strictObject({ ceremony: z.uuid(), response: jsonValue });

export const passwordSignInSchema = z.strictObject({
  login: text(1, 128),
  /** Longer ones cannot exist (R-LOCAL-2). */
  password: text(1, 1024),
  /** Of the authenticator, or a backup code. */
  code: text(1, 64).exactOptional(),
  remember_device: z.boolean().default(false),
});

export const ownSessionSchema = z.object({
  id: z.uuid(),
  kind: sessionKindSchema,
  method: z.string(),
  client: z.string().nullable(),
  address: z.string().nullable(),
  created_at: wireTimeSchema,
  last_seen_at: wireTimeSchema.nullable(),
  expires_at: wireTimeSchema,
  current: z.boolean(),
});

export const ownDeviceSchema = z.object({
  id: z.uuid(),
  browser: z.string(),
  created_at: wireTimeSchema,
  last_used_at: wireTimeSchema.nullable(),
  expires_at: wireTimeSchema,
});

/** SHA-256 of the verifier, base64url (RFC 7636, S256). */
const codeChallenge = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be a S256 code challenge");
const codeVerifier = z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/, "must have 43 to 128 unreserved characters");
const state = z.string().regex(/^[A-Za-z0-9._~-]{16,128}$/, "must have 16 to 128 unreserved characters");

export const authorizeTerminalSchema = z.strictObject({
  code_challenge: codeChallenge,
  state,
  /** Null where the terminal cannot be reached: the code is shown, to be typed there. */
  port: z.int().min(1).max(65_535).nullable(),
  client: words(200),
  host: words(255),
});

export const terminalAuthorizedSchema = z.union([z.object({ redirect: z.string() }), z.object({ code: z.string() })]);

export const redeemTerminalSchema = z.strictObject({ code: secret, code_verifier: codeVerifier });

export const terminalSignedInSchema = z.object({ token: z.string(), expires_at: wireTimeSchema, me: meSchema });
export type TerminalSignedIn = z.output<typeof terminalSignedInSchema>;

/** The older pair of calls (R-TERM-5). */
export const pollingStartedSchema = z.object({
  auth_url: z.string(),
  state: z.string(),
  code_verifier: z.string(),
  user_code: z.string(),
  expires_in: z.int(),
});

export const pollingDetailsSchema = z.object({
  user_code: z.string(),
  address: z.string(),
  client: z.string(),
  started_at: wireTimeSchema,
  /** False when the terminal is somewhere else than this browser: it cannot be authorized then. */
  same_address: z.boolean(),
});

export const completePollingSchema = z.object({
  state: text(1, 128),
  code_verifier: text(1, 128),
  device_id: text(0, 255).nullish(),
  device_name: text(0, 255).nullish(),
  device_os: text(0, 255).nullish(),
  client_version: text(0, 255).nullish(),
});

export const pollingPendingSchema = z.object({ status: z.literal("pending") });

export const pollingCompletedSchema = z.object({
  token: z.string(),
  email: z.string().nullable(),
  name: z.string().nullable(),
  expires_at: wireTimeSchema,
  session_id: z.uuid(),
  channel: z.literal("cli"),
  device_id: z.string().nullable(),
  device_name: z.string().nullable(),
  mfa_verified: z.boolean(),
  mfa_required: z.boolean(),
  enrollment_required: z.boolean(),
});
