/**
 * Policies on the wire: what may be written (`PolicyCreate`), what is answered (`PolicyOut`), and simulation.
 * Implements the write checks of docs/spec/policies.md; what a policy must satisfy to be activated is the engine's
 * question (`src/core/check-policy.ts`), because drafts may be incomplete (R-POLICY-8).
 */
import { z } from "zod";
import {
  jsonMembers,
  jsonValue,
  policyExtensionShape,
  policyShape,
  ruleShape,
  rulesMax,
  stageExtensionShape,
  stageShape,
  stagesMax,
  storedMode,
  text,
} from "./policy-fields.ts";
import { canonicalBytesOf, findJsonFault } from "./policy-json.ts";

export const policyBytesMax = 256 * 1024;

/** Read-only members of `PolicyOut`: accepted and dropped, so that an exported policy can be written again. */
const policyReadOnly = [
  "id",
  "version",
  "status",
  "managed",
  "created_by",
  "created_at",
  "updated_at",
  "digest",
  "updated_by",
  "activated_at",
  "problems",
] as const;
const partReadOnly = ["id"] as const;

/** A copy without the named members; none of them is a declared field, so the type stays. */
function without<Members extends object>(members: Members, names: readonly string[]): Members {
  const kept = { ...members };
  for (const name of names) Reflect.deleteProperty(kept, name);
  return kept;
}

const ruleCreateSchema = z
  .object(ruleShape)
  .catchall(jsonValue)
  .transform((rule) => without(rule, partReadOnly));

const ruleList = z.array(ruleCreateSchema).max(rulesMax).default([]);

export const stageCreateSchema = z
  .object({ ...stageShape, rules: ruleList, escalation_rules: ruleList, ...stageExtensionShape })
  .catchall(jsonValue)
  .transform((stage) => without(stage, partReadOnly));

const policyDocumentSchema = z
  .object({ ...policyShape, stages: z.array(stageCreateSchema).max(stagesMax).default([]), ...policyExtensionShape })
  .catchall(jsonValue);

/** The stored document: plain JSON, AWE's own fields always present, extensions as they were given. */
export type PolicyDocument = z.output<typeof policyDocumentSchema>;
export type StageDocument = z.output<typeof stageCreateSchema>;

/**
 * PolicyCreate, and equally an exported PolicyOut. Its output is the document that is stored and digested. The input is
 * walked before its fields are read: copying members would lose one that is called `__proto__` unseen.
 */
export const policyCreateSchema = z.preprocess(
  requirePlainJson,
  policyDocumentSchema.transform((given, context): PolicyDocument => {
    const document = without(given, policyReadOnly);
    if (canonicalBytesOf(document) > policyBytesMax) {
      const message = "policy is larger than 256 KiB";
      context.issues.push({ code: "custom", input: given, message, params: { code: "too_large" } });
    }
    for (const { index, order } of repeatedOrders(document.stages)) {
      context.issues.push({
        code: "custom",
        input: order,
        path: ["stages", index, "stage_order"],
        message: `stage_order ${order} is used twice`,
        params: { code: "duplicate_stage_order" },
      });
    }
    return document;
  }),
);

function requirePlainJson(value: unknown, context: z.RefinementCtx): unknown {
  const fault = findJsonFault(value);
  if (fault === null) return value;
  context.issues.push({ code: "custom", input: value, path: [...fault.path], message: fault.message });
  return z.NEVER;
}

/** The second stage of each order that is used more than once. */
function repeatedOrders(stages: readonly StageDocument[]): { index: number; order: number }[] {
  const uses = new Map<number, number>();
  return stages.flatMap(({ stage_order: order }, index) => {
    const use = (uses.get(order) ?? 0) + 1;
    uses.set(order, use);
    return use === 2 ? [{ index, order }] : [];
  });
}

