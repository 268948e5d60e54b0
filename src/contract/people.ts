/** People, their roles and their status on the wire. Implements docs/spec/identity.md section 6. Members that nobody knows are refused. */
import { z } from "zod";
import { emailSchema, loginSchema } from "./auth.ts";
import { sessionKindSchema } from "./identity.ts";
import { text } from "./policy-fields.ts";
import { cursorText, queryNumber, queryText } from "./query-text.ts";
import { wireTimeSchema } from "./wire-time.ts";

const personStatusSchema = z.enum(["placeholder", "invited", "active", "locked", "suspended", "erased"]);

const rolesMax = 20;
const words = (most: number): z.ZodType<string> =>
  text(1, most)
    .transform((value) => value.trim())
    .refine((value) => value !== "", { error: "must not be blank" });
const roles = z.array(text(1, 64)).max(rolesMax);
const idInput = z.uuid().transform((id) => id.toLowerCase());

export const peopleQuerySchema = z.object({
  q: queryText(200).exactOptional(),
  status: personStatusSchema.exactOptional(),
  limit: queryNumber(1, 200).default(50),
  cursor: cursorText.exactOptional(),
});

export const invitePersonSchema = z.strictObject({
  email: emailSchema,
  name: words(255).exactOptional(),
  login: loginSchema.exactOptional(),
  roles: roles.default([]),
});

export const changePersonSchema = z.strictObject({
  name: words(255).exactOptional(),
  email: emailSchema.exactOptional(),
  /** R-LOCAL-1: as roles, given by those who may give roles. */
  break_glass: z.boolean().exactOptional(),
});
export const setRolesSchema = z.strictObject({ roles });
export const reasonSchema = z.strictObject({ reason: words(1000) });
export const erasePersonSchema = z.strictObject({ reason: words(1000), confirm: text(1, 255) });
export const mergePeopleSchema = z.strictObject({ into: idInput, reason: words(1000) });
export const moveNameSchema = z.strictObject({ name: words(128) });
export const nothingSchema = z.strictObject({}).optional();

const personMembers = {
  id: z.uuid(),
  assignee: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  status: personStatusSchema,
  roles: z.array(z.object({ role: z.string(), source: z.string() })),
  /** Holds a factor that can be proven. */
  enrolled: z.boolean(),
  /** Signs in locally although the organization requires its identity provider (R-LOCAL-1). */
  break_glass: z.boolean(),
  created_at: wireTimeSchema,
};

export const personSchema = z.object(personMembers);
export type PersonOut = z.output<typeof personSchema>;

export const peoplePageSchema = z.object({ items: z.array(personSchema), next: z.string().nullable() });

export const ownIdentitySchema = z.object({
  id: z.uuid(),
  issuer: z.string(),
  /** The name of the identity provider; null for the local directory and for tokens. */
  provider: z.string().nullable(),
  created_at: wireTimeSchema,
});
export type OwnIdentityOut = z.output<typeof ownIdentitySchema>;

export const personFactorSchema = z.object({
  id: z.uuid(),
  type: z.enum(["passkey", "totp"]),
  name: z.string(),
  created_at: wireTimeSchema,
  last_used_at: wireTimeSchema.nullable(),
  usable_at: wireTimeSchema,
  device_bound: z.boolean(),
  synced: z.boolean(),
  /** May sign decisions. */
  signing: z.boolean(),
  disabled: z.boolean(),
});

export const personPageSchema = z.object({
  ...personMembers,
  identities: z.array(ownIdentitySchema),
  factors: z.array(personFactorSchema),
  sessions: z.array(
    z.object({
      id: z.uuid(),
      kind: sessionKindSchema,
      method: z.string(),
      client: z.string().nullable(),
      address: z.string().nullable(),
      created_at: wireTimeSchema,
      last_seen_at: wireTimeSchema.nullable(),
      expires_at: wireTimeSchema,
      current: z.boolean(),
    }),
  ),
  machines: z.array(z.object({ id: z.uuid(), name: z.string(), kind: z.string() })),
  open_tasks: z.array(
    z.object({
      id: z.uuid(),
      request_id: z.uuid(),
      artifact_type: z.string(),
      artifact_id: z.string(),
      stage_name: z.string(),
      due_at: wireTimeSchema.nullable(),
      created_at: wireTimeSchema,
    }),
  ),
  aliases: z.array(z.object({ name: z.string(), proof: z.enum(["asserted", "verified"]) })),
});
export type PersonPageOut = z.output<typeof personPageSchema>;

export const invitedSchema = z.object({ person: personSchema, link: z.string(), expires_at: wireTimeSchema });
export const oneTimeLinkSchema = z.object({ link: z.string(), expires_at: wireTimeSchema });

export const roleSchema = z.object({
  name: z.string(),
  meaning: z.string(),
  permissions: z.array(z.string()),
  holder: z.enum(["person", "machine", "platform"]),
});
