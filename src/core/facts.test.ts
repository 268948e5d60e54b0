import { describe, expect, it } from "vitest";
import { expression, group, HOUR, policy, role, Run, stage, START, users } from "../../test/support/engine-world.ts";
import { expressionData, factsNeeded, factsNeededLater, lookupKey, NOTHING_NEEDED } from "./facts.ts";

describe("what must be looked up", () => {
  it("engine R-RESOLVE-1: every name and every lookup the rules may ask for, each once", () => {
    const rules = [...users("ann", "bob"), role("finance"), role("finance"), group("/leads")];
    const broken = expression({ nonsense: 1 });
    const found = factsNeeded(
      [stage({ rules }), stage({ rules: [...users("ann"), expression({ var: "owners" }), broken] })],
      { owners: ["cid", "ann"] },
    );
    expect(found.names).toEqual(["ann", "bob", "cid"]);
    expect(found.lookups.map(lookupKey)).toEqual(['["role",null,"finance"]', '["group","/leads",false]']);
    expect(factsNeeded([], {})).toEqual(NOTHING_NEEDED);
  });

  it("engine R-RESOLVE-2: later on only what stages to come need, and escalations that are due", () => {
    const pinned = policy({
      stages: [
        stage({ order: 1, rules: users("ann"), slaHours: 1, onBreach: "escalate", escalationRules: users("eva") }),
        stage({ order: 2, rules: users("bob"), slaHours: 1, onBreach: "escalate", escalationRules: users("fay") }),
      ],
    });
    const run = new Run(pinned);
    const names = (now: number): readonly string[] => factsNeededLater(pinned, run.request, now).names;
    expect(names(START + HOUR - 1)).toEqual(["bob"]);
    expect(names(START + HOUR)).toEqual(["eva", "bob"]);
    run.approve("ann");
    expect(names(START + HOUR)).toEqual(["fay"]);
    run.approve("bob");
    expect(names(START + 9 * HOUR)).toEqual([]);
  });

  it("engine R-RULE-8: expressions see the context, and $request over it", () => {
    const run = new Run(policy({ stages: [stage()] }), {
      requester: "req",
      context: { amount: 5, $request: "forged" },
    });
    expect(expressionData(run.request)).toEqual({
      amount: 5,
      $request: {
        requester: "req",
        source_service: "subject of pipeline",
        artifact_type: "payout.batch",
        artifact_id: "batch-7",
        policy_key: "payout",
        revision: 1,
      },
    });
  });
});
