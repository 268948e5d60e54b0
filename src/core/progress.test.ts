import { describe, expect, it } from "vitest";
import {
  delegation,
  expression,
  HOUR,
  machine,
  observer,
  person,
  policy,
  requires,
  role,
  Run,
  stage,
  START,
  users,
} from "../../test/support/engine-world.ts";

const skipped = { "==": [1, 1] };
const down = new Error("the directory is down");

describe("groups of stages", () => {
  const three = (groups: readonly (number | null)[]): ReturnType<typeof policy> =>
    policy({
      stages: groups.map((parallelGroup, index) =>
        stage({ order: index + 1, parallelGroup, rules: users(["ann", "bob", "cid"][index] ?? "dan") }),
      ),
    });

  it("engine R-STAGE-10: neighbours with the same number run together, either order completes, the next starts once", () => {
    for (const order of [
      ["ann", "bob"],
      ["bob", "ann"],
    ] as const) {
      const run = new Run(three([1, 1, 2]));
      expect(run.request.stages.map((each) => each.state)).toEqual(["open", "open", "waiting"]);
      run.approve(order[0]).approve(order[1]);
      expect(run.request.stages.map((each) => each.state)).toEqual(["approved", "approved", "open"]);
      expect(run.eventsOf("stage_started").map((event) => event.stageOrder)).toEqual([1, 2, 3]);
    }
  });

  it("engine R-STAGE-10: a number that comes back later is a new group", () => {
    const run = new Run(three([1, null, 1]));
    expect(run.request.stages.map((each) => each.state)).toEqual(["open", "waiting", "waiting"]);
    expect(run.approve("ann").approve("bob").approve("cid").status).toBe("approved");
  });

  it("engine R-STAGE-5: the current stage is the lowest open one", () => {
    const run = new Run(three([1, 1, 2]));
    expect(run.request.currentStageOrder).toBe(1);
    expect(run.approve("ann").request.currentStageOrder).toBe(2);
    expect(run.approve("bob").request.currentStageOrder).toBe(3);
    expect(run.approve("cid").request.currentStageOrder).toBe(3);
  });

  it("engine R-STAGE-11: if one stage of a group is blocked none of them starts", () => {
    const run = new Run(
      policy({
        stages: [
          stage({ order: 1, parallelGroup: 1 }),
          stage({ order: 2, parallelGroup: 1, rules: [role("nobody")] }),
          stage({ order: 3 }),
        ],
      }),
      { members: { nobody: [] } },
    );
    expect(run.status).toBe("rejected");
    expect(run.request.stages.flatMap((each) => each.tasks)).toEqual([]);
    expect(run.request.stages.map((each) => each.state)).toEqual(["closed", "closed", "closed"]);
    expect(run.types()).toEqual(["request_created", "request_rejected"]);
    expect(run.request.outcome).toMatchObject({ reason: "no_approvers_resolved", stageOrder: 2, actor: null });
  });

  it("engine R-STAGE-11: stages that would starve each other do not start under forbid_repeat_approvers", () => {
    const run = new Run(
      policy({
        forbidRepeatApprovers: true,
        stages: [1, 2].map((order) => stage({ order, parallelGroup: 1, rules: users("ann") })),
      }),
    );
    expect(run.status).toBe("rejected");
    expect(run.request.outcome).toMatchObject({ reason: "quorum_unreachable", stageOrder: 1 });
  });
});

