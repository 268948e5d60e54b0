import { describe, expect, it } from "vitest";
import { z } from "zod";
import { canonicalBytesOf } from "./policy-json.ts";
import {
  policyBytesMax,
  policyCreateSchema,
  policyOutSchema,
  policyWriteFaults,
  simulateRequestSchema,
  simulateResponseSchema,
} from "./policy.ts";

const user = { rule_type: "user", rule_value: { user_id: "ada" } };
const stage = { name: "First", stage_order: 1, rules: [user] };
const policy = { policy_key: "payout.v1", name: "Payout", artifact_type: "payout.batch", stages: [stage] };

const withPolicy = (members: object): object => ({ ...policy, ...members });
const withStage = (members: object): object => ({ ...policy, stages: [{ ...stage, ...members }] });
const withRule = (members: object): object => withStage({ rules: [{ ...user, ...members }] });
const without = (members: object, name: string): object =>
  Object.fromEntries(Object.entries(members).filter(([member]) => member !== name));

function faultsOf(document: unknown): { code: string; path: string; message: string }[] {
  const result = policyCreateSchema.safeParse(document);
  return result.success ? [] : policyWriteFaults(result.error);
}

function stored(document: unknown): z.output<typeof policyCreateSchema> {
  return policyCreateSchema.parse(document);
}

