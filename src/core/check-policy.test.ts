import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkPolicy, hasErrors, type DirectoryFacts } from "./check-policy.ts";
import { tryCompilePolicy } from "./compile-policy.ts";
import type { JsonObject, JsonValue } from "./json.ts";

const directory: DirectoryFacts = {
  roleExists: (role, client) => role === "risk" && (client === null || client === "desk"),
  groupExists: (path) => path === "/finance",
};

const user = (user_id: string, more: JsonObject = {}): JsonObject => ({
  rule_type: "user",
  rule_value: { user_id },
  ...more,
});
const users = (...names: string[]): JsonObject[] => names.map((name) => user(name));
const role: JsonObject = { rule_type: "role", rule_value: { role: "risk" } };
const group: JsonObject = { rule_type: "group", rule_value: { group: "/finance" } };
const rule = (rule_type: string, rule_value: JsonValue, more: JsonObject = {}): JsonObject => ({
  rule_type,
  rule_value,
  ...more,
});

/** A policy that nothing is wrong with; two approvers, so that no warning is due either. */
const sound: JsonObject = {
  policy_key: "payout.v1",
  name: "Payout",
  artifact_type: "payout.batch",
  forbid_self_approval: true,
  stages: [{ name: "First", stage_order: 1, rules: users("ada", "bob") }],
};
const withPolicy = (members: JsonObject): JsonObject => ({ ...sound, ...members });
const withStages = (...stages: JsonObject[]): JsonObject =>
  withPolicy({
    stages: stages.map((stage, index) => ({
      name: "s",
      stage_order: index + 1,
      rules: users("ada", "bob"),
      ...stage,
    })),
  });
const withRules = (...rules: JsonObject[]): JsonObject => withStages({ rules });

interface Finding {
  readonly code: string;
  readonly path: string;
  readonly message: string;
}

function findings(document: JsonObject, severity: "error" | "warning", facts: DirectoryFacts | null): Finding[] {
  return checkPolicy(document, { directory: facts })
    .filter((problem) => problem.severity === severity)
    .map(({ code, path, message }) => ({ code, path, message }));
}
const errorsOf = (document: JsonObject): Finding[] => findings(document, "error", directory);
const warningsOf = (document: JsonObject): Finding[] => findings(document, "warning", directory);

/** Document, code, path, message: the one error that is found. */
type Case = [string, JsonObject, string, string, string];

function asRow([what, document, code, path, message]: Case): { what: string; document: JsonObject; finding: Finding } {
  return { what, document, finding: { code, path, message } };
}

const r0 = "stages[0].rules[0]";

const badRuleValues: [string, JsonObject, string][] = [
  ["user", {}, "user_id"],
  ["user", { user_id: "" }, "user_id"],
  ["user", { user_id: "   " }, "user_id"],
  ["user", { user_id: null }, "user_id"],
  ["user", { user_id: 5 }, "user_id"],
  ["user", { user_id: ["ada"] }, "user_id"],
  ["user", { user_id: "x".repeat(129) }, "user_id"],
  ["role", {}, "role"],
  ["role", { role: "" }, "role"],
  ["role", { role: null }, "role"],
  ["role", { role: { name: "risk" } }, "role"],
  ["role", { role: "risk", client: "" }, "client to be text"],
  ["role", { role: "risk", client: 5 }, "client to be text"],
  ["role", { role: "r".repeat(256) }, "role"],
  ["group", {}, "group"],
  ["group", { group: "" }, "group"],
  ["group", { group: 5 }, "group"],
  ["group", { group: "/finance", include_subgroups: "yes" }, "include_subgroups to be true or false"],
  ["group", { group: "/finance", include_subgroups: null }, "include_subgroups to be true or false"],
  ["expression", {}, "logic"],
  ["expression", { logic: null }, "logic"],
  ["expression", { logic: "boss" }, "logic"],
  ["expression", { logic: ["ada"] }, "logic"],
];

