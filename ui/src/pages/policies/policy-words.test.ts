import { describe, expect, it } from "vitest";

import type { PolicyStage, Rule } from "../../api/policies.ts";
import { stageGroups, stageSentence, stagesLine, timeSentence } from "./policy-words.ts";

function user(name: string, required = false): Rule {
  return { rule_type: "user", rule_value: { user_id: name }, kind: "approver", required };
}

function stage(order: number, members: Partial<PolicyStage> = {}): PolicyStage {
  return {
    name: `S${String(order)}`,
    stage_order: order,
    mode: "all",
    mode_value: null,
    sla_hours: null,
    skip_if: null,
    on_empty: "block",
    parallel_group: null,
    on_breach: null,
    escalation_rules: [],
    rules: [user("ana")],
    approver_tree: null,
    assurance: null,
    ...members,
  };
}

describe("a policy in words", () => {
  it("engine R-STAGE-10: only neighbours with the same number stand in one group", () => {
    const stages = [
      stage(4, { parallel_group: 1 }),
      stage(1, { parallel_group: 1 }),
      stage(2, { parallel_group: 1 }),
      stage(3),
      stage(5),
    ];
    expect(stageGroups({ stages }).map((group) => group.map((each) => each.stage_order))).toEqual([
      [1, 2],
      [3],
      [4],
      [5],
    ]);
    expect(stagesLine({ stages })).toBe("S1 + S2 → S3 → S4 → S5");
  });

  it.each([
    [stage(1), "All of ana"],
    [stage(1, { mode: "any-n", mode_value: null, rules: [user("ana"), user("ben")] }), "One of ana or ben"],
    [
      stage(1, { mode: "Quorum", mode_value: 2, rules: [user("ana"), user("ben"), user("dora", true)] }),
      "Any 2 of ana, ben, or dora; dora must sign",
    ],
    [
      stage(1, {
        mode: "percentage",
        mode_value: 60,
        rules: [{ rule_type: "role", rule_value: { role: "risk", client: "desk" }, kind: "approver", required: false }],
      }),
      "60 % of the role risk (desk)",
    ],
    [stage(1, { rules: [{ ...user("ana"), kind: "observer" }] }), "Nobody can approve this stage yet"],
    [
      stage(1, {
        rules: [],
        approver_tree: {
          all_of: [
            { name: "Finance", approvals: 2, rules: [] },
            {
              any_of: [
                { name: "Risk", approvals: 1, rules: [] },
                { name: "Board", approvals: "all", rules: [] },
              ],
            },
          ],
        },
      }),
      "2 of Finance and (1 of Risk or all of Board)",
    ],
  ])("console section 2: a stage says who must sign", (each, sentence) => {
    expect(stageSentence(each)).toBe(sentence);
  });

  it("console section 2: the due time says what happens then", () => {
    expect(timeSentence(stage(1))).toBeNull();
    expect(timeSentence(stage(1, { sla_hours: 72, on_breach: "auto_reject" }))).toBe(
      "3 days, then the clock rejects it",
    );
    expect(timeSentence(stage(1, { sla_hours: 1, on_breach: "escalate", escalation_rules: [user("dora")] }))).toBe(
      "1 hour, then more people are asked: dora",
    );
  });
});
