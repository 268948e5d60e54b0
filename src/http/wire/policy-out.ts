/** A policy version as the wire shows it: the stored document and what the server knows of it. */
import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import type { PolicyVersionSummary } from "../../contract/policy.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { PolicyVersion } from "../../ports/change-set.ts";

export function policyOut(version: PolicyVersion): JsonObject {
  const { document } = version;
  return {
    ...document,
    id: version.id,
    policy_key: version.key,
    version: version.version,
    status: version.status,
    managed: version.managed,
    stages: partsOf(document["stages"]).map((stage, index) => stageOut(version.id, stage, index)),
    digest: version.digest,
    created_by: version.createdBy,
    updated_by: version.updatedBy,
    created_at: wireTime(version.createdAt),
    updated_at: wireTime(version.updatedAt),
    activated_at: wireTimeOrNull(version.activatedAt),
    problems: version.problems.map(({ code, severity, path, message }) => ({ code, severity, path, message })),
  };
}

/** Stages and rules have ids on the wire that are derived from the version's, so that they are the same every time. */
function stageOut(policyId: string, stage: JsonObject, index: number): JsonObject {
  const id = derivedId(policyId, `stages[${String(index)}]`);
  return {
    ...stage,
    id,
    rules: partsOf(stage["rules"]).map((rule, place) => ({ id: derivedId(id, `rules[${String(place)}]`), ...rule })),
    escalation_rules: partsOf(stage["escalation_rules"]).map((rule, place) => ({
      id: `esc-${id}-${String(place)}`,
      ...rule,
    })),
  };
}

function partsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** SHA-256 in the form of a version 4 UUID. */
function derivedId(owner: string, part: string): string {
  const hex = createHash("sha256").update(`${owner}/${part}`).digest("hex");
  const variant = "89ab".charAt(Number.parseInt(hex.charAt(16), 16) % 4);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}

export function policyVersionSummary(version: PolicyVersion): PolicyVersionSummary {
  return {
    id: version.id,
    policy_key: version.key,
    version: version.version,
    status: version.status,
    created_at: wireTime(version.createdAt),
  };
}
