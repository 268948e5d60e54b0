/** Who is signed in, on the wire; and signing in where nobody proves who they are. Implements docs/spec/identity.md section 3. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const organization = z.object({ id: z.uuid(), name: z.string() });

export const sessionKindSchema = z.enum(["web", "cli", "enrolment"]);

export const meSchema = z.object({
  /** Null for machines. */
  person_id: z.uuid().nullable(),
  assignee: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  status: z.enum(["placeholder", "invited", "active", "locked", "suspended", "erased"]).nullable(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  organization,
  organizations: z.array(organization),
  mode: z.enum(["development", "production"]),
  quarantined: z.boolean(),
  /** Null for bearers of a token. */
  session: z
    .object({
      id: z.uuid(),
      kind: sessionKindSchema,
      method: z.string(),
      aal: z.int(),
      expires_at: wireTimeSchema,
      idle_expires_at: wireTimeSchema.nullable(),
      /** Until then acts that need a recent factor do not ask again; null when one must be proven first. */
      step_up_until: wireTimeSchema.nullable(),
      development: z.boolean(),
    })
    .nullable(),
  /** What a browser sends as `X-CSRF-Token` with every write. */
  csrf_token: z.string().nullable(),
  enrolled: z.boolean(),
  /** True while nothing but enrolling a factor is possible (R-FACT-10). */
  enrolment_required: z.boolean(),
  password_set: z.boolean(),
});
export type Me = z.output<typeof meSchema>;

const developmentRoles = z.enum(["AWE_ADMIN", "AWE_VIEWER"]);

export const developmentPersonSchema = z.object({
  assignee: z.string(),
  name: z.string().nullable(),
  roles: z.array(developmentRoles),
});

export const developmentSessionSchema = z.object({
  assignee: text(1, 128)
    .refine((name) => name.trim() !== "", { error: "must not be blank" })
    .refine((name) => !name.trim().startsWith("service-account-"), { error: "is the name of a machine" }),
  name: text(1, 255).nullable().exactOptional(),
  roles: z.array(developmentRoles).max(2).default([]),
});
