/** The write schema of the contract and the engine's own reading of policies must not drift apart. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  policyExtensionShape,
  policyShape,
  ruleShape,
  stageExtensionShape,
  stageShape,
} from "../../src/contract/policy-fields.ts";
import { policyCreateSchema, type PolicyDocument } from "../../src/contract/policy.ts";
import { checkPolicy, hasErrors } from "../../src/core/check-policy.ts";
import { compilePolicy, tryCompilePolicy } from "../../src/core/compile-policy.ts";
import { unknownIn } from "../../src/core/policy-availability.ts";

const installation = { directory: { roleExists: () => true, groupExists: () => true } };

/** Optional members: a third of the generated objects leaves each of them out. */
const some = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.record(members, { requiredKeys: [] });

/** What activation refuses must not be in nearly every document, or nothing would ever be activated. */
const rarely = (members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<object> =>
  fc.oneof({ weight: 9, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: some(members) });

const text = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength });
const logic = fc.constantFrom<unknown>({ var: "a" }, { "<": [{ var: "a" }, 1] }, { "==": [1, 1] }, { bad: 1 });

const plainRule = fc
  .constantFrom("ada", "bob", "eve")
  .map((user_id) => ({ rule_type: "user", rule_value: { user_id } }));
const oddRule = fc
  .tuple(
    fc.record({
      rule_type: fc.constantFrom("user", "role", "group", "expression", "http"),
      rule_value: some({
        user_id: fc.constantFrom<unknown>("ada", "bob", "", 5),
        role: text(5),
        group: text(5),
        logic,
        url: text(5),
        include_subgroups: fc.boolean(),
        include_groups: fc.boolean(),
      }),
    }),
    some({ kind: fc.constantFrom("approver", "observer"), required: fc.boolean(), id: fc.uuid() }),
  )
  .map(([needed, more]) => ({ ...needed, ...more }));

const anyRule = fc.oneof({ weight: 9, arbitrary: plainRule }, { weight: 1, arbitrary: oddRule });

const anyStage = fc
  .tuple(
    fc.record({ name: text(20), stage_order: fc.integer({ min: 1, max: 10_000 }) }),
    some({
      mode: fc.constantFrom("all", "ALL", "any-n", "Quorum", "percentage"),
      mode_value: fc.option(fc.integer({ min: 1, max: 3 })),
      sla_hours: fc.option(fc.integer({ min: 1, max: 87_600 })),
      skip_if: fc.option(logic),
      on_empty: fc.constantFrom("skip", "block"),
      parallel_group: fc.option(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })),
      on_breach: fc.option(fc.constantFrom("notify", "auto_approve", "auto_reject", "escalate")),
      rules: fc.array(anyRule, { minLength: 1, maxLength: 4 }),
      escalation_rules: fc.array(anyRule, { maxLength: 2 }),
      min_approvals: fc.integer({ min: 1, max: 3 }),
      abstain: fc.constantFrom("neutral", "against"),
      reject: fc.constantFrom("veto", "vote"),
      escalations_max: fc.integer({ min: 1, max: 5 }),
      allow_delegation: fc.boolean(),
    }),
    rarely({
      assurance: fc.constantFrom("session", "mfa"),
      recheck: fc.boolean(),
      surprise: fc.constantFrom<unknown>(1, null, { a: [true] }),
    }),
  )
  .map(([needed, more, rare]) => ({ ...needed, ...more, ...rare }));

const anyPolicy = fc
  .tuple(
    fc.record({
      policy_key: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,20}$/),
      name: text(20),
      artifact_type: text(20),
    }),
    some({
      description: fc.option(fc.string({ unit: "grapheme", maxLength: 20 })),
      forbid_self_approval: fc.boolean(),
      forbid_repeat_approvers: fc.boolean(),
      stages: fc.uniqueArray(anyStage, { maxLength: 4, selector: orderOf }),
      request_ttl_hours: fc.option(fc.integer({ min: 1, max: 87_600 })),
      admin_override: fc.constantFrom("allow", "reason", "off"),
      allow_handover: fc.boolean(),
      id: fc.uuid(),
      status: fc.constant("active"),
    }),
    rarely({
      grant: fc.constant({ uses: 1 }),
      assurance: fc.constantFrom("session", "signed"),
      surprise: fc.constantFrom<unknown>(1, null, { a: [true] }),
    }),
  )
  .map(([needed, more, rare]) => ({ ...needed, ...more, ...rare }));

function orderOf(stage: unknown): unknown {
  return typeof stage === "object" && stage !== null && "stage_order" in stage ? stage.stage_order : null;
}

function written(given: unknown): PolicyDocument | null {
  const result = policyCreateSchema.safeParse(JSON.parse(JSON.stringify(given)));
  return result.success ? result.data : null;
}

describe("engine R-POLICY-8: what may be written can be checked", () => {
  it("every document that is stored is readable to the engine: no bad_shape, no duplicate_stage_order", () => {
    let stored = 0;
    fc.assert(
      fc.property(anyPolicy, (given) => {
        const document = written(given);
        if (document === null) return;
        stored += 1;
        const codes = checkPolicy(document, installation).map(({ code }) => code);
        expect(codes).not.toContain("bad_shape");
        expect(codes).not.toContain("duplicate_stage_order");
      }),
      { numRuns: 1_000 },
    );
    expect(stored).toBeGreaterThan(500);
  });

  it("what activation lets through compiles, and a draft that does not compile is one that activation refuses", () => {
    let active = 0;
    fc.assert(
      fc.property(anyPolicy, (given) => {
        const document = written(given);
        if (document === null) return;
        const refused = hasErrors(checkPolicy(document, installation));
        expect(refused || tryCompilePolicy(document).ok).toBe(true);
        if (refused) return;
        active += 1;
        expect(compilePolicy(document).stages).toHaveLength(document.stages.length);
      }),
      { numRuns: 3_000 },
    );
    expect(active).toBeGreaterThan(10);
  });
});

describe("engine R-POLICY-8: both sides know the same fields", () => {
  it.each([
    ["policy", { ...policyShape, ...policyExtensionShape, stages: null }],
    ["stage", { ...stageShape, ...stageExtensionShape, rules: null, escalation_rules: null }],
    ["rule", ruleShape],
  ] as const)("no field of a %s that may be written is unknown at activation", (kind, shape) => {
    const members = Object.fromEntries(Object.keys(shape).map((name) => [name, null]));
    expect(unknownIn(members, kind)).toEqual([]);
    expect(unknownIn({ ...members, surprise: null }, kind)).toEqual(["surprise"]);
  });
});
