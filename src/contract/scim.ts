/**
 * SCIM 2.0 on the wire (RFC 7643, RFC 7644): what a directory sends about people and groups, and what it is told. Members
 * that are not kept here are ignored, as the standard asks. Implements docs/spec/identity.md section 6.
 */
import { z } from "zod";
import { jsonValue, text } from "./policy-fields.ts";
import { queryText } from "./query-text.ts";

export const scimUrns = {
  user: "urn:ietf:params:scim:schemas:core:2.0:User",
  group: "urn:ietf:params:scim:schemas:core:2.0:Group",
  list: "urn:ietf:params:scim:api:messages:2.0:ListResponse",
  patch: "urn:ietf:params:scim:api:messages:2.0:PatchOp",
  error: "urn:ietf:params:scim:api:messages:2.0:Error",
  config: "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig",
  resourceType: "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
  schema: "urn:ietf:params:scim:schemas:core:2.0:Schema",
} as const;

export const scimMediaType = "application/scim+json; charset=utf-8";
export const scimPageMax = 200;
const scimMembersMax = 5_000;
const operationsMax = 1_000;
const emailsMax = 20;

const control = /\p{Control}/u;
const plain = (most: number): z.ZodType<string> =>
  text(1, most)
    .transform((value) => value.trim())
    .refine((value) => value !== "" && !control.test(value), { error: "must be text without control characters" });
const optional = (most: number): z.ZodType<string | null> =>
  z
    .union([text(0, most), z.null()])
    .transform((value) => (value === null || value.trim() === "" ? null : value.trim()))
    .refine((value) => value === null || !control.test(value), { error: "must be text without control characters" });

/** Some directories say yes and no in words. */
export const scimBoolean = z.union([
  z.boolean(),
  z
    .string()
    .refine((word) => /^(?:true|false)$/i.test(word), { error: "must be true or false" })
    .transform((word) => word.toLowerCase() === "true"),
]);

export const scimNameSchema = z.object({
  formatted: optional(255).default(null),
  givenName: optional(255).default(null),
  familyName: optional(255).default(null),
});

export const scimEmailSchema = z.object({
  value: plain(254).refine((address) => /^[^\s@]{1,64}@[^\s@]+$/.test(address), { error: "must be an e-mail address" }),
  type: optional(64).default(null),
  primary: scimBoolean.default(false),
});

export const scimUserNameSchema = plain(128).refine((name) => !name.startsWith("service-account-"), {
  error: "is the name of a machine",
});
export const scimDisplayNameSchema = optional(255);
export const scimExternalIdSchema = optional(255);
export const scimEmailsSchema = z.array(scimEmailSchema).max(emailsMax);
/** A group of that name stands in the local directory at `/<name>`. */
export const scimGroupNameSchema = plain(200).refine((name) => !name.includes("/"), { error: "must not contain /" });

export const scimUserInSchema = z.object({
  schemas: z.array(z.string()).max(20).optional(),
  userName: scimUserNameSchema,
  externalId: scimExternalIdSchema.default(null),
  displayName: scimDisplayNameSchema.default(null),
  name: z.union([scimNameSchema, z.null()]).default(null),
  emails: z.union([scimEmailsSchema, z.null()]).default(null),
  active: scimBoolean.default(true),
});
export type ScimUserIn = z.output<typeof scimUserInSchema>;

const scimMemberSchema = z.object({ value: z.uuid().transform((id) => id.toLowerCase()) });
export const scimMembersSchema = z.array(scimMemberSchema).max(scimMembersMax);

export const scimGroupInSchema = z.object({
  schemas: z.array(z.string()).max(20).optional(),
  displayName: scimGroupNameSchema,
  externalId: scimExternalIdSchema.default(null),
  members: z.union([scimMembersSchema, z.null()]).default(null),
});
export type ScimGroupIn = z.output<typeof scimGroupInSchema>;

export const scimPatchSchema = z.object({
  schemas: z.array(z.string()).max(20).optional(),
  Operations: z
    .array(
      z.object({
        op: z
          .string()
          .transform((word) => word.toLowerCase())
          .pipe(z.enum(["add", "replace", "remove"])),
        path: text(1, 512).optional(),
        value: jsonValue.optional(),
      }),
    )
    .min(1)
    .max(operationsMax),
});
export type ScimPatch = z.output<typeof scimPatchSchema>;
export type ScimOperation = ScimPatch["Operations"][number];

/** Numbers beyond what makes sense are read as what does (RFC 7644 section 3.4.2.4). */
const wholeNumber = (fallback: number): z.ZodType<number, string | undefined> =>
  z
    .string()
    .regex(/^-?[0-9]{1,9}$/, { error: "must be a whole number" })
    .transform(Number)
    .optional()
    .transform((value) => value ?? fallback);

export const scimQuerySchema = z.object({
  filter: queryText(512).optional(),
  startIndex: wholeNumber(1).transform((value) => Math.max(1, value)),
  count: wholeNumber(100).transform((value) => Math.min(scimPageMax, Math.max(0, value))),
  attributes: queryText(512).optional(),
  excludedAttributes: queryText(512).optional(),
});

/** Answers are described by `GET /scim/v2/Schemas`. */
export const scimAnswerSchema = z.record(z.string(), z.unknown());