const unavailablePolicyFields: [string, JsonValue][] = [
  ["context_schema", { type: "object" }],
  ["context_schema", {}],
  ["decision_reasons", { reject: "required" }],
  ["changes", { allowed: true }],
  ["calendar", "session"],
  ["freeze", [{ calendar: "office", effect: "hold" }]],
  ["break_glass", { rules: [], review_policy: "r" }],
];
const unavailableStageFields: [string, JsonValue][] = [
  ["approver_tree", { name: "Leaf", approvals: 1, rules: [] }],
  ["calendar", "office"],
  ["reminders", [24]],
  ["recheck", true],
];

const unknownPolicyFields = ["forbid_self_aproval", "Stages", "id", "version", "status", "digest", "toString", "stage"];
const unknownStageFields = ["quorum", "min_approval", "Mode", "approvers", "id", "skipIf", "allow_delegations"];

const badLogic: [JsonValue, string][] = [
  [{ nonsense: [1] }, "unknown operator 'nonsense'"],
  [{ and: [{ var: "a" }, { "=<": [1, 2] }] }, "unknown operator '=<'"],
  [{ method: ["a", "b"] }, "unknown operator 'method'"],
  [{ "??": [1, 2] }, "unknown operator '??'"],
  [{}, "an object in an expression must have exactly one operator"],
  [{ var: "a", and: [] }, "an object in an expression must have exactly one operator"],
  [{ or: [[{ a: 1, b: 2 }]] }, "an object in an expression must have exactly one operator"],
  [{ or: Array.from({ length: 2000 }, () => 1) }, "the expression has more than 2000 values"],
];

