/** Who is signed in, on the wire; and signing in where tokens are not verified. Implements docs/spec/api.md section 4. */
import { z } from "zod";
import { text } from "./policy-fields.ts";

const roleNames = ["AWE_ADMIN", "AWE_VIEWER"] as const;

export const meSchema = z.object({
  person_id: z.uuid().nullable(),
  assignee: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  roles: z.array(z.enum(roleNames)),
  mode: z.enum(["development", "production"]),
  quarantined: z.boolean(),
});
export type Me = z.output<typeof meSchema>;

export const developmentPersonSchema = z.object({
  assignee: z.string(),
  name: z.string().nullable(),
  roles: z.array(z.enum(roleNames)),
});

export const developmentSessionSchema = z.object({
  assignee: text(1, 128)
    .refine((name) => name.trim() !== "", { error: "must not be blank" })
    .refine((name) => !name.trim().startsWith("service-account-"), { error: "is the name of a machine" }),
  name: text(1, 255).nullable().exactOptional(),
  roles: z.array(z.enum(roleNames)).max(2).default([]),
});
