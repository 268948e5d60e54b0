import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compilePolicy, tryCompilePolicy } from "./compile-policy.ts";
import type { JsonObject } from "./json.ts";
import { Bug } from "./refusal.ts";

const user = (user_id: string): JsonObject => ({ rule_type: "user", rule_value: { user_id } });
const policy: JsonObject = { policy_key: "k", name: "n", artifact_type: "t" };
const withStages = (...stages: JsonObject[]): JsonObject => ({
  ...policy,
  stages: stages.map((stage, index) => ({ name: "s", stage_order: index + 1, rules: [user("ada")], ...stage })),
});

function problemsOf(document: JsonObject): { code: string; path: string }[] {
  const compiled = tryCompilePolicy(document);
  return compiled.ok ? [] : compiled.problems.map(({ code, path }) => ({ code, path }));
}

describe("engine R-POLICY-8: the compiled policy says everything the document leaves open", () => {
  it("defaults of policy and stage", () => {
    expect(compilePolicy(withStages({}))).toEqual({
      ...{ key: "k", name: "n", artifactType: "t", forbidSelfApproval: false, forbidRepeatApprovers: false },
      ...{ requestTtlHours: null, adminOverride: null, allowHandover: false },
      ...{ forbiddenApprovers: [], grant: { ttlMinutes: null, uses: null } },
      stages: [
        {
          ...{ order: 1, name: "s", mode: "all", modeValue: null, minApprovals: 1, abstain: "neutral", reject: "veto" },
          ...{ skipIf: null, onEmpty: "block", parallelGroup: null, slaHours: null, onBreach: "notify" },
          ...{ escalationRules: [], escalationsMax: 1, allowDelegation: true },
          ...{
            assurance: "session",
            rejectAssurance: "session",
            batch: true,
            minViewSeconds: null,
            requireView: false,
          },
          rules: [{ match: { type: "user", name: "ada" }, kind: "approver", required: false }],
        },
      ],
    });
  });

  it("every field that is given is taken over", () => {
    const document = {
      ...withStages({
        ...{ mode: "percentage", mode_value: 60, min_approvals: 2, abstain: "neutral", reject: "vote" },
        ...{ skip_if: { "!": [{ var: "a" }] }, on_empty: "skip", parallel_group: -3, sla_hours: 8 },
        ...{ on_breach: "escalate", escalation_rules: [user("eve")], escalations_max: 3, allow_delegation: false },
        ...{ assurance: "signed", reject_assurance: "mfa", batch: true, min_view_seconds: 5, require_view: true },
      }),
      ...{ forbid_self_approval: true, forbid_repeat_approvers: true, request_ttl_hours: 72 },
      ...{ admin_override: "off", allow_handover: true, description: "why" },
    };
    expect(compilePolicy(document)).toMatchObject({
      ...{ forbidSelfApproval: true, forbidRepeatApprovers: true, requestTtlHours: 72 },
      ...{ adminOverride: "off", allowHandover: true },
      stages: [
        {
          ...{ mode: "percentage", modeValue: 60, minApprovals: 2, abstain: "neutral", reject: "vote" },
          ...{ skipIf: { "!": [{ var: "a" }] }, onEmpty: "skip", parallelGroup: -3, slaHours: 8 },
          ...{ onBreach: "escalate", escalationsMax: 3, allowDelegation: false },
          ...{ assurance: "signed", rejectAssurance: "mfa", batch: true, minViewSeconds: 5, requireView: true },
          escalationRules: [{ match: { type: "user", name: "eve" }, kind: "approver", required: false }],
        },
      ],
    });
  });

  it("identity R-SIGN-5: a stage asks what its policy asks, and only signed ones leave batches out by themselves", () => {
    const inherited = compilePolicy({ ...withStages({}, { assurance: "signed" }), assurance: "mfa" });
    expect(inherited.stages).toMatchObject([
      { assurance: "mfa", batch: true },
      { assurance: "signed", batch: false },
    ]);
  });

  it.each([
    ["all", "all", "neutral"],
    ["any-n", "any-n", "neutral"],
    ["quorum", "any-n", "neutral"],
    ["QUORUM", "any-n", "neutral"],
    ["percentage", "percentage", "against"],
  ])("mode %s is %s, and an abstention there is %s unless said otherwise", (given, mode, abstain) => {
    expect(compilePolicy(withStages({ mode: given })).stages).toMatchObject([{ mode, abstain }]);
    expect(compilePolicy(withStages({ mode: given, abstain: "against" })).stages).toMatchObject([
      { abstain: "against" },
    ]);
  });

  it("policies R-DOC-6: stages come in the order of stage_order", () => {
    const stages = [30, 7, 100].map((stage_order) => ({ stage_order, name: `s${stage_order}` }));
    expect(compilePolicy(withStages(...stages)).stages.map(({ name }) => name)).toEqual(["s7", "s30", "s100"]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["user", { user_id: "ada" }, { type: "user", name: "ada" }],
    ["role", { role: "risk" }, { type: "role", role: "risk", client: null }],
    ["role", { role: "risk", client: "desk" }, { type: "role", role: "risk", client: "desk" }],
    ["role", { role: "risk", client: null }, { type: "role", role: "risk", client: null }],
    ["group", { group: "/a/b" }, { type: "group", path: "/a/b", includeSubgroups: false }],
    ["group", { group: "/a", include_subgroups: true }, { type: "group", path: "/a", includeSubgroups: true }],
    ["expression", { logic: { var: "boss" } }, { type: "expression", logic: { var: "boss" } }],
  ])("a rule of type %s with %j finds %j", (rule_type, rule_value, match) => {
    const compiled = compilePolicy(withStages({ rules: [{ rule_type, rule_value, required: true }] }));
    expect(compiled.stages[0]?.rules).toEqual([{ match, kind: "approver", required: true }]);
  });

  it("an observer is never required", () => {
    const rules = [user("ada"), { ...user("bob"), kind: "observer", required: true }];
    expect(compilePolicy(withStages({ rules })).stages[0]?.rules[1]).toMatchObject({
      kind: "observer",
      required: false,
    });
  });
});

describe("engine R-SIM-1: a draft compiles unless something in it cannot be read or honoured", () => {
  it("a draft without stages, or with names nobody knows, compiles", () => {
    expect(problemsOf(policy)).toEqual([]);
    expect(problemsOf(withStages({ rules: [], mode: "any-n", mode_value: 9 }))).toEqual([]);
  });

  it.each<[JsonObject, string, string]>([
    [withStages({ rules: [user("")] }), "bad_rule_value", "stages[0].rules[0].rule_value"],
    [withStages({ recheck: true }), "not_available", "stages[0].recheck"],
    [withStages({ mode: "most" }), "bad_shape", "stages[0].mode"],
    [withStages({ stage_order: 2 }, {}), "duplicate_stage_order", "stages[1].stage_order"],
    [{ ...policy, name: 5 }, "bad_shape", "name"],
  ])("%j does not: %s at %s", (document, code, path) => {
    expect(problemsOf(document)).toEqual([{ code, path }]);
  });

  it("compiling a policy that could not have been activated is a bug, and says so", () => {
    expect(() => compilePolicy({})).toThrow(Bug);
    expect(() => compilePolicy(withStages({ recheck: true }))).toThrow(
      "a policy that was activated does not compile: not_available at stages[0].recheck (this is a bug)",
    );
  });

  it("members of Object.prototype are no members of a document", () => {
    const compiled = compilePolicy({ ...withStages({}), toString: "x", constructor: { name: "evil" } });
    expect(compiled.stages).toHaveLength(1);
    expect(problemsOf({ policy_key: "constructor", name: "toString", artifact_type: "__proto__" })).toEqual([]);
  });

  it("compiling changes nothing in the document", () => {
    const names = fc.constantFrom("stages", "rules", "mode", "stage_order", "rule_type", "rule_value", "name", "x");
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (given) => {
        const document = parsed(JSON.stringify(given));
        const before = JSON.stringify(document);
        tryCompilePolicy(document);
        expect(JSON.stringify(document)).toBe(before);
      }),
    );
  });
});

function parsed(text: string): JsonObject {
  const value: unknown = JSON.parse(text);
  if (isObject(value)) return value;
  throw new Error("not an object");
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