describe("stages that are skipped or cannot start", () => {
  it("engine R-STAGE-14: a skipped stage is passed over, and says why", () => {
    const run = new Run(
      policy({ stages: [stage({ order: 1, skipIf: skipped }), stage({ order: 2, rules: users("bob") })] }),
    );
    expect(run.types()).toEqual(["request_created", "stage_skipped", "stage_started"]);
    expect(run.eventsOf("stage_skipped")).toMatchObject([{ reason: "skip_if", stageOrder: 1, status: "pending" }]);
    expect(run.stage(1)).toMatchObject({ state: "skipped", skipReason: "skip_if", completedAt: START });
  });

  it("engine R-STAGE-16: a request whose every stage is skipped is approved and says so", () => {
    const run = new Run(policy({ stages: [stage({ skipIf: skipped }), stage({ order: 2, skipIf: skipped })] }));
    expect(run.types()).toEqual(["request_created", "stage_skipped", "stage_skipped", "request_approved"]);
    expect(run.request.outcome).toMatchObject({ reason: "all_stages_skipped", actor: null });
    expect(run.status).toBe("approved");
  });

  it("engine R-STAGE-16: else it is approved by the person who decided last", () => {
    const run = new Run(policy({ stages: [stage({ rules: users("ann") }), stage({ order: 2, skipIf: skipped })] }));
    run.approve("ann");
    expect(run.latest.at(-1)).toMatchObject({ type: "request_approved", reason: null, actor: { id: "ann" } });
  });

  it("engine R-STAGE-16: also when a lookup finds the last stage empty later on", () => {
    const run = new Run(
      policy({ stages: [stage({ rules: users("ann") }), stage({ order: 2, rules: [role("late")], onEmpty: "skip" })] }),
      { members: { late: down } },
    );
    run.approve("ann");
    expect(run.stage(2).state).toBe("resolving");
    run.answer("late", []).later(1);
    expect(run.status).toBe("approved");
    expect(run.latest.at(-1)).toMatchObject({ reason: null, actor: { id: "ann", name: "ann" } });
  });

  it("engine R-STAGE-12: nobody eligible passes the stage or rejects the request, as the stage says", () => {
    const empty = (onEmpty: "skip" | "block"): Run =>
      new Run(policy({ stages: [stage({ rules: [role("nobody"), observer("obs")], onEmpty }), stage({ order: 2 })] }), {
        members: { nobody: [] },
      });
    expect(empty("skip").eventsOf("stage_skipped")).toMatchObject([{ reason: "no_approvers" }]);
    expect(empty("skip").status).toBe("in_review");
    expect(empty("block").status).toBe("rejected");
  });

  it("engine R-STAGE-13: a stage that could never be approved rejects the request, with no task made", () => {
    const run = new Run(
      policy({
        forbidSelfApproval: true,
        stages: [stage({ mode: "any-n", modeValue: 2, rules: users("ann", "bob") })],
      }),
      { requester: "ann" },
    );
    expect(run.status).toBe("rejected");
    expect(run.latest.at(-1)).toMatchObject({ reason: "quorum_unreachable", needed: 2, possible: 1, stageOrder: 1 });
    expect(run.stage().tasks).toEqual([]);
  });

  it("engine R-STAGE-12: whoever completed the stage before is not the one who rejected", () => {
    const run = new Run(
      policy({ stages: [stage({ rules: users("ann") }), stage({ order: 2, rules: [role("nobody")] })] }),
      { members: { nobody: [] } },
    ).approve("ann");
    expect(run.latest.at(-1)).toMatchObject({ type: "request_rejected", actor: null, stageOrder: 2 });
    expect(run.stage(1).state).toBe("approved");
  });

  it("engine R-RULE-7: a skip_if that cannot be evaluated does not skip, and the start says so", () => {
    const run = new Run(policy({ stages: [stage({ skipIf: { "no such operator": [] } })] }));
    expect(run.status).toBe("in_review");
    expect(run.eventsOf("stage_started")[0]?.skipIfError).toContain("unknown operator");
  });

  it("engine R-RULE-7: a condition that does not hold leaves no trace", () => {
    const run = new Run(policy({ stages: [stage({ skipIf: { "==": [1, 2] } })] }));
    expect(run.eventsOf("stage_started")[0]?.skipIfError).toBeNull();
  });
});

describe("the start of a stage", () => {
  it("engine section 8: it names approvers, observers and required ones, sorted, and how many are needed", () => {
    const rules = [...users("cid"), requires("ann"), observer("zoe"), observer("obs")];
    const run = new Run(policy({ stages: [stage({ rules, slaHours: 8 })] }));
    expect(run.eventsOf("stage_started")).toMatchObject([
      {
        approvers: ["ann", "cid"],
        observers: ["obs", "zoe"],
        requiredApprovers: ["ann"],
        needed: 2,
        status: "in_review",
        stage: { dueAt: START + 8 * HOUR, startedAt: START, state: "open" },
      },
    ]);
  });

  it("engine R-TASK-2: approvers have a due time, observers have none", () => {
    const run = new Run(policy({ stages: [stage({ rules: [...users("ann"), observer("obs")], slaHours: 8 })] }));
    expect(run.task("ann").dueAt).toBe(START + 8 * HOUR);
    expect(run.task("obs")).toMatchObject({ dueAt: null, kind: "observer", seatId: null });
  });

  it("engine R-EVENT-2: whatever precedes the first stage_started is told as pending", () => {
    const run = new Run(policy({ stages: [stage({ rules: users("ann"), allowDelegation: false })] }), {
      delegations: [delegation("ann", "dep")],
    });
    expect(run.events.map(({ type, status }) => [type, status])).toEqual([
      ["request_created", "pending"],
      ["stage_started", "in_review"],
      ["delegation_skipped", "in_review"],
    ]);
  });

  it("engine R-RULE-1: an observer to whom a seat is delegated is an approver only", () => {
    const run = new Run(policy({ stages: [stage({ rules: [...users("ann", "bob"), observer("obs")] })] }), {
      delegations: [delegation("ann", "obs")],
    });
    expect(run.stage().tasks.map((task) => [task.assignee, task.kind])).toEqual([
      ["obs", "approver"],
      ["bob", "approver"],
    ]);
  });

  it("engine R-AUTH-7: machines are dropped from the candidates", () => {
    const run = new Run(policy({ stages: [stage({ rules: [...users("ann"), ...users("service-account-x")] })] }), {
      people: [person("service-account-x")],
    });
    expect(run.waitingFor()).toEqual(["ann"]);
    expect(run.stage().excluded).toEqual([{ user: "service-account-x", reason: "machine" }]);
  });
});

