/** What an organization decides for itself, on the wire. Implements docs/spec/identity.md section 7. */
import { z } from "zod";
import { jsonValue } from "./policy-fields.ts";
import { wireTimeSchema } from "./wire-time.ts";

const aaguidsMax = 200;

/** The value of each key; null goes back to what the installation says. */
const settingValues = {
  /** Nobody signs in locally but persons marked for emergencies (R-LOCAL-1). */
  require_sso: z.boolean(),
  /** How long a new factor cannot serve decisions (R-FACT-9). */
  factor_cool_down_hours: z.int().min(0).max(168),
  /** Only attested, device-bound keys sign (R-FACT-12). */
  aal3: z.boolean(),
  /** The models of keys that are allowed then; empty allows every attested one. */
  aaguids: z.array(z.uuid().transform((id) => id.toLowerCase())).max(aaguidsMax),
  session_timeout_minutes: z.int().min(1).max(1_440),
  backup_codes_decide: z.boolean(),
} as const;

const settingKeySchema = z.enum([
  "require_sso",
  "factor_cool_down_hours",
  "aal3",
  "aaguids",
  "session_timeout_minutes",
  "backup_codes_decide",
  // The installation's alone: "" lets tokens in that were made for anybody, null lets none in (R-IDP-12).
  "person_token_audience",
]);

export const changeSettingSchema = z.discriminatedUnion("key", [
  z.strictObject({ key: z.literal("require_sso"), value: settingValues.require_sso.nullable() }),
  z.strictObject({ key: z.literal("factor_cool_down_hours"), value: settingValues.factor_cool_down_hours.nullable() }),
  z.strictObject({ key: z.literal("aal3"), value: settingValues.aal3.nullable() }),
  z.strictObject({ key: z.literal("aaguids"), value: settingValues.aaguids.nullable() }),
  z.strictObject({
    key: z.literal("session_timeout_minutes"),
    value: settingValues.session_timeout_minutes.nullable(),
  }),
  z.strictObject({ key: z.literal("backup_codes_decide"), value: settingValues.backup_codes_decide.nullable() }),
]);

export const settingSchema = z.object({
  key: settingKeySchema,
  value: jsonValue,
  /** Who says so: the organization, or for all of them the installation's environment, its file, or nobody. */
  source: z.enum(["organization", "environment", "file", "default"]),
  /** Of the environment, by which the installation says it; null where that is not the source. */
  variable: z.string().nullable(),
  updated_by: z.string().nullable(),
  updated_at: wireTimeSchema.nullable(),
});
export type SettingOut = z.output<typeof settingSchema>;
