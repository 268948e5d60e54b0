import { describe, expect, it } from "vitest";
import {
  actor,
  delegation,
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
import { isOverdue } from "./explain.ts";

const codes = (run: Run, by: Parameters<Run["explain"]>[0]): readonly string[] =>
  run.explain(by).you.reasons.map((reason) => reason.code);

const two = policy({
  forbidSelfApproval: true,
  stages: [
    stage({ order: 1, mode: "any-n", modeValue: 2, rules: [requires("ann"), ...users("bob", "cid")], slaHours: 2 }),
    stage({ order: 2, rules: users("dan") }),
  ],
});

describe("where a request stands", () => {
  it("engine R-EXPLAIN-1: each stage with its count, who is waited for and who is missing", () => {
    const { stages, summary, next } = new Run(two).approve("bob").explain("bob");
    expect(stages[0]).toMatchObject({
      group: 1,
      needed: 2,
      approved: 1,
      remaining: 1,
      feasible: true,
      requiredMissing: ["ann"],
    });
    expect(stages[0]?.waitingFor.map((task) => task.assignee)).toEqual(["ann", "cid"]);
    expect(stages[0]?.seats.map((seat) => [seat.task.assignee, seat.state])).toEqual([
      ["ann", "open"],
      ["bob", "approved"],
      ["cid", "open"],
    ]);
    expect(stages[1]).toMatchObject({ group: 2, needed: null, remaining: null, waitingFor: [] });
    expect(summary).toBe("Waiting: stage 1 (Stage 1) needs 1 more of ann, cid, among them ann.");
    expect(next).toEqual({ kind: "decision", who: ["ann", "cid"], at: START + 2 * HOUR });
  });

  it("engine R-QUORUM-9: a required approver is missing also when the number is reached", () => {
    expect(new Run(two).approve("bob").approve("cid").explain("bob").summary).toContain(
      "needs 1 more of ann, among them ann",
    );
  });

  it("engine R-EXPLAIN-1: a seat shows its present holder, and whether that one is late", () => {
    const run = new Run(two).later(1).reassign("bob", "gus").later(1);
    const [ann, gus] = run.explain("ann").stages[0]?.seats ?? [];
    expect(ann).toMatchObject({ task: { assignee: "ann" }, overdue: true, required: true });
    expect(gus?.task.assignee).toBe("gus");
    expect(isOverdue(run.task("bob", 1), run.now)).toBe(false);
  });

  it("engine R-EXPLAIN-1: a failed lookup and an end are told too", () => {
    const run = new Run(policy({ stages: [stage({ rules: [role("down")] })] }), {
      members: { down: new Error("no answer") },
    });
    const { summary, next } = run.explain("ann");
    expect(summary).toBe("Approvers of stage 1 could not be looked up: no answer.");
    expect(next).toEqual({ kind: "timer", at: run.request.resolution?.nextAttemptAt });
    const ended = run.cancel().explain("ann");
    expect(ended).toMatchObject({ summary: "The request is cancelled.", next: { kind: "nothing" } });
  });

  it("engine R-QUORUM-2: a rejected stage is not feasible any more", () => {
    expect(
      new Run(two)
        .reject("bob")
        .explain("bob")
        .stages.map((view) => view.feasible),
    ).toEqual([false, true]);
  });
});

describe("what the asker may do", () => {
  it("engine R-EXPLAIN-3: the own task and exactly the actions that would be accepted", () => {
    const run = new Run(two);
    expect(run.explain("bob").you).toEqual({
      canDecide: true,
      taskId: run.task("bob").id,
      actions: ["approve", "reject", "abstain"],
      reasons: [],
    });
    expect(run.explain("ann").you.actions).toEqual(["approve", "reject"]);
  });

  it("engine R-EXPLAIN-3: of several own tasks, the first that can be decided", () => {
    const stages = [
      stage({ order: 1, parallelGroup: 1, rules: users("ann", "bob") }),
      stage({ order: 2, parallelGroup: 1, rules: users("ann", "bob") }),
    ];
    const run = new Run(policy({ stages }));
    expect(run.explain("ann").you.taskId).toBe(run.task("ann", 1).id);
    run.approve("ann", 1);
    expect(run.explain("ann").you.taskId).toBe(run.task("ann", 2).id);
  });

  it("engine R-EXPLAIN-2: every reason that applies is named", () => {
    const run = new Run(two, { requester: "req", delegations: [delegation("cid", "dep")] });
    expect(codes(run, "out")).toEqual(["stage_waiting", "not_a_candidate"]);
    expect(codes(run, "req")).toEqual(["stage_waiting", "not_a_candidate", "requester"]);
    expect(codes(run, "cid")).toEqual(["delegated_away", "stage_waiting"]);
    expect(codes(run, machine("robot"))).toEqual(["machine", "stage_waiting", "not_a_candidate"]);
    run.approve("bob");
    expect(codes(run, "bob")).toEqual(["task_closed", "already_decided"]);
    run.approve("ann");
    expect(codes(run, "bob")).toEqual(["task_closed"]);
    run.approve("dan");
    expect(codes(run, "out")).toEqual(["request_ended", "not_a_candidate"]);
    expect(codes(run, "dan")).toEqual(["request_ended", "task_closed"]);
  });

  it("engine R-EXPLAIN-2: an approval in another stage is named, in an earlier group and beside this one", () => {
    const repeat = policy({
      forbidRepeatApprovers: true,
      stages: [
        stage({ order: 1, rules: users("ann") }),
        stage({ order: 2, parallelGroup: 1, rules: users("bob", "cid") }),
        stage({ order: 3, parallelGroup: 1, rules: users("cid", "dan") }),
      ],
    });
    const run = new Run(repeat).approve("ann").approve("cid", 2);
    expect(codes(run, "ann")).toContain("repeat_approver");
    expect(codes(run, "cid")).toEqual(["task_closed", "already_decided", "repeat_approver"]);
  });

  it("engine R-EXPLAIN-3: a holder who turned out to be the requester cannot decide and is told why", () => {
    const run = new Run(two, { requester: "alias" });
    const you = run.explain(actor(person("bob", { foldedNames: ["bob", "alias"] }))).you;
    expect(you).toMatchObject({ canDecide: false, taskId: run.task("bob").id, reasons: [{ code: "requester" }] });
  });

  it("engine R-EXPLAIN-3: a timer that is due counts, although nobody fired it yet", () => {
    const run = new Run(two, { expiresInHours: 1 });
    const before = run.request;
    run.now += HOUR;
    expect(run.explain("bob")).toMatchObject({ summary: "The request is expired.", you: { canDecide: false } });
    expect(codes(run, "bob")).toContain("request_ended");
    expect(run.request).toBe(before);
  });

  it("engine R-EXPLAIN-3: a task that a timer is only about to make cannot be decided yet", () => {
    const stages = [
      stage({ rules: users("ann"), slaHours: 1, onBreach: "auto_approve" }),
      stage({ order: 2, rules: [...users("bob"), observer("obs")] }),
    ];
    const run = new Run(policy({ stages }));
    run.now += HOUR;
    expect(run.explain("bob").you).toMatchObject({ canDecide: false, taskId: null });
    expect(run.explain("ann")).toMatchObject({ you: { canDecide: false, reasons: [{ code: "task_closed" }] } });
    expect(run.explain("ann").stages.map((view) => view.run.state)).toEqual(["open", "waiting"]);
    run.give({ type: "tick" });
    expect(run.explain("bob").you.canDecide).toBe(true);
    expect(run.explain("obs").you.actions).toEqual(["approve", "reject", "abstain"]);
  });
});
