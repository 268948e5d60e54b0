/** The local directory on the wire: who is in which role or group. Implements docs/spec/api.md section 6.5. */
import { z } from "zod";
import { text } from "./policy-fields.ts";
import { queryNumber, queryText } from "./query-text.ts";
import { wireTimeSchema } from "./wire-time.ts";

const directoryMembersMax = 5000;

export const directoryMembersSchema = z.object({ members: z.array(text(1, 128)).max(directoryMembersMax) });

export const directoryQuerySchema = z.object({
  q: queryText(200).exactOptional(),
  limit: queryNumber(1, 500).default(100),
});

export const roleQuerySchema = z.object({ client: queryText(255).default("") });
export const groupQuerySchema = z.object({
  path: queryText(255).refine((path) => path !== "", { error: "is required" }),
});

export const roleOutSchema = z.object({
  name: z.string(),
  client: z.string(),
  members: z.array(z.string()),
  created_at: wireTimeSchema,
});
export type RoleOut = z.output<typeof roleOutSchema>;

export const groupOutSchema = z.object({
  path: z.string(),
  name: z.string(),
  members: z.array(z.string()),
  created_at: wireTimeSchema,
});
export type GroupOut = z.output<typeof groupOutSchema>;

export const userOutSchema = z.object({
  user_id: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  status: z.enum(["placeholder", "invited", "active", "locked", "suspended", "erased"]),
});
export type UserOut = z.output<typeof userOutSchema>;
