/** Identity providers on the wire, and signing in with one. Implements docs/spec/identity.md sections 3 and 7. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const name = text(1, 128).refine((value) => value.trim() === value && value !== "", {
  error: "must not begin or end with blanks",
});
const issuer = text(1, 2048);
const clientId = text(1, 255);
const clientSecret = text(1, 4096);
const claimPath = text(1, 255);
const claimValue = text(1, 255);

const roleRule = z.strictObject({ claim: claimPath, value: claimValue, role: text(1, 64) });

/** What is not said is what the smallest provider needs: those who were invited, every domain, no roles. */
export const identityProviderSettingsSchema = z.strictObject({
  provisioning: z.enum(["invited", "domain"]).default("invited"),
  domains: z.array(text(1, 253)).max(100).default([]),
  google_hosted_domain: text(1, 253).nullable().default(null),
  role_rules: z.array(roleRule).max(200).default([]),
  aal2: z
    .strictObject({
      acr: z.array(claimValue).max(20).default([]),
      amr: z.array(claimValue).max(20).default([]),
    })
    .default({ acr: [], amr: [] }),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/, "is no scope"))
    .max(20)
    .default([]),
  /** The claim that proves the name by which policies know a person. */
  name_claim: claimPath.nullable().default(null),
  callback_path: z.enum(["/oidc/callback", "/auth/web/callback"]).nullable().default(null),
});
export type IdentityProviderSettings = z.output<typeof identityProviderSettingsSchema>;

export const createIdentityProviderSchema = z.strictObject({
  name,
  issuer,
  client_id: clientId,
  client_secret: clientSecret.nullable().default(null),
  enabled: z.boolean().default(true),
  settings: identityProviderSettingsSchema.prefault({}),
});

export const changeIdentityProviderSchema = z.strictObject({
  name: name.exactOptional(),
  issuer: issuer.exactOptional(),
  client_id: clientId.exactOptional(),
  /** Absent keeps the secret, null removes it. */
  client_secret: clientSecret.nullable().exactOptional(),
  enabled: z.boolean().exactOptional(),
  settings: identityProviderSettingsSchema.exactOptional(),
});

export const identityProviderOutSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  issuer: z.string(),
  client_id: z.string(),
  client_secret_set: z.boolean(),
  enabled: z.boolean(),
  settings: identityProviderSettingsSchema,
  /** What is entered at the provider. */
  callback_url: z.string(),
  backchannel_logout_url: z.string(),
  created_at: wireTimeSchema,
  updated_at: wireTimeSchema,
});
export type IdentityProviderOut = z.output<typeof identityProviderOutSchema>;

export const providerTestSchema = z.union([
  z.object({
    ok: z.literal(true),
    authorization_endpoint: z.string(),
    token_endpoint: z.string(),
    jwks_uri: z.string(),
    keys: z.int(),
    names_itself: z.boolean(),
  }),
  z.object({ ok: z.literal(false), code: z.string(), detail: z.string() }),
]);

export const startOidcSchema = z.strictObject({ return_to: z.string().max(2048).exactOptional() });

export const oidcStartedSchema = z.object({ url: z.string() });

export const logoutTokenSchema = z.object({ logout_token: text(1, 65_536) });
