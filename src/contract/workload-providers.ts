/** Workload providers and the exchange of their tokens, on the wire. Implements docs/spec/identity.md section 7 (R-WID-1 to R-WID-3). */
import { z } from "zod";
import { idInput } from "./machines.ts";
import { jsonMembers, text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const preset = z.enum(["github", "gitlab", "circleci", "kubernetes", "custom"]);
const name = text(1, 100).refine((value) => value.trim() === value, { error: "must not begin or end with blanks" });
const audience = text(1, 255);
const subjects = z.array(text(1, 512)).min(1).max(100);
const claims = z
  .record(text(1, 255), z.union([text(1, 255).transform((value) => [value]), z.array(text(1, 255)).min(1).max(100)]))
  .refine((value) => Object.keys(value).length <= 50, { error: "must have at most 50 claims" });
const scopes = z.array(text(1, 128)).min(1).max(100);
/** Where the deploy gate lets its jobs in; null = everywhere. */
const names = z.array(text(1, 128)).min(1).max(100).nullable();

export const createWorkloadProviderSchema = z.strictObject({
  machine_id: idInput,
  name,
  preset,
  /** Absent: the platform's usual one. */
  issuer: text(1, 2048).nullable().default(null),
  audience,
  subjects,
  claims: claims.prefault({}),
  /** Absent: those of the role. */
  scopes: scopes.exactOptional(),
  role: z.enum(["viewer", "ops", "deployer", "cicd"]).default("cicd"),
  racks: names.default(null),
  apps: names.default(null),
  /** Its jobs ask for their own commit and build no other. */
  bind_commit: z.boolean().default(true),
  enabled: z.boolean().default(true),
});

export const changeWorkloadProviderSchema = z.strictObject({
  name: name.exactOptional(),
  audience: audience.exactOptional(),
  subjects: subjects.exactOptional(),
  claims: claims.exactOptional(),
  scopes: scopes.exactOptional(),
  racks: names.exactOptional(),
  apps: names.exactOptional(),
  bind_commit: z.boolean().exactOptional(),
  enabled: z.boolean().exactOptional(),
});

export const workloadProviderOutSchema = z.object({
  id: z.uuid(),
  machine_id: z.uuid(),
  name: z.string(),
  preset,
  issuer: z.string(),
  audience: z.string(),
  subjects: z.array(z.string()),
  claims: z.record(z.string(), z.array(z.string())),
  scopes: z.array(z.string()),
  racks: z.array(z.string()).nullable(),
  apps: z.array(z.string()).nullable(),
  bind_commit: z.boolean(),
  enabled: z.boolean(),
  created_at: wireTimeSchema,
  updated_at: wireTimeSchema,
});
export type WorkloadProviderOut = z.output<typeof workloadProviderOutSchema>;

export const testClaimsSchema = z.strictObject({ claims: jsonMembers });

/** What of a token's claims this provider asks for, and whether it is there; nothing is said of signature and times. */
export const testedClaimsSchema = z.object({
  lets_in: z.boolean(),
  conditions: z.array(
    z.object({
      /** `provider`, `iss`, `aud`, `sub`, or the path of a claim. */
      claim: z.string(),
      allowed: z.array(z.string()),
      found: z.array(z.string()),
      holds: z.boolean(),
    }),
  ),
});

const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const TOKEN_TYPES = ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"] as const;
export const ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token";

/** RFC 8693; members that a client sends besides are its own. */
export const exchangeTokenSchema = z.object({
  grant_type: z.literal(GRANT),
  subject_token: text(1, 16_384),
  subject_token_type: z.enum(TOKEN_TYPES),
  requested_token_type: z.literal(ACCESS_TOKEN_TYPE).exactOptional(),
});

export const exchangedTokenSchema = z.object({
  access_token: z.string(),
  issued_token_type: z.literal(ACCESS_TOKEN_TYPE),
  token_type: z.literal("Bearer"),
  expires_in: z.int(),
  /** What deploy approvals for this workload are made for. */
  target_api_token_id: z.uuid(),
});
