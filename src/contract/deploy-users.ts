/** People, their sessions and roles as the deploy gate's clients know them (docs/spec/deploy.md 11.3). */
import { z } from "zod";

export const deployRoleSchema = z.object({
  name: z.string(),
  label: z.string(),
  description: z.string(),
  permissions: z.array(z.string()),
});
export const deployRolesSchema = z.record(z.string(), deployRoleSchema);

export const deployUserSchema = z.object({
  /** A number, for clients of the older kind. */
  id: z.int(),
  email: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  created_at: z.string(),
  updated_at: z.string(),
  suspended: z.boolean(),
  mfa_enrolled: z.boolean(),
  preferred_mfa_method: z.enum(["totp", "webauthn"]).exactOptional(),
  locked_at: z.string().exactOptional(),
  locked_reason: z.string().exactOptional(),
  locked_by_email: z.string().exactOptional(),
  created_by_email: z.string().exactOptional(),
});
export type DeployUserOut = z.output<typeof deployUserSchema>;

const name = z.string().max(255);
const email = z.string().max(320);
const roles = z.array(z.string().max(64)).max(20);

export const createDeployUserSchema = z.object({ email, name: name.nullish(), roles: roles.nullish() });
export const createdDeployUserSchema = z.object({
  email: z.string(),
  name: z.string(),
  roles: z.array(z.string()),
  created_by_email: z.string(),
  /** By which the person comes in for the first time; shown once. */
  invitation_link: z.string(),
});

export const changeDeployUserSchema = z.object({
  name: name.nullish(),
  email: email.nullish(),
  roles: roles.nullish(),
});
export const nameDeployUserSchema = z.object({ name });
export const lockDeployUserSchema = z.object({ reason: z.string().max(1_000).nullish() }).nullish();
export const deployMessageSchema = z.object({ message: z.string() });

export const deploySessionSchema = z.object({
  id: z.int(),
  created_at: z.string(),
  last_seen_at: z.string(),
  expires_at: z.string(),
  channel: z.enum(["web", "cli"]),
  ip_address: z.string().exactOptional(),
  user_agent: z.string().exactOptional(),
});
export const revokedDeploySessionSchema = z.object({ revoked: z.boolean() });
export const revokedDeploySessionsSchema = z.object({ revoked_count: z.int() });