describe("engine R-POLICY-8: what is stored", () => {
  it("policies R-DOC-1: AWE's own fields are always present, with their defaults; no extension is added", () => {
    const { policy_key, name, artifact_type } = policy;
    expect(stored({ policy_key, name, artifact_type })).toEqual({
      ...{ policy_key, name, artifact_type, description: null },
      ...{ forbid_self_approval: false, forbid_repeat_approvers: false, stages: [] },
    });
    expect(stored(withPolicy({ stages: [{ name: "s", stage_order: 3 }] })).stages).toEqual([
      {
        ...{ name: "s", stage_order: 3, mode: "all", mode_value: null, sla_hours: null, skip_if: null },
        ...{ on_empty: "block", parallel_group: null, on_breach: null, escalation_rules: [], rules: [] },
      },
    ]);
    expect(stored(policy).stages[0]?.rules).toEqual([{ ...user, kind: "approver", required: false }]);
  });

  it("policies R-DOC-1: a document that was stored is stored again byte for byte", () => {
    const once = stored(withPolicy({ request_ttl_hours: 72, description: "d", surprise: { a: [1] } }));
    expect(JSON.stringify(stored(once))).toBe(JSON.stringify(once));
  });

  it("extensions are kept as they were given", () => {
    const extensions = {
      ...{ request_ttl_hours: 72, admin_override: "off", allow_handover: true, assurance: "mfa", calendar: null },
      ...{ forbidden_approvers: ["author"], context_schema: { type: "object" }, grant: { uses: 1, ttl_minutes: null } },
      changes: { allowed: true, watched: ["amount"] },
      decision_reasons: { reject: "required", codes: { reject: ["R1"] } },
      freeze: [
        { name: "Year end", starts_at: "2026-12-20T00:00:00Z", ends_at: "2027-01-05T00:00:00Z", effect: "hold" },
        { calendar: "office", effect: "refuse" },
      ],
      break_glass: { rules: [{ ...user, kind: "approver", required: false }], review_policy: "review" },
    };
    const stageExtensions = {
      ...{ min_approvals: 2, abstain: "against", reject: "vote", escalations_max: 2, allow_delegation: false },
      ...{ approver_tree: { any_of: [] }, reminders: [24, 1], recheck: true, assurance: "signed", calendar: "office" },
    };
    const document = stored({ ...withPolicy(extensions), stages: [{ ...stage, ...stageExtensions }] });
    expect(document).toMatchObject(extensions);
    expect(document.stages[0]).toMatchObject(stageExtensions);
  });

  it("policies R-DOC-4: unknown fields are kept at every level, for activation to report by name", () => {
    const document = stored({
      ...policy,
      forbid_self_aproval: true,
      stages: [{ ...stage, quorum: 2, rules: [{ ...user, note: "n", rule_value: { user_id: "ada", x: null } }] }],
    });
    expect(document).toMatchObject({
      forbid_self_aproval: true,
      stages: [{ quorum: 2, rules: [{ note: "n", rule_value: { user_id: "ada", x: null } }] }],
    });
  });

  it("policies R-DOC-1: an exported PolicyOut is accepted, and its read-only members are dropped", () => {
    const exported = {
      ...{ ...policy, id: "1", version: 3, status: "active", created_by: "root", created_at: "x", updated_at: "y" },
      ...{ digest: "d", updated_by: null, activated_at: null, problems: [] },
      stages: [{ ...stage, id: "2", rules: [{ ...user, id: "3" }], escalation_rules: [{ ...user, id: "esc-2-0" }] }],
    };
    expect(stored(exported)).toEqual(stored(withStage({ escalation_rules: [user] })));
  });

  it.each([
    ["ALL", "all"],
    ["Any-N", "any-n"],
    ["QUORUM", "quorum"],
    ["Percentage", "percentage"],
  ])("mode %s is stored as %s", (given, kept) => {
    expect(stored(withStage({ mode: given })).stages[0]?.mode).toBe(kept);
  });

  it("policies R-DOC-3: limits count characters, not UTF-16 units", () => {
    expect(faultsOf(withPolicy({ name: "😀".repeat(255) }))).toEqual([]);
    expect(faultsOf(withPolicy({ name: "😀".repeat(256) }))).toMatchObject([{ path: "name" }]);
    const deep = { d: "d".repeat(65_528) };
    expect(faultsOf(withPolicy({ context_schema: deep }))).toEqual([]);
  });

  it("every bound is inclusive", () => {
    const edges = [
      ...[1, 10_000].map((stage_order) => withStage({ stage_order })),
      ...[1, 87_600].map((sla_hours) => withStage({ sla_hours })),
      ...[-2147483648, 0, 2147483647].map((parallel_group) => withStage({ parallel_group })),
      ...[1, 100].map((min_approvals) => withStage({ min_approvals })),
      ...[1, 5].map((escalations_max) => withStage({ escalations_max })),
      ...[1, 87_600].map((request_ttl_hours) => withPolicy({ request_ttl_hours })),
      ...["a", "A0._:-", "x".repeat(128)].map((policy_key) => withPolicy({ policy_key })),
      withPolicy({ name: "n".repeat(255), description: "d".repeat(1024), artifact_type: "t".repeat(128) }),
      withPolicy({ description: "" }),
      withStage({ mode_value: 9007199254740991 }),
      withPolicy({ stages: Array.from({ length: 50 }, (_, index) => ({ ...stage, stage_order: index + 1 })) }),
      withStage({ rules: Array.from({ length: 50 }, () => user), escalation_rules: [user] }),
      withPolicy({ numbers: [2 ** 53, -(2 ** 53), 0.1] }),
    ];
    expect(edges.flatMap(faultsOf)).toEqual([]);
  });
});

const longList = <Item>(length: number, item: Item): Item[] => Array.from({ length }, () => item);
const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner) => ({ inner }), null);
const parsed = (text: string): unknown => JSON.parse(text);