const cases: Case[] = [
  ["no stages", withPolicy({ stages: [] }), "no_stages", "stages", "a policy needs at least one stage"],
  [
    "stages left out",
    Object.fromEntries(Object.entries(sound).filter(([name]) => name !== "stages")),
    "no_stages",
    "stages",
    "a policy needs at least one stage",
  ],
  ...[[], [user("ada", { kind: "observer" })], [{ ...role, kind: "observer" }]].map((rules): Case => [
    `rules ${JSON.stringify(rules)}`,
    withRules(...rules),
    "no_approver_rule",
    "stages[0].rules",
    "stage 1 has no rule that can find an approver",
  ]),
  ...badRuleValues.map(([type, value, needed]): Case => [
    `${type} with ${JSON.stringify(value).slice(0, 60)}`,
    withRules(user("ada"), rule(type, value)),
    "bad_rule_value",
    "stages[0].rules[1].rule_value",
    `stage 1, rule 2: ${type} needs ${needed}`,
  ]),
  [
    "a bad escalation rule",
    withStages({ on_breach: "escalate", sla_hours: 8, escalation_rules: [rule("user", {})] }),
    "bad_rule_value",
    "stages[0].escalation_rules[0].rule_value",
    "stage 1, escalation rule 1: user needs user_id",
  ],
  ...[101, 150, 1000].map((mode_value): Case => [
    `percentage of ${mode_value}`,
    withStages({ mode: "percentage", mode_value }),
    "percentage_range",
    "stages[0].mode_value",
    "stage 1: percentage must be between 1 and 100",
  ]),
  ...(["any-n", "quorum", "ANY-N"] as const).flatMap((mode) =>
    [3, 4, 1000].map((mode_value): Case => [
      `${mode} of ${mode_value} with two people`,
      withStages({ mode, mode_value }),
      "quorum_impossible",
      "stages[0].mode_value",
      `stage 1: ${mode_value} approvals needed but the rules name only 2 people`,
    ]),
  ),
  ...(["all", "any-n", "percentage"] as const).map((mode): Case => [
    `${mode} with a floor of three and two people`,
    withStages({ mode, min_approvals: 3 }),
    "quorum_impossible",
    "stages[0].min_approvals",
    "stage 1: 3 approvals needed but the rules name only 2 people",
  ]),
  [
    "one person named twice is one person",
    withStages({ mode: "any-n", mode_value: 2, rules: users("ada", "ada") }),
    "quorum_impossible",
    "stages[0].mode_value",
    "stage 1: 2 approvals needed but the rules name only 1 people",
  ],
  [
    "observers do not count",
    withStages({ mode: "any-n", mode_value: 2, rules: [user("ada"), user("bob", { kind: "observer" })] }),
    "quorum_impossible",
    "stages[0].mode_value",
    "stage 1: 2 approvals needed but the rules name only 1 people",
  ],
  ...[
    withStages({ on_breach: "escalate", sla_hours: 8 }),
    withStages({ on_breach: "escalate", sla_hours: 8, escalation_rules: [] }),
  ].map((document): Case => [
    "escalation to nobody",
    document,
    "escalate_without_rules",
    "stages[0].escalation_rules",
    "stage 1: on_breach is 'escalate' but escalation_rules is empty",
  ]),
  ...badLogic.flatMap(([logic, fault]): Case[] => [
    [
      `skip_if ${JSON.stringify(logic).slice(0, 60)}`,
      withStages({ skip_if: logic }),
      "bad_logic",
      "stages[0].skip_if",
      `stage 1: ${fault}`,
    ],
    [
      `expression ${JSON.stringify(logic).slice(0, 60)}`,
      withRules(rule("expression", { logic })),
      "bad_logic",
      `${r0}.rule_value.logic`,
      `stage 1: ${fault}`,
    ],
  ]),
  [
    "an expression for escalation",
    withStages({ on_breach: "escalate", sla_hours: 1, escalation_rules: [rule("expression", { logic: { x: 1 } })] }),
    "bad_logic",
    "stages[0].escalation_rules[0].rule_value.logic",
    "stage 1: unknown operator 'x'",
  ],
  [
    "a role nobody knows",
    withRules(rule("role", { role: "rsik" })),
    "directory_unknown",
    `${r0}.rule_value`,
    "stage 1: role 'rsik' does not exist",
  ],
  [
    "a role of another client",
    withRules(rule("role", { role: "risk", client: "dsek" })),
    "directory_unknown",
    `${r0}.rule_value`,
    "stage 1: role 'risk' of client 'dsek' does not exist",
  ],
  [
    "a group nobody knows",
    withStages({}, { rules: [group, rule("group", { group: "/fin" }, { kind: "observer" })] }),
    "directory_unknown",
    "stages[1].rules[1].rule_value",
    "stage 2: group '/fin' does not exist",
  ],
  [
    "an escalation group nobody knows",
    withStages({ on_breach: "escalate", sla_hours: 1, escalation_rules: [rule("group", { group: "finance" })] }),
    "directory_unknown",
    "stages[0].escalation_rules[0].rule_value",
    "stage 1: group 'finance' does not exist",
  ],
  ...unavailablePolicyFields.map(([name, value]): Case => [
    `${name} ${JSON.stringify(value)}`,
    withPolicy({ [name]: value }),
    "not_available",
    name,
    `${name} is not available in this version`,
  ]),
  ...unavailableStageFields.map(([name, value]): Case => [
    `stage ${name}`,
    withStages({ [name]: value }),
    "not_available",
    `stages[0].${name}`,
    `stages[0].${name} is not available in this version`,
  ]),
  [
    "assurance of another kind",
    withPolicy({ assurance: 5 }),
    "bad_shape",
    "assurance",
    "assurance must be one of session, mfa, signed",
  ],
  [
    "a stage that asks less than the policy",
    { ...withStages({ assurance: "mfa" }), assurance: "signed" },
    "lower_assurance",
    "stages[0].assurance",
    "stage 1: assurance may not be lower than the policy's",
  ],
  [
    "rejecting harder than approving",
    withStages({ assurance: "mfa", reject_assurance: "signed" }),
    "higher_reject_assurance",
    "stages[0].reject_assurance",
    "stage 1: rejecting may not be harder than approving: reject_assurance is above 'mfa'",
  ],
  ...["mfa", "signed"].map((assurance): Case => [
    `a timer that approves at ${assurance}`,
    withStages({ assurance, on_breach: "auto_approve", sla_hours: 1 }),
    "auto_approve_assurance",
    "stages[0].on_breach",
    `stage 1: a timer cannot approve where assurance is '${assurance}'`,
  ]),
  [
    "a bound of reading time that is none",
    withStages({ min_view_seconds: 0 }),
    "bad_shape",
    "stages[0].min_view_seconds",
    "stages[0].min_view_seconds must be a whole number from 1 to 3600, or null",
  ],
  [
    "an http rule for observers",
    withRules(user("ada"), user("bob"), rule("http", { url: "https://example.org/" }, { kind: "observer" })),
    "not_available",
    "stages[0].rules[2].rule_type",
    "stages[0].rules[2].rule_type 'http' is not available in this version",
  ],
  [
    "an http rule",
    withRules(rule("http", { url: "https://example.org/approvers" })),
    "not_available",
    `${r0}.rule_type`,
    `${r0}.rule_type 'http' is not available in this version`,
  ],
  [
    "groups of a role",
    withRules(rule("role", { role: "risk", include_groups: true })),
    "not_available",
    `${r0}.rule_value.include_groups`,
    `${r0}.rule_value.include_groups is not available in this version`,
  ],
  ...unknownPolicyFields.map((name): Case => [
    `${name} in the policy`,
    withPolicy({ [name]: true }),
    "unknown_field",
    name,
    `unknown field '${name}'`,
  ]),
  ...unknownStageFields.map((name): Case => [
    `${name} in a stage`,
    withStages({}, { [name]: 1 }),
    "unknown_field",
    `stages[1].${name}`,
    `unknown field 'stages[1].${name}'`,
  ]),
  ...["id", "user_id", "optional", "Required"].map((name): Case => [
    `${name} in a rule`,
    withRules(user("ada", { [name]: "x" }), user("bob")),
    "unknown_field",
    `${r0}.${name}`,
    `unknown field '${r0}.${name}'`,
  ]),
  ...(
    [
      ["user", { user_id: "ada", group: "/finance" }, "group"],
      ["role", { role: "risk", clientId: "desk" }, "clientId"],
      ["group", { group: "/finance", subgroups: true }, "subgroups"],
      ["expression", { logic: { var: "boss" }, default: "ada" }, "default"],
    ] as const
  ).map(([type, value, name]): Case => [
    `${name} in the value of a ${type} rule`,
    withRules(rule(type, value), user("bob"), user("eve")),
    "unknown_field",
    `${r0}.rule_value.${name}`,
    `unknown field '${r0}.rule_value.${name}'`,
  ]),
  [
    "a field of an escalation rule",
    withStages({ on_breach: "escalate", sla_hours: 1, escalation_rules: [user("eve", { optional: true })] }),
    "unknown_field",
    "stages[0].escalation_rules[0].optional",
    "unknown field 'stages[0].escalation_rules[0].optional'",
  ],
  [
    "the same order twice",
    withStages({}, { stage_order: 1 }),
    "duplicate_stage_order",
    "stages[1].stage_order",
    "stage_order 1 is used twice",
  ],
  ["a name that is none", withPolicy({ name: 5 }), "bad_shape", "name", "name must be text of 1 to 255 characters"],
  [
    "no key",
    withPolicy({ policy_key: "" }),
    "bad_shape",
    "policy_key",
    "policy_key must be 1 to 128 letters, digits and . _ : - that start with a letter or digit",
  ],
  [
    "a mode of another system",
    withStages({ mode: "majority" }),
    "bad_shape",
    "stages[0].mode",
    "stages[0].mode must be one of all, any-n, quorum, percentage",
  ],
  [
    "a flag in words",
    withPolicy({ forbid_self_approval: "yes" }),
    "bad_shape",
    "forbid_self_approval",
    "forbid_self_approval must be true or false",
  ],
  [
    "an N of half",
    withStages({ mode_value: 0.5 }),
    "bad_shape",
    "stages[0].mode_value",
    "stages[0].mode_value must be a whole number from 1 to 9007199254740991, or null",
  ],
  [
    "a rule of no type",
    withRules(user("ada"), rule("person", { id: "x" })),
    "bad_shape",
    "stages[0].rules[1].rule_type",
    "stages[0].rules[1].rule_type must be one of user, role, group, expression, http",
  ],
  [
    "a rule of type null",
    withRules(user("ada"), { rule_type: null, rule_value: { user_id: "bob" } }),
    "bad_shape",
    "stages[0].rules[1].rule_type",
    "stages[0].rules[1].rule_type must be one of user, role, group, expression, http",
  ],
  [
    "a rule's value that is text",
    withRules(user("ada"), rule("user", "bob")),
    "bad_shape",
    "stages[0].rules[1].rule_value",
    "stages[0].rules[1].rule_value must be an object",
  ],
  [
    "a rule without a value",
    withRules({ rule_type: "user" }),
    "bad_shape",
    `${r0}.rule_value`,
    `${r0}.rule_value must be an object`,
  ],
  [
    "a stage that is text",
    withPolicy({ stages: [{ name: "s", stage_order: 1, rules: users("ada", "bob") }, "Second"] }),
    "bad_shape",
    "stages[1]",
    "stages[1] must be an object",
  ],
];