describe("lookups that fail", () => {
  const needing = policy({ stages: [stage({ rules: [role("finance")] }), stage({ order: 2, rules: [role("risk")] })] });

  it("engine R-RESOLVE-6: a failed lookup is never taken for nobody, also where an empty stage would be skipped", () => {
    const run = new Run(policy({ stages: [stage({ rules: [role("finance")], onEmpty: "skip" })] }), {
      members: { finance: down },
    });
    expect(run.status).toBe("pending");
    expect(run.stage().state).toBe("resolving");
  });

  it("engine R-RESOLVE-6: nor is a lookup that was not made, or a name that was not looked up", () => {
    const run = new Run(needing);
    expect(run.request.resolution).toMatchObject({ rule: "role finance", lastError: "the directory was not asked" });
  });

  it("engine R-RESOLVE-6: a rule that cannot be evaluated is a failure too", () => {
    const run = new Run(policy({ stages: [stage({ rules: [expression({ nonsense: 1 })], onEmpty: "skip" })] }));
    expect(run.request.resolution).toMatchObject({ rule: "expression", attempt: 1 });
  });

  it("engine R-RESOLVE-7: the request is pending, later stages leave it in review, retries wait 1, 5, 15, 60, 300, 300 s", () => {
    const run = new Run(needing, { members: { finance: down, risk: down } });
    expect(run.types()).toEqual(["request_created", "resolution_failed"]);
    const waits = [1, 5, 15, 60, 300, 300, 300].map((seconds) => {
      const at = run.request.resolution?.nextAttemptAt ?? 0;
      const wait = at - run.now;
      run.now = at - 1;
      run.give({ type: "tick" });
      expect(run.request.resolution?.nextAttemptAt).toBe(at);
      run.now = at;
      run.give({ type: "tick" });
      expect(wait).toBeGreaterThanOrEqual(seconds * 800);
      expect(wait).toBeLessThanOrEqual(seconds * 1_200);
      return wait;
    });
    expect(waits).toHaveLength(7);
    expect(run.request.resolution?.attempt).toBe(8);
    expect(run.status).toBe("pending");
    run.answer("finance", ["ann"]).later(1);
    expect(run.status).toBe("in_review");
    run.approve("ann");
    expect(run.status).toBe("in_review");
    expect(run.stage(2).state).toBe("resolving");
    expect(run.request.resolution?.attempt).toBe(1);
  });

  it("engine R-RESOLVE-7: it is told on the first failure and whenever the error changes", () => {
    const run = new Run(needing, { members: { finance: down } }).later(1).later(1);
    expect(run.eventsOf("resolution_failed")).toHaveLength(1);
    run.answer("finance", new Error("no such role")).later(1).later(1);
    expect(run.eventsOf("resolution_failed").map((event) => event.error)).toEqual([
      "the directory is down",
      "no such role",
    ]);
  });

  it("engine R-RESOLVE-7: retries slow down also when the stages of a group fail in turn", () => {
    const group = policy({
      stages: [
        stage({ order: 1, parallelGroup: 1, rules: [role("finance")] }),
        stage({ order: 2, parallelGroup: 1, rules: [role("risk")] }),
      ],
    });
    const run = new Run(group, { members: { finance: down, risk: ["bob"] } });
    run.answer("finance", ["ann"]).answer("risk", down).later(1);
    expect(run.request.resolution).toMatchObject({ attempt: 2, stageOrder: 2 });
  });

  it("engine R-RESOLVE-8: a request whose lookup fails can be cancelled and expires", () => {
    expect(new Run(needing).cancel().status).toBe("cancelled");
    const run = new Run(needing, { expiresInHours: 5, by: machine("pipeline") }).later(5);
    expect(run.status).toBe("expired");
    expect(run.request.resolution).toBeNull();
    expect(run.stage().state).toBe("closed");
  });
});