/** Document, path of the fault; all of them `bad_shape`. */
const misshapen: [string, unknown, string][] = [
  ...[null, [], "policy", 5, true].map((document): [string, unknown, string] => [
    `the document is ${JSON.stringify(document)}`,
    document,
    "",
  ]),
  ...["policy_key", "name", "artifact_type"].flatMap((name): [string, unknown, string][] => [
    [`no ${name}`, without(policy, name), name],
    [`${name} null`, withPolicy({ [name]: null }), name],
    [`${name} number`, withPolicy({ [name]: 5 }), name],
    [`${name} empty`, withPolicy({ [name]: "" }), name],
    [`${name} too long`, withPolicy({ [name]: "x".repeat(256) }), name],
    [`${name} with NUL`, withPolicy({ [name]: "a\u0000" }), name],
    [`${name} with a lone surrogate`, withPolicy({ [name]: "a\ud800" }), name],
  ]),
  ["description too long", withPolicy({ description: "d".repeat(1025) }), "description"],
  ["description false", withPolicy({ description: false }), "description"],
  ...["forbid_self_approval", "forbid_repeat_approvers", "allow_handover"].flatMap((name) =>
    [null, 1, "true", {}].map((value): [string, unknown, string] => [
      `${name} ${JSON.stringify(value)}`,
      withPolicy({ [name]: value }),
      name,
    ]),
  ),
  ["stages null", withPolicy({ stages: null }), "stages"],
  ["stages object", withPolicy({ stages: {} }), "stages"],
  ["51 stages", withPolicy({ stages: longList(51, stage).map((s, i) => ({ ...s, stage_order: i + 1 })) }), "stages"],
  ["stage null", withPolicy({ stages: [null] }), "stages[0]"],
  ["stage list", withPolicy({ stages: [stage, []] }), "stages[1]"],
  ...[0, -1, 10_001, 1.5, "1", null, true].map((value): [string, unknown, string] => [
    `stage_order ${JSON.stringify(value)}`,
    withStage({ stage_order: value }),
    "stages[0].stage_order",
  ]),
  ["no stage_order", withPolicy({ stages: [without(stage, "stage_order")] }), "stages[0].stage_order"],
  ["no stage name", withPolicy({ stages: [without(stage, "name")] }), "stages[0].name"],
  ["stage name empty", withStage({ name: "" }), "stages[0].name"],
  ["stage name too long", withStage({ name: "n".repeat(256) }), "stages[0].name"],
  ...["", "any_n", "majority", null, 1, ["all"]].map((value): [string, unknown, string] => [
    `mode ${JSON.stringify(value)}`,
    withStage({ mode: value }),
    "stages[0].mode",
  ]),
  ...[0, -1, 1.5, "2", 2 ** 53].map((value): [string, unknown, string] => [
    `mode_value ${JSON.stringify(value)}`,
    withStage({ mode_value: value }),
    "stages[0].mode_value",
  ]),
  ...[0, 87_601, 0.5, "8"].map((value): [string, unknown, string] => [
    `sla_hours ${JSON.stringify(value)}`,
    withStage({ sla_hours: value }),
    "stages[0].sla_hours",
  ]),
  ...[true, "x", [], 1].map((value): [string, unknown, string] => [
    `skip_if ${JSON.stringify(value)}`,
    withStage({ skip_if: value }),
    "stages[0].skip_if",
  ]),
  ...["Skip", "", null, 1].map((value): [string, unknown, string] => [
    `on_empty ${JSON.stringify(value)}`,
    withStage({ on_empty: value }),
    "stages[0].on_empty",
  ]),
  ...[2147483648, -2147483649, 0.5, "1"].map((value): [string, unknown, string] => [
    `parallel_group ${JSON.stringify(value)}`,
    withStage({ parallel_group: value }),
    "stages[0].parallel_group",
  ]),
  ...["approve", "Notify", 1].map((value): [string, unknown, string] => [
    `on_breach ${JSON.stringify(value)}`,
    withStage({ on_breach: value }),
    "stages[0].on_breach",
  ]),
  ...["rules", "escalation_rules"].flatMap((name): [string, unknown, string][] => [
    [`${name} null`, withStage({ [name]: null }), `stages[0].${name}`],
    [`${name} object`, withStage({ [name]: {} }), `stages[0].${name}`],
    [`51 ${name}`, withStage({ [name]: longList(51, user) }), `stages[0].${name}`],
    [`${name} of null`, withStage({ [name]: [null] }), `stages[0].${name}[0]`],
    [`${name} without type`, withStage({ [name]: [without(user, "rule_type")] }), `stages[0].${name}[0].rule_type`],
    [`${name} without value`, withStage({ [name]: [without(user, "rule_value")] }), `stages[0].${name}[0].rule_value`],
  ]),
  ...["User", "users", null, 1].map((value): [string, unknown, string] => [
    `rule_type ${JSON.stringify(value)}`,
    withRule({ rule_type: value }),
    "stages[0].rules[0].rule_type",
  ]),
  ...[null, [], "ada", 1].map((value): [string, unknown, string] => [
    `rule_value ${JSON.stringify(value)}`,
    withRule({ rule_value: value }),
    "stages[0].rules[0].rule_value",
  ]),
  ["kind unknown", withRule({ kind: "watcher" }), "stages[0].rules[0].kind"],
  ["required text", withRule({ required: "yes" }), "stages[0].rules[0].required"],
  ["min_approvals 0", withStage({ min_approvals: 0 }), "stages[0].min_approvals"],
  ["min_approvals 101", withStage({ min_approvals: 101 }), "stages[0].min_approvals"],
  ["min_approvals null", withStage({ min_approvals: null }), "stages[0].min_approvals"],
  ["abstain unknown", withStage({ abstain: "for" }), "stages[0].abstain"],
  ["reject unknown", withStage({ reject: "soft" }), "stages[0].reject"],
  ["stage assurance unknown", withStage({ assurance: "password" }), "stages[0].assurance"],
  ["approver_tree list", withStage({ approver_tree: [] }), "stages[0].approver_tree"],
  ["reminder 0", withStage({ reminders: [0] }), "stages[0].reminders[0]"],
  ["11 reminders", withStage({ reminders: longList(11, 1) }), "stages[0].reminders"],
  ["escalations_max 6", withStage({ escalations_max: 6 }), "stages[0].escalations_max"],
  ["recheck 1", withStage({ recheck: 1 }), "stages[0].recheck"],
  ["allow_delegation null", withStage({ allow_delegation: null }), "stages[0].allow_delegation"],
  ["stage calendar empty", withStage({ calendar: "" }), "stages[0].calendar"],
  ["request_ttl_hours 0", withPolicy({ request_ttl_hours: 0 }), "request_ttl_hours"],
  ["request_ttl_hours 87601", withPolicy({ request_ttl_hours: 87_601 }), "request_ttl_hours"],
  ["admin_override unknown", withPolicy({ admin_override: "yes" }), "admin_override"],
  ["assurance unknown", withPolicy({ assurance: "MFA" }), "assurance"],
  ["21 forbidden_approvers", withPolicy({ forbidden_approvers: longList(21, "a") }), "forbidden_approvers"],
  ["forbidden_approvers empty path", withPolicy({ forbidden_approvers: [""] }), "forbidden_approvers[0]"],
  ["context_schema true", withPolicy({ context_schema: true }), "context_schema"],
  ["context_schema over 64 KiB", withPolicy({ context_schema: { d: "x".repeat(65_536) } }), "context_schema"],
  ["grant for no time", withPolicy({ grant: { ttl_minutes: 0 } }), "grant.ttl_minutes"],
  ["grant for no use", withPolicy({ grant: { uses: 0 } }), "grant.uses"],
  ["changes carry_over", withPolicy({ changes: { carry_over: "all" } }), "changes.carry_over"],
  ["changes revisions", withPolicy({ changes: { max_revisions: 101 } }), "changes.max_revisions"],
  ["reasons word", withPolicy({ decision_reasons: { approve: "maybe" } }), "decision_reasons.approve"],
  ["reasons length", withPolicy({ decision_reasons: { min_length: 501 } }), "decision_reasons.min_length"],
  ["reason code", withPolicy({ decision_reasons: { codes: { reject: [""] } } }), "decision_reasons.codes.reject[0]"],
  ["freeze effect", withPolicy({ freeze: [{ calendar: "c", effect: "stop" }] }), "freeze[0]"],
  [
    "break_glass people",
    withPolicy({ break_glass: { rules: [], review_policy: "r", people: 6 } }),
    "break_glass.people",
  ],
  ["break_glass without review", withPolicy({ break_glass: { rules: [] } }), "break_glass.review_policy"],
  ["NUL deep inside", withRule({ rule_value: { user_id: "a\u0000" } }), "stages[0].rules[0].rule_value.user_id"],
  ["surrogate in an unknown field", withPolicy({ x: [{ y: "\udc00" }] }), "x[0].y"],
  ["NUL in a member name", withPolicy({ x: { "a\u0000": 1 } }), "x"],
  ["number over 2^53", withPolicy({ x: 2 ** 53 + 2 }), "x"],
  ["infinite number", parsed(`{"policy_key": "a", "x": [1e999]}`), "x[0]"],
  ["33 levels", withPolicy({ x: nested(33) }), `x${".inner".repeat(31)}`],
  ["100,000 levels", withPolicy({ x: nested(100_000) }), `x${".inner".repeat(31)}`],
  ["a million values", withPolicy({ x: longList(1_000_000, 0) }), ""],
  ["undefined", undefined, ""],
  ["over 10,000 values", withPolicy({ x: longList(10_000, 0) }), ""],
  ["__proto__ in the document", parsed('{"__proto__": {"forbid_self_approval": true}}'), ""],
  ["__proto__ in a stage", withPolicy({ stages: [parsed('{"__proto__": 1}')] }), "stages[0]"],
  ["__proto__ in a rule value", withRule({ rule_value: parsed('{"__proto__": 1}') }), "stages[0].rules[0].rule_value"],
];