describe("engine R-POLICY-8: what could never work is refused at activation", () => {
  it.each(cases.map(asRow))("$what", ({ document, finding }) => {
    expect(errorsOf(document)).toEqual([finding]);
  });
});

describe("engine R-POLICY-8: what may be activated", () => {
  const accepted: [string, JsonObject][] = [
    ["the smallest policy", sound],
    [
      "every supported extension",
      {
        ...withStages({
          min_approvals: 2,
          abstain: "against",
          reject: "vote",
          escalations_max: 5,
          allow_delegation: false,
        }),
        ...{ request_ttl_hours: 1, admin_override: "reason", allow_handover: true, description: "d" },
      },
    ],
    [
      "extensions that ask for nothing",
      {
        ...withStages({ assurance: "session", recheck: false, reminders: [], calendar: null, approver_tree: null }),
        ...{ assurance: "session", forbidden_approvers: [], calendar: null, freeze: [], break_glass: null },
      },
    ],
    [
      "everything about proving a decision",
      {
        ...withStages({
          ...{ assurance: "signed", reject_assurance: "mfa", batch: true, min_view_seconds: 3, require_view: true },
        }),
        assurance: "mfa",
      },
    ],
    ["directory rules", withRules(role, group, rule("role", { role: "risk", client: "desk", include_groups: false }))],
    ["subgroups", withRules(rule("group", { group: "/finance", include_subgroups: true }))],
    ["an expression", withRules(rule("expression", { logic: { var: "boss" } }))],
    ["any-n of all who are named", withStages({ mode: "any-n", mode_value: 2 })],
    ["percentage 100", withStages({ mode: "percentage", mode_value: 100 })],
    ["a floor that a directory may satisfy", withStages({ min_approvals: 9, rules: [role] })],
    [
      "an N that an expression may satisfy",
      withStages({ mode: "quorum", mode_value: 9, rules: [user("ada"), rule("expression", { logic: { var: "x" } })] }),
    ],
    ["escalation", withStages({ on_breach: "escalate", sla_hours: 8, escalation_rules: [group] })],
  ];

  it.each(accepted)("%s", (_what, document) => {
    expect(checkPolicy(document, { directory })).toEqual([]);
    expect(tryCompilePolicy(document).ok).toBe(true);
  });

  it("policies R-DOC-5: a secret of an http rule is not available either", () => {
    const document = withRules(user("ada"), rule("http", { url: "https://example.org/", secret_id: "s" }));
    expect(errorsOf(document).map(({ path }) => path)).toEqual([
      "stages[0].rules[1].rule_type",
      "stages[0].rules[1].rule_value.secret_id",
    ]);
  });

  it("policies R-DOC-8: a rule that cannot be read says so once, and nothing is concluded from the rules around it", () => {
    const document = withStages({ mode: "any-n", mode_value: 2, rules: [user("ada"), rule("user", {})] });
    expect(errorsOf(document).map(({ code }) => code)).toEqual(["bad_rule_value"]);
  });

  it("policies R-DOC-7: one problem per mistake, all of them at once", () => {
    const document = withPolicy({
      surprise: 1,
      grant: { usage: 1, uses: 0 },
      freeze: [{ calendar: "office", effect: "hold" }],
      stages: [{ name: "s", stage_order: 4, rules: [], on_breach: "escalate", sla_hours: 1, skip_if: { x: 1 } }],
    });
    expect(errorsOf(document).map(({ code, path }) => `${code} ${path}`)).toEqual([
      "unknown_field surprise",
      "unknown_field grant.usage",
      "not_available freeze",
      "bad_shape grant.uses",
      "no_approver_rule stages[0].rules",
      "escalate_without_rules stages[0].escalation_rules",
      "bad_logic stages[0].skip_if",
    ]);
  });
});

