/**
 * The fields of a policy document, one zod shape per object: types, enums, bounds and defaults of
 * docs/spec/policies.md (tables "Policy", "Stage", "Rule"). A field that may be absent stays absent; unknown fields are
 * kept, because activation reports them by name (R-DOC-4).
 */
import { z } from "zod";
import { canonicalBytesOf, charactersIn, findJsonFault, type Json, type JsonMembers } from "./policy-json.ts";

const policyKeyMessage = "policy_key may contain letters, digits and . _ : - and must start with a letter or digit";
const policyKeyPattern = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/;

export const stagesMax = 50;
export const rulesMax = 50;
const contextSchemaBytesMax = 64 * 1024;

/** Any JSON value; what it may hold is checked once for the whole document. */
export const jsonValue = z.custom<Json>((value) => value !== undefined, "must be JSON");

export const jsonMembers = z
  .custom<JsonMembers>(
    (value) => typeof value === "object" && value !== null && !Array.isArray(value),
    "must be a JSON object",
  )
  .meta({ type: "object" });

/** Text of `min` to `max` characters; zod's own `max` would count UTF-16 units. */
export function text(min: number, max: number): z.ZodString {
  return z
    .string()
    .min(min)
    .refine((value) => value.length <= max || charactersIn(value) <= max, {
      error: `must have at most ${max} characters`,
    })
    .meta({ maxLength: max });
}

const policyKey = z
  .string()
  .min(1, { abort: true })
  .max(128)
  .refine((value) => policyKeyPattern.test(value), { error: policyKeyMessage, params: { code: "bad_policy_key" } })
  .meta({ pattern: policyKeyPattern.source });

const hours = z.int().min(1).max(87_600);
const assurance = z.enum(["session", "mfa", "signed"]);
const calendarName = text(1, 128).nullable();
const dotPath = text(1, 256);

export const ruleShape = {
  rule_type: z.enum(["user", "role", "group", "expression", "http"]),
  rule_value: jsonMembers,
  kind: z.enum(["approver", "observer"]).default("approver"),
  required: z.boolean().default(false),
};

const stageModes = ["all", "any-n", "quorum", "percentage"] as const;
export const storedMode = z.enum(stageModes);

/** The fields that AWE's stages have too, except the lists of rules; they are always present once stored. */
export const stageShape = {
  name: text(1, 255),
  stage_order: z.int().min(1).max(10_000),
  mode: z
    .string()
    .toLowerCase()
    .pipe(storedMode)
    .default("all")
    .meta({ description: `one of ${stageModes.join(", ")}, in any letter case` }),
  mode_value: z.int().min(1).nullable().default(null),
  sla_hours: hours.nullable().default(null),
  skip_if: jsonMembers.nullable().default(null),
  on_empty: z.enum(["skip", "block"]).default("block"),
  parallel_group: z.int32().nullable().default(null),
  on_breach: z.enum(["notify", "auto_approve", "auto_reject", "escalate"]).nullable().default(null),
};

export const stageExtensionShape = {
  approver_tree: jsonMembers.nullable().exactOptional(),
  min_approvals: z.int().min(1).max(100).exactOptional(),
  abstain: z.enum(["neutral", "against"]).exactOptional(),
  reject: z.enum(["veto", "vote"]).exactOptional(),
  assurance: assurance.exactOptional(),
  reject_assurance: assurance.exactOptional(),
  batch: z.boolean().exactOptional(),
  min_view_seconds: z.int().min(1).max(3_600).nullable().exactOptional(),
  require_view: z.boolean().exactOptional(),
  calendar: calendarName.exactOptional(),
  reminders: z.array(z.int().min(1).max(8760)).max(10).exactOptional(),
  escalations_max: z.int().min(1).max(5).exactOptional(),
  recheck: z.boolean().exactOptional(),
  allow_delegation: z.boolean().exactOptional(),
};

/** The fields that AWE's policies have too, except `stages`; they are always present once stored. */
export const policyShape = {
  policy_key: policyKey,
  name: text(1, 255),
  description: text(0, 1024).nullable().default(null),
  artifact_type: text(1, 128),
  forbid_self_approval: z.boolean().default(false),
  forbid_repeat_approvers: z.boolean().default(false),
};

const reasonRule = z.enum(["none", "optional", "required"]).exactOptional();
const reasonCodes = z.array(text(1, 64)).max(50).exactOptional();

const contextSchema = jsonMembers.refine(
  (value) => findJsonFault(value) !== null || canonicalBytesOf(value) <= contextSchemaBytesMax,
  { error: "must not be larger than 64 KiB" },
);

const freezeEffect = z.enum(["hold", "refuse"]);
const freezeWindow = z.union([
  z.object({ calendar: text(1, 128), effect: freezeEffect }).catchall(jsonValue),
  z
    .object({ name: text(1, 255), starts_at: text(1, 64), ends_at: text(1, 64), effect: freezeEffect })
    .catchall(jsonValue),
]);

const storedRule = z.object(ruleShape).catchall(jsonValue);

export const policyExtensionShape = {
  forbidden_approvers: z.array(dotPath).max(20).exactOptional(),
  context_schema: contextSchema.exactOptional(),
  assurance: assurance.exactOptional(),
  decision_reasons: z
    .object({
      approve: reasonRule,
      reject: reasonRule,
      abstain: reasonRule,
      min_length: z.int().min(1).max(500).exactOptional(),
      codes: z
        .object({ approve: reasonCodes, reject: reasonCodes, abstain: reasonCodes })
        .catchall(jsonValue)
        .exactOptional(),
    })
    .catchall(jsonValue)
    .exactOptional(),
  request_ttl_hours: hours.nullable().exactOptional(),
  grant: z
    .object({
      ttl_minutes: z.int().min(1).max(525_600).nullable().exactOptional(),
      uses: z.int().min(1).max(10_000).nullable().exactOptional(),
    })
    .catchall(jsonValue)
    .exactOptional(),
  changes: z
    .object({
      allowed: z.boolean().exactOptional(),
      carry_over: z.enum(["none", "unchanged"]).exactOptional(),
      watched: z.array(dotPath).max(50).exactOptional(),
      max_revisions: z.int().min(1).max(100).exactOptional(),
      deadline_hours: z.int().min(1).max(8760).exactOptional(),
    })
    .catchall(jsonValue)
    .exactOptional(),
  calendar: calendarName.exactOptional(),
  freeze: z.array(freezeWindow).max(50).exactOptional(),
  break_glass: z
    .object({
      rules: z.array(storedRule).max(rulesMax),
      people: z.int().min(1).max(5).exactOptional(),
      grant_minutes: z.int().min(1).max(60).exactOptional(),
      review_policy: policyKey,
      alert_rules: z.array(storedRule).max(rulesMax).exactOptional(),
    })
    .catchall(jsonValue)
    .nullable()
    .exactOptional(),
  admin_override: z.enum(["allow", "reason", "off"]).exactOptional(),
  allow_handover: z.boolean().exactOptional(),
};