describe("engine R-POLICY-8: what can never be stored is refused at write", () => {
  it.each(misshapen)("policies R-DOC-2, R-DOC-3: bad_shape: %s", (_what, document, path) => {
    const faults = faultsOf(document);
    expect(faults.map(({ code }) => code)).toContain("bad_shape");
    expect(faults.map((fault) => fault.path)).toContain(path);
    for (const { message } of faults) expect(message).toMatch(/\S/);
  });

  it.each(["-a", ".a", "_a", "a b", "a/b", "ä", "a\n", "a\u200b", "😀"])("bad_policy_key: %j", (policy_key) => {
    expect(faultsOf(withPolicy({ policy_key }))).toEqual([
      {
        code: "bad_policy_key",
        path: "policy_key",
        message: "policy_key may contain letters, digits and . _ : - and must start with a letter or digit",
      },
    ]);
  });

  it("duplicate_stage_order: once per order, at the second use", () => {
    const stages = [4, 7, 4, 4, 7, 9].map((stage_order) => ({ ...stage, stage_order }));
    expect(faultsOf(withPolicy({ stages }))).toEqual([
      { code: "duplicate_stage_order", path: "stages[2].stage_order", message: "stage_order 4 is used twice" },
      { code: "duplicate_stage_order", path: "stages[4].stage_order", message: "stage_order 7 is used twice" },
    ]);
  });

  it("too_large: 262,144 bytes of canonical JSON pass, one more does not, in any script", () => {
    for (const filler of ["x", "é", "漢", "😀", "\n"]) {
      const sizeOf = (count: number): number =>
        canonicalBytesOf(stored(withPolicy({ filler: filler.repeat(count), rest: "" })));
      const each = sizeOf(2) - sizeOf(1);
      expect(each).toBe(Buffer.byteLength(JSON.stringify(filler)) - 2);
      const count = Math.floor((policyBytesMax - sizeOf(0)) / each);
      const rest = "x".repeat(policyBytesMax - sizeOf(0) - count * each);
      expect(faultsOf(withPolicy({ filler: filler.repeat(count), rest }))).toEqual([]);
      expect(faultsOf(withPolicy({ filler: filler.repeat(count), rest: `${rest}x` }))).toEqual([
        { code: "too_large", path: "", message: "policy is larger than 256 KiB" },
      ]);
    }
  });

  it("one fault per mistake, all of them at once", () => {
    const faults = faultsOf({ policy_key: "-", name: "", artifact_type: 5, stages: [{}] });
    expect(faults.map(({ path }) => path)).toEqual([
      ...["policy_key", "name", "artifact_type", "stages[0].name", "stages[0].stage_order"],
    ]);
  });
});