describe("engine R-QUORUM-1: quorum_impossible is found exactly when the named people are too few", () => {
  const names = ["ada", "bob", "eve", "dora", "carl"];

  it("for every mode, N, floor and number of people", () => {
    const modes = fc.constantFrom("all", "any-n", "percentage");
    const modeValue = fc.option(fc.integer({ min: 1, max: 100 }));
    const people = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(
        modes,
        modeValue,
        fc.integer({ min: 1, max: 7 }),
        people,
        (mode, mode_value, min_approvals, named) => {
          const document = withStages({ mode, mode_value, min_approvals, rules: users(...named) });
          const count = new Set(named).size;
          const share = Array.from({ length: count }, (_, index) => index + 1).find(
            (approvals) => approvals * 100 >= (mode_value ?? 100) * count,
          );
          const byMode = mode === "all" ? count : mode === "any-n" ? (mode_value ?? 1) : share;
          const isImpossible = Math.max(byMode ?? count + 1, min_approvals) > count;
          expect(errorsOf(document).map(({ code }) => code)).toEqual(isImpossible ? ["quorum_impossible"] : []);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [50, 3, 2],
    [34, 3, 2],
    [33, 3, 1],
    [100, 7, 7],
    [1, 40, 1],
  ])("%i percent of %i people can be approved by one person only if that is %i", (mode_value, count, needed) => {
    const rules = users(...Array.from({ length: count }, (_, index) => `p${index}`));
    const codes = warningsOf(withStages({ mode: "percentage", mode_value, rules })).map(({ code }) => code);
    expect(codes).toEqual(needed === 1 ? ["one_person_stage"] : []);
  });
});

describe("engine R-SOD-2: self_only, where it can be proved", () => {
  const repeat = (...stages: JsonObject[]): JsonObject => ({
    ...withStages(...stages),
    forbid_repeat_approvers: true,
  });
  const selfOnly = (document: JsonObject): Finding[] => errorsOf(document).filter(({ code }) => code === "self_only");
  const ada = { rules: users("ada") };

  const excluded: [string, JsonObject, number][] = [
    ["the same single approver again", repeat(ada, ada), 1],
    ["in the same parallel group", repeat({ ...ada, parallel_group: 1 }, { ...ada, parallel_group: 1 }), 1],
    [
      "after being required among others",
      repeat({ rules: [user("ada", { required: true }), user("bob")], mode: "any-n" }, ada),
      1,
    ],
    ["after being required beside a directory", repeat({ rules: [user("ada", { required: true }), role] }, ada), 1],
    ["after an N of everybody", repeat({ mode: "any-n", mode_value: 2 }, ada), 1],
    ["after a percentage of everybody", repeat({ mode: "percentage" }, ada), 1],
    ["after all, where abstentions count against", repeat({ abstain: "against" }, ada), 1],
    ["after all, with a floor of all", repeat({ min_approvals: 2 }, ada), 1],
    ["in a third stage", repeat(ada, { rules: users("bob", "eve") }, ada), 2],
  ];
  it.each(excluded)("%s", (_what, document, index) => {
    expect(selfOnly(document)).toEqual([
      {
        code: "self_only",
        path: `stages[${index}].rules`,
        message: `stage ${index + 1}: the only named approver is always excluded`,
      },
    ]);
  });

  it("two people who both had to approve before", () => {
    expect(selfOnly(repeat({ mode: "any-n", mode_value: 2 }, {}))).toMatchObject([
      { message: "stage 2: the only named approvers are always excluded" },
    ]);
  });

  it("the order of the stages counts, not that of the document", () => {
    const document = repeat({ ...ada, stage_order: 9 }, { ...ada, stage_order: 3 });
    expect(selfOnly(document)).toMatchObject([{ path: "stages[0].rules" }]);
  });

  const possible: [string, JsonObject][] = [
    ["repeated approvals are allowed", withStages(ada, ada)],
    ["somebody else is named too", repeat(ada, { rules: users("ada", "bob") })],
    ["the first stage may be skipped", repeat({ ...ada, skip_if: { var: "small" } }, ada)],
    ["the clock may approve the first stage", repeat({ ...ada, on_breach: "auto_approve", sla_hours: 1 }, ada)],
    [
      "somebody may be added to the first stage",
      repeat({ ...ada, on_breach: "escalate", sla_hours: 1, escalation_rules: [group] }, ada),
    ],
    ["one of two is enough", repeat({ mode: "any-n" }, ada)],
    ["of all, one may abstain", repeat({}, ada)],
    ["an empty stage is passed", repeat(ada, { ...ada, on_empty: "skip" })],
    ["the second stage asks a directory", repeat(ada, { rules: [user("ada"), role] })],
    ["only observing before", repeat({ rules: [user("ada", { kind: "observer" }), user("bob")] }, ada)],
  ];
  it.each(possible)("not when %s", (_what, document) => {
    expect(selfOnly(document)).toEqual([]);
  });
});

describe("engine R-POLICY-8: warnings never stop an activation", () => {
  const warned: Case[] = [
    [
      "self-approval",
      withPolicy({ forbid_self_approval: false }),
      "self_approval_allowed",
      "forbid_self_approval",
      "requesters may approve their own requests",
    ],
    ...["notify", "auto_reject", "auto_approve"].map((on_breach): Case => [
      `${on_breach} without a time`,
      withStages({ on_breach }),
      "breach_without_sla",
      "stages[0].on_breach",
      "stage 1: on_breach has no effect without sla_hours",
    ]),
    [
      "approval by the clock",
      withStages({ on_breach: "auto_approve", sla_hours: 1 }),
      "auto_approve",
      "stages[0].on_breach",
      "stage 1 can be approved by the clock alone",
    ],
    ...[{ "==": [1, 1] }, { "!": [false] }, { or: [false, { in: ["a", "abc"] }] }, { cat: "x" }].map(
      (skip_if): Case => [
        `skip_if ${JSON.stringify(skip_if)}`,
        withStages({ skip_if }),
        "always_skipped",
        "stages[0].skip_if",
        "stage 1: skip_if is true for every context",
      ],
    ),
    ...[
      { rules: users("ada") },
      { rules: users("ada", "ada") },
      { mode: "any-n" },
      { mode: "any-n", mode_value: 1, rules: [role] },
      { mode: "percentage", mode_value: 50 },
      { mode: "any-n", rules: [user("ada", { required: true }), user("bob")] },
    ].map((stage): Case => [
      `one person suffices: ${JSON.stringify(stage)}`,
      withStages(stage),
      "one_person_stage",
      "stages[0]",
      "stage 1 can be approved by one person",
    ]),
    [
      "a parallel group that comes back",
      withStages({ parallel_group: 7 }, {}, { parallel_group: 7 }, { parallel_group: 7 }, {}, { parallel_group: 7 }),
      "parallel_group_split",
      "stages[2].parallel_group",
      "parallel_group 7 is used by stages that are not neighbours: they run as separate groups",
    ],
  ];
  it.each(warned.map(asRow))("$what", ({ document, finding }) => {
    expect(warningsOf(document)).toEqual([finding]);
    expect(hasErrors(checkPolicy(document, { directory }))).toBe(false);
  });

  const quiet: [string, JsonObject][] = [
    ["a skip_if that reads the context", withStages({ skip_if: { "<": [{ var: "amount" }, 10] } })],
    ["a skip_if that is true where something is missing", withStages({ skip_if: { "!": [{ var: "amount" }] } })],
    ["a skip_if that asks what is missing", withStages({ skip_if: { or: [{ missing: ["a"] }] } })],
    ["a skip_if that asks how much is missing", withStages({ skip_if: { merge: { missing_some: [1, ["a"]] } } })],
    ["a skip_if that is never true", withStages({ skip_if: { "==": [1, 2] } })],
    ["a skip_if that is a fault", withStages({ skip_if: { "/": [1, 0] } })],
    ["neighbours in a parallel group", withStages({ parallel_group: 1 }, { parallel_group: 1 }, { parallel_group: 2 })],
    [
      "two required people with any-n 1",
      withStages({ mode: "any-n", rules: [user("ada", { required: true }), user("bob", { required: true })] }),
    ],
    ["a floor of two", withStages({ mode: "any-n", min_approvals: 2 })],
    ["a breach with a time", withStages({ on_breach: "auto_reject", sla_hours: 1 })],
    ["all whom a directory finds", withRules(role)],
  ];
  it.each(quiet)("%s: no warning", (_what, document) => {
    expect(warningsOf(document)).toEqual([]);
  });

  it("a directory that does not answer is a warning per name, and stops nothing", () => {
    const document = withRules(role, rule("group", { group: "/nobody" }), user("ada"));
    expect(findings(document, "error", null)).toEqual([]);
    expect(findings(document, "warning", null)).toEqual([
      {
        code: "directory_unreachable",
        path: `${r0}.rule_value`,
        message: "stage 1: role 'risk' was not checked because the directory does not answer",
      },
      {
        code: "directory_unreachable",
        path: "stages[0].rules[1].rule_value",
        message: "stage 1: group '/nobody' was not checked because the directory does not answer",
      },
    ]);
  });
});

describe("engine R-POLICY-8: any document gets its list of problems", () => {
  const fieldNames = [
    ...["policy_key", "name", "artifact_type", "stages", "stage_order", "mode", "mode_value", "rules", "rule_type"],
    ...["rule_value", "user_id", "logic", "skip_if", "kind", "required", "parallel_group", "on_breach", "__proto__"],
    ...["escalation_rules", "assurance", "grant", "constructor", "min_approvals", "forbid_repeat_approvers", "x"],
  ];
  const { value: anyValue } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom<unknown>(null, true, 0, 1, 2, -1, 0.5, 1e300, "", "user", "all", "any-n", "auto_approve", "http"),
      fc.jsonValue({ maxDepth: 2 }),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...fieldNames), tie("value"), { maxKeys: 12 }),
    ),
  }));

  it("checking and compiling never throw, and what has no error compiles", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fieldNames), anyValue), (given) => {
        const document = parsed(JSON.stringify(given));
        const problems = checkPolicy(document, { directory });
        const compiled = tryCompilePolicy(document);
        expect(compiled.ok || hasErrors(problems)).toBe(true);
        for (const { code, message } of problems) expect(`${code} ${message}`).toMatch(/^[a-z_]+ \S/);
      }),
      { numRuns: 2_000 },
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
