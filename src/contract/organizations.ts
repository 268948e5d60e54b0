/** Organizations on the wire. Implements docs/spec/identity.md section 7. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

export const organizationInputSchema = z.strictObject({
  name: text(1, 128),
  slug: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and hyphens"),
});

/** The secret of an invitation, as it stands behind the # of its link. */
export const joinOrganizationSchema = z.strictObject({ token: text(1, 128) });
export const joinedOrganizationSchema = z.object({ organization: z.object({ id: z.uuid(), name: z.string() }) });

export const organizationSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  slug: z.string().nullable(),
  status: z.enum(["active", "suspended"]),
  created_at: wireTimeSchema,
});
export type OrganizationOut = z.output<typeof organizationSchema>;
