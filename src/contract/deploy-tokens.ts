/** API tokens as the deploy gate's clients know them (docs/spec/deploy.md 11.3, section 12). */
import { z } from "zod";
import { deployRoleSchema } from "./deploy-users.ts";

export const deployTokenSchema = z.object({
  /** A number, for clients of the older kind. */
  id: z.int(),
  public_id: z.uuid(),
  name: z.string(),
  /** Of the person who owns it; 0 for a service account. */
  user_id: z.int(),
  created_by_user_id: z.int().exactOptional(),
  created_by_email: z.string().exactOptional(),
  created_by_name: z.string().exactOptional(),
  permissions: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string().exactOptional(),
  last_used_at: z.string().exactOptional(),
  /** What it is limited to; absent = everywhere. */
  racks: z.array(z.string()).exactOptional(),
  apps: z.array(z.string()).exactOptional(),
  /** `workload`: it has no secret, and stands for a workload provider, whose jobs come with tokens of their platform. */
  kind: z.enum(["service_account", "user", "workload"]),
  owner_email: z.string().exactOptional(),
});
export type DeployTokenOut = z.output<typeof deployTokenSchema>;

const namesLimit = z.array(z.string().min(1).max(128)).min(1).max(100).nullish();

export const makeDeployTokenSchema = z.object({
  name: z.string().max(1_000).nullish(),
  user_email: z.string().max(320).nullish(),
  role: z.string().max(64).nullish(),
  permissions: z.array(z.string().max(128)).max(100).nullish(),
  expires_at: z.iso.datetime({ offset: true, error: "must be a time such as 2026-11-20T08:54:40Z" }).nullish(),
  racks: namesLimit,
  apps: namesLimit,
});

export const madeDeployTokenSchema = z.object({
  /** Shown once. */
  token: z.string(),
  id: z.int(),
  name: z.string(),
  permissions: z.array(z.string()),
  api_token: deployTokenSchema,
});

export const changeDeployTokenSchema = z.object({
  name: z.string().max(1_000).nullish(),
  permissions: z.array(z.string().max(128)).max(100).nullish(),
});

export const deployTokenPermissionsSchema = z.object({
  permissions: z.array(z.string()),
  roles: z.array(deployRoleSchema.extend({ name: z.string() })),
  user_roles: z.array(z.string()),
  user_permissions: z.array(z.string()),
  default_permissions: z.array(z.string()),
});
