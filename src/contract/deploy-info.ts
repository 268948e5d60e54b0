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
    preferred_mfa_method: z.enum(["totp", "webauthn"]).exactOptional(),
    recent_step_up_expires_at: z.string().exactOptional(),
    has_trusted_device: z.boolean(),
    permissions: z.array(z.string()),
  }),
  rack,
  /** On this rack: false means that whoever may deploy needs no approval. */
  deploy_approvals_enabled: z.boolean(),
  /** What is connected, not what could be. */
  integrations: z.object({ slack: z.boolean(), github: z.boolean(), circleci: z.boolean() }),
  version: z.object({ version: z.string(), commit_hash: z.string() }),
  racks: z.array(
    rack.extend({
      ...{ display_name: z.string(), enabled: z.boolean(), tls: z.enum(["system", "pin", "insecure"]) },
      /** SHA-256 of the certificate that a pinned rack is known by; null until one was seen, and with `tls` other than `pin`. */
      fingerprint: z.string().nullable(),
    }),
  ),
  csrf_token: z.string().exactOptional(),
  permissions: z.array(z.string()),
});
export type DeployInfoOut = z.output<typeof deployInfoSchema>;
