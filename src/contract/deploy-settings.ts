/** Settings of the deploy gate on the wire (docs/spec/deploy.md 11.3 and section 17). */
import { z } from "zod";
import { jsonValue } from "./policy-fields.ts";

const deploySettingSchema = z.object({
  value: jsonValue,
  /** `global_default`: an app's setting that the rack's of the same meaning stands for. */
  source: z.enum(["db", "env", "default", "global_default"]),
  /** The variable that sets it, or would. */
  env_var: z.string(),
  /** Would this caller be let change it? */
  can_change: z.boolean(),
  /** Who set it or gave it back last, by the ledger's name; absent where nobody ever did. */
  updated_by: z.string().exactOptional(),
  updated_at: z.string().exactOptional(),
});

export const deploySettingsSchema = z.record(z.string(), deploySettingSchema);

/** A bare value for the endpoints of one key, an object for those of a group. */
export const deploySettingValueSchema = jsonValue;

export const deploySettingKeysSchema = z.object({
  key: z.union([z.string().max(128), z.array(z.string().max(128)).max(50)]).exactOptional(),
});
