/**
 * Which fields does a policy document have, and which of them does this version not act on yet? A field that would be
 * ignored is refused at activation instead (docs/spec/policies.md R-DOC-5), because a policy that looks stricter
 * than it is would be worse than none.
 */
import type { JsonObject, JsonValue } from "./json.ts";
import { memberOf } from "./policy-reading.ts";

/** The kinds of objects a document is made of; a rule's value is of its rule's type. */
export type PolicyPartKind = "policy" | "grant" | "stage" | "rule" | "user" | "role" | "group" | "expression" | "http";

interface Fields {
  readonly available: readonly string[];
  readonly unavailable: readonly string[];
}

const fieldsOf: Record<PolicyPartKind, Fields> = {
  policy: {
    available: [
      "policy_key",
      "name",
      "description",
      "artifact_type",
      "forbid_self_approval",
      "forbid_repeat_approvers",
      "stages",
      "request_ttl_hours",
      "admin_override",
      "allow_handover",
      "assurance",
      "forbidden_approvers",
      "grant",
    ],
    unavailable: ["context_schema", "decision_reasons", "changes", "calendar", "freeze", "break_glass"],
  },
  stage: {
    available: [
      "name",
      "stage_order",
      "mode",
      "mode_value",
      "sla_hours",
      "skip_if",
      "on_empty",
      "parallel_group",
      "on_breach",
      "escalation_rules",
      "rules",
      "min_approvals",
      "abstain",
      "reject",
      "escalations_max",
      "allow_delegation",
      "assurance",
      "reject_assurance",
      "batch",
      "min_view_seconds",
      "require_view",
    ],
    unavailable: ["approver_tree", "calendar", "reminders", "recheck"],
  },
  grant: { available: ["ttl_minutes", "uses"], unavailable: [] },
  rule: { available: ["rule_type", "rule_value", "kind", "required"], unavailable: [] },
  user: { available: ["user_id"], unavailable: [] },
  role: { available: ["role", "client"], unavailable: ["include_groups"] },
  group: { available: ["group", "include_subgroups"], unavailable: [] },
  expression: { available: ["logic"], unavailable: [] },
  http: { available: ["url"], unavailable: ["secret_id"] },
};

/** The members that ask for something this version does not do. */
export function unavailableIn(members: JsonObject, kind: PolicyPartKind): string[] {
  return fieldsOf[kind].unavailable.filter((name) => {
    const value = memberOf(members, name);
    return value !== undefined && !asksForNothing(value);
  });
}

/** Null, false and the empty list say the same as leaving the member out. */
function asksForNothing(value: JsonValue): boolean {
  return value === null || value === false || (Array.isArray(value) && value.length === 0);
}

/** Members that no version knows: a misspelt safety option must not be ignored in silence. */
export function unknownIn(members: JsonObject, kind: PolicyPartKind): string[] {
  const { available, unavailable } = fieldsOf[kind];
  return Object.keys(members).filter((name) => !available.includes(name) && !unavailable.includes(name));
}
