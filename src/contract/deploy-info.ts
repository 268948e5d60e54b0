/** What the deploy gate's clients ask first: who am I here, and what is here? (docs/spec/deploy.md 11.3) */
import { z } from "zod";

const rack = z.object({ name: z.string(), alias: z.string(), host: z.string() });

export const deployInfoSchema = z.object({
  user: z.object({
    email: z.string(),
    name: z.string(),
    roles: z.array(z.string()),
    mfa_enrolled: z.boolean(),
    mfa_required: z.boolean(),
    recent_step_up_expires_at: z.string().exactOptional(),
    has_trusted_device: z.boolean(),
    permissions: z.array(z.string()),
  }),
  rack,
  integrations: z.object({ slack: z.boolean(), github: z.boolean(), circleci: z.boolean() }),
  version: z.object({ version: z.string(), commit_hash: z.string() }),
  racks: z.array(rack.extend({ display_name: z.string(), enabled: z.boolean() })),
  csrf_token: z.string().exactOptional(),
  permissions: z.array(z.string()),
});
export type DeployInfoOut = z.output<typeof deployInfoSchema>;