describe("engine R-POLICY-8: what is answered", () => {
  const out = {
    ...stored(policy),
    ...{ id: "0b8e2c9e-2f1a-4a59-9d7a-0a7a5f6f0c11", version: 1, status: "draft", digest: "ab", created_by: "root" },
    ...{
      managed: false,
      updated_by: null,
      created_at: "2026-11-20T08:54:40.257123Z",
      updated_at: "2026-11-20T08:54:40.257123Z",
    },
    activated_at: null,
    problems: [{ code: "no_stages", severity: "error", path: "stages", message: "a policy needs at least one stage" }],
    stages: [
      {
        ...stored(policy).stages[0],
        id: "9a0a4f0e-5f4e-4a8e-8f3b-6f1f8f4a2f10",
        rules: [{ ...user, kind: "approver", required: false, id: "r-1" }],
      },
    ],
  };

  it("PolicyOut carries the document, its unknown fields and the server's additions, both ways through the schema", () => {
    const answered = { ...out, surprise: 1 };
    expect(z.encode(policyOutSchema, policyOutSchema.parse(answered))).toEqual(answered);
    expect(stored(answered)).toEqual(stored(withPolicy({ surprise: 1 })));
  });

  it("every schema has an OpenAPI form", () => {
    for (const io of ["input", "output"] as const) {
      for (const schema of [policyCreateSchema, policyOutSchema, simulateRequestSchema, simulateResponseSchema]) {
        expect(z.toJSONSchema(schema, { io, unrepresentable: "any" })).toHaveProperty("$schema");
      }
    }
    const body = z.toJSONSchema(policyCreateSchema, { io: "input", unrepresentable: "any" });
    expect(body).toMatchObject({ type: "object", required: ["policy_key", "name", "artifact_type"] });
  });
});

