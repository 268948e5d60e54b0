import { describe, expect, it } from "vitest";
import {
  actor,
  admin,
  delegation,
  HOUR,
  idOf,
  machine,
  observer,
  person,
  policy,
  requires,
  Run,
  stage,
  START,
  users,
} from "../../test/support/engine-world.ts";

const two = policy({ stages: [stage({ rules: users("ann", "bob"), slaHours: 2 })] });

describe("a seat gets another holder", () => {
  it("engine R-REASSIGN-2: the old task is reassigned, a new one with a new id carries the same seat on", () => {
    const run = new Run(policy({ stages: [stage({ rules: [requires("ann"), ...users("bob")], slaHours: 2 })] }));
    const before = run.task("ann");
    const seat = run.stage().seats[0];
    run.later(1).reassign("ann", "cid");
    expect(run.taskStates()).toEqual({ ann: "reassigned", bob: "open", cid: "open" });
    expect(run.task("cid")).toMatchObject({
      seatId: before.seatId,
      required: true,
      kind: "approver",
      reassignedFrom: "ann",
      dueAt: before.dueAt,
      createdAt: run.now,
    });
    expect(run.task("cid").id).not.toBe(before.id);
    expect(run.stage().seats[0]).toEqual({ ...seat, holder: idOf("cid") });
    expect(run.latest).toMatchObject([
      { type: "task_reassigned", actor: { id: "root" }, task: { assignee: "ann" }, newTask: { assignee: "cid" } },
    ]);
    expect(run.approve("cid").approve("bob").status).toBe("approved");
  });

  it("engine R-REASSIGN-2: a due time that has passed is counted anew from now", () => {
    const run = new Run(two).later(3).reassign("ann", "cid");
    expect(run.task("cid")).toMatchObject({ dueAt: START + 5 * HOUR, overdueAt: null });
    expect(run.later(2).types(run.latest)).toEqual(["task_expired"]);
  });

  it("engine R-REASSIGN-2: a task without due time stays without, a delegated one belongs to the target alone", () => {
    const run = new Run(policy({ stages: [stage({ rules: users("ann", "bob") })] }), {
      delegations: [delegation("ann", "dep"), delegation("cid", "far")],
    }).reassign("dep", "cid");
    expect(run.task("cid")).toMatchObject({
      dueAt: null,
      delegatedFrom: null,
      delegatorId: null,
      reassignedFrom: "dep",
    });
  });

  it("engine R-QUORUM-7: a required holder who cannot decide is replaced, and the new holder's approval completes", () => {
    const run = new Run(policy({ stages: [stage({ mode: "any-n", rules: [requires("ann"), ...users("bob")] })] }));
    expect(run.approve("bob").reassign("ann", "cid").approve("cid").status).toBe("approved");
  });

  it("engine R-REASSIGN-1: an observer's task moves too, to whoever may not approve as well", () => {
    const watched = policy({
      forbidSelfApproval: true,
      stages: [stage({ rules: [...users("ann"), observer("obs")] })],
    });
    const run = new Run(watched, { requester: "req" }).reassign("obs", "req");
    expect(run.refusal).toBeNull();
    expect(run.task("req")).toMatchObject({ kind: "observer", seatId: null });
  });
});

describe("refused reassignments change nothing", () => {
  const strict = policy({
    forbidSelfApproval: true,
    stages: [stage({ rules: [...users("ann", "bob"), observer("obs")] })],
  });
  const refused = (to: string, by = admin("root")): string | undefined => {
    const run = new Run(strict, {
      requester: "req",
      people: [person("gone", { disabled: true }), person("robot", { machine: true }), person("service-account-x")],
    });
    const before = run.request;
    run.reassign("ann", to, by);
    expect(run.request).toBe(before);
    expect(run.latest).toEqual([]);
    return run.refusal?.message;
  };

  it.each([
    ["ann", "new_assignee equals the current assignee"],
    ["bob", "bob already takes part in this stage"],
    ["obs", "obs already takes part in this stage"],
    ["req", "Separation of duties: the requester may not approve this request"],
    ["robot", "robot is a machine: machines do not approve"],
    ["service-account-x", "service-account-x is a machine: machines do not approve"],
    ["gone", "gone is disabled"],
  ])("engine R-REASSIGN-1: to %s", (to, message) => {
    expect(refused(to)).toBe(message);
  });

  it("engine R-REASSIGN-1: only administrators, and the holder where the policy allows a handover", () => {
    expect(refused("cid", actor("bob"))).toBe("Role `AWE_ADMIN` required");
    expect(refused("cid", actor("ann"))).toBe("Role `AWE_ADMIN` required");
    expect(refused("cid", machine("pipeline"))).toBe("Role `AWE_ADMIN` required");
    const run = new Run({ ...two, allowHandover: true }).reassign("ann", "cid", actor("ann"));
    expect(run.refusal).toBeNull();
    expect(run.reassign("bob", "dan", actor("ann")).refusal?.refusal).toBe("forbidden");
  });

  it("engine R-REASSIGN-1: whoever has had a seat in the stage does not get another one", () => {
    const run = new Run(two).reassign("ann", "cid").reassign("bob", "ann");
    expect(run.refusal?.message).toBe("ann already takes part in this stage");
    const decided = new Run(two);
    decided.decide("approve", admin("root"), { task: decided.task("ann") }).reassign("bob", "root", admin("other"));
    expect(decided.refusal?.message).toBe("root already takes part in this stage");
  });

  it("engine section 7: a closed task, an ended request and an unknown task say so", () => {
    const run = new Run(two).approve("ann").reassign("ann", "cid");
    expect(run.refusal?.message).toBe("Task is in 'completed' state — cannot reassign");
    expect(run.cancel().reassign("bob", "cid").refusal?.message).toContain(
      "terminal state 'cancelled' — cannot reassign",
    );
    const command = {
      type: "reassign",
      newTaskId: run.newId<"task">(),
      actor: admin("root"),
      newAssignee: "cid",
    } as const;
    run.give({ ...command, taskId: run.newId<"task">(), reason: null });
    expect(run.refusal?.refusal).toBe("task_not_found");
  });

  it("engine R-SOD-3: a target who approved an earlier stage is barred under forbid_repeat_approvers", () => {
    const stages = [stage({ rules: users("ann") }), stage({ order: 2, rules: users("bob", "cid") })];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages })).approve("ann").reassign("bob", "ann");
    expect(run.refusal?.message).toContain("Separation of duties: you have already approved another stage");
  });

  it("engine R-STAGE-4: nobody is taken away whom a stage beside this one needs", () => {
    const stages = [
      stage({ order: 1, parallelGroup: 1, rules: users("ann") }),
      stage({ order: 2, parallelGroup: 1, rules: users("bob") }),
    ];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages })).reassign("ann", "bob");
    expect(run.refusal?.message).toBe("bob is needed in another stage that runs beside this one");
    expect(run.reassign("ann", "cid").refusal).toBeNull();
  });
});