/** One reason why a document cannot be stored (docs/spec/policies.md, write checks). */
export interface PolicyWriteFault {
  readonly code: "bad_shape" | "bad_policy_key" | "duplicate_stage_order" | "too_large";
  /** As in `problems`: `stages[0].stage_order`, or empty for the whole document. */
  readonly path: string;
  readonly message: string;
}

export function policyWriteFaults(error: z.ZodError): PolicyWriteFault[] {
  return error.issues.map((issue) => ({
    code: writeCodeOf(issue),
    path: documentPath(issue.path),
    message: issue.message,
  }));
}

function writeCodeOf(issue: z.core.$ZodIssue): PolicyWriteFault["code"] {
  const code: unknown = issue.code === "custom" ? issue.params?.["code"] : undefined;
  return code === "bad_policy_key" || code === "duplicate_stage_order" || code === "too_large" ? code : "bad_shape";
}

function documentPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((place, part) => {
    if (typeof part === "number") return `${place}[${part}]`;
    return place === "" ? String(part) : `${place}.${String(part)}`;
  }, "");
}

const timestamp = z.iso.datetime();
export const policyStatusSchema = z.enum(["draft", "active", "archived"]);

export const policyProblemSchema = z.object({
  code: z.string(),
  severity: z.enum(["error", "warning"]),
  path: z.string(),
  message: z.string(),
});

const ruleOutSchema = z.object({ id: z.string(), ...ruleShape }).catchall(jsonValue);

const stageOutSchema = z
  .object({
    id: z.uuid(),
    ...stageShape,
    mode: storedMode,
    rules: z.array(ruleOutSchema),
    escalation_rules: z.array(ruleOutSchema),
    ...stageExtensionShape,
  })
  .catchall(jsonValue);

/** A policy version as it is answered: the stored document, and what the server knows of it. */
export const policyOutSchema = z
  .object({
    id: z.uuid(),
    version: z.int().min(1),
    status: policyStatusSchema,
    managed: z.boolean(),
    ...policyShape,
    stages: z.array(stageOutSchema),
    ...policyExtensionShape,
    digest: z.string(),
    created_by: z.string(),
    updated_by: z.string().nullable(),
    created_at: timestamp,
    updated_at: timestamp,
    activated_at: timestamp.nullable(),
    problems: z.array(policyProblemSchema),
  })
  .catchall(jsonValue);

export const policyVersionSummarySchema = z.object({
  id: z.uuid(),
  policy_key: z.string(),
  version: z.int().min(1),
  status: policyStatusSchema,
  created_at: timestamp,
});

/** R-SIM-2: what to try a version on. `approved_by` names, per stage order, who is taken to have approved already. */
export const simulateRequestSchema = z.preprocess(
  requirePlainJson,
  z.object({
    context: jsonMembers.default({}),
    requester: text(1, 128).exactOptional(),
    at: z.iso.datetime({ offset: true, local: true }).exactOptional(),
    approved_by: z.record(z.string().regex(/^[1-9][0-9]{0,4}$/), z.array(text(1, 128)).max(10_000)).exactOptional(),
  }),
);

const simulatedStageSchema = z.object({
  stage_order: z.int(),
  name: z.string(),
  mode: storedMode,
  mode_value: z.int().nullable(),
  resolved_approvers: z.array(z.string()),
  skipped: z.boolean(),
  skip_reason: z.string().nullable(),
  observers: z.array(z.string()),
  required: z.array(z.string()),
  excluded: z.array(z.object({ user: z.string(), reason: z.string() })),
  delegations: z.array(z.object({ from: z.string(), to: z.string() })),
  needed: z.int(),
  feasible: z.boolean(),
  group: z.int(),
  due_at: timestamp.nullable(),
});

export const simulateResponseSchema = z.object({
  policy_id: z.uuid(),
  policy_version: z.int(),
  stages: z.array(simulatedStageSchema),
  outcome: z.string(),
  valid_context: z.boolean(),
});

export type PolicyVersionSummary = z.output<typeof policyVersionSummarySchema>;
export type SimulateResponse = z.output<typeof simulateResponseSchema>;