describe("engine R-SIM-2: what may be simulated", () => {
  it("an empty body asks for an empty context", () => {
    expect(simulateRequestSchema.parse({ unknown: 1 })).toEqual({ context: {} });
  });

  it("names, time and earlier approvals are taken as given", () => {
    const request = {
      context: { a: 1 },
      requester: "bob",
      at: "2026-11-20T08:54:40+01:00",
      approved_by: { "1": ["ada"] },
    };
    expect(simulateRequestSchema.parse(request)).toEqual(request);
  });

  it.each([
    [{ context: [] }, "context"],
    [{ context: { a: "\u0000" } }, "context.a"],
    [{ requester: "" }, "requester"],
    [{ requester: "x".repeat(129) }, "requester"],
    [{ at: "yesterday" }, "at"],
    [{ at: "2026-02-30T00:00:00Z" }, "at"],
    [{ approved_by: { "0": ["ada"] } }, "approved_by.0"],
    [{ approved_by: { "1": "ada" } }, "approved_by.1"],
    [{ approved_by: { "1": [""] } }, "approved_by.1.0"],
    [null, ""],
    [[], ""],
  ])("%j is refused at %j", (request, path) => {
    const result = simulateRequestSchema.safeParse(request);
    expect(result.error?.issues.map((issue) => issue.path.join("."))).toEqual([path]);
  });
});
