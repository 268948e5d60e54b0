import { describe, expect, it } from "vitest";
import {
  actor,
  admin,
  HOUR,
  machine,
  observer,
  person,
  policy,
  requires,
  Run,
  stage,
  users,
} from "../../test/support/engine-world.ts";

const all = policy({ stages: [stage({ rules: users("ann", "bob", "cid") })] });
const anyTwo = policy({ stages: [stage({ mode: "any-n", modeValue: 2 })] });
const side = (change: Parameters<typeof policy>[0]): ReturnType<typeof policy> =>
  policy({ forbidRepeatApprovers: true, ...change });

describe("one decision", () => {
  it("engine section 6: an approval fills the holder's seat and closes the task", () => {
    const run = new Run(all).decide("approve", "ann", { comment: "fine" });
    const [decision] = run.stage().decisions;
    expect(decision).toMatchObject({
      action: "approve",
      actorId: "ann",
      comment: "fine",
      digest: "sha256:payload",
      override: false,
      onBehalfOf: null,
      seatId: run.task("ann").seatId,
    });
    expect(run.taskStates()).toEqual({ ann: "completed", bob: "open", cid: "open" });
    expect(run.stage().seats.map((seat) => seat.state)).toEqual(["approved", "open", "open"]);
    expect(run.task("ann").decisionId).toBe(decision?.id);
    expect(run.types(run.latest)).toEqual(["task_decided"]);
  });

  it.each(["all", "any-n", "percentage"] as const)(
    "engine R-QUORUM-2: in mode %s one rejection ends stage and request, and closes the others' tasks",
    (mode) => {
      const run = new Run(policy({ stages: [stage({ mode }), stage({ order: 2 })] })).reject("bob", "too much");
      expect(run.status).toBe("rejected");
      expect(run.taskStates()).toEqual({ ann: "skipped", bob: "completed", cid: "skipped" });
      expect(run.request.stages.map((each) => each.state)).toEqual(["rejected", "closed"]);
      expect(run.stage().seats.map((seat) => seat.state)).toEqual(["closed", "rejected", "closed"]);
      expect(run.latest.at(-1)).toMatchObject({ type: "request_rejected", comment: "too much", actor: { id: "bob" } });
      expect(run.request.outcome).toEqual({
        reason: null,
        stageOrder: 1,
        actor: "bob",
        actorId: "bob",
        comment: "too much",
        ...{ cause: null, supersededBy: null },
      });
    },
  );

  it("engine R-QUORUM-4: where a rejection is a vote it spends the seat, until the stage cannot be approved any more", () => {
    const run = new Run(policy({ stages: [stage({ mode: "any-n", modeValue: 2, reject: "vote" })] })).reject("ann");
    expect(run.status).toBe("in_review");
    run.reject("bob");
    expect(run.status).toBe("rejected");
    expect(run.latest.at(-1)).toMatchObject({ reason: "quorum_unreachable", needed: 2, possible: 1, stageOrder: 1 });
    expect(run.stage().decisions).toHaveLength(2);
  });

  it("engine R-QUORUM-9: meeting the quorum skips the open tasks and names their holders", () => {
    const run = new Run(anyTwo).approve("ann").approve("cid");
    expect(run.status).toBe("approved");
    const [skipped] = run.eventsOf("stage_quorum_skipped");
    expect(skipped?.skipped.map((task) => task.assignee)).toEqual(["bob"]);
    expect(run.types(run.latest)).toEqual([
      "task_decided",
      "stage_quorum_skipped",
      "stage_completed",
      "request_approved",
    ]);
  });

  it("engine R-QUORUM-9: a stage that completes leaves nothing open behind, also when the request goes on", () => {
    const run = new Run(policy({ stages: [stage({ mode: "any-n" }), stage({ order: 2 })] })).approve("bob");
    expect(run.status).toBe("in_review");
    expect(run.taskStates(1)).toEqual({ ann: "skipped", bob: "completed", cid: "skipped" });
    expect(run.stage(1).seats.map((seat) => seat.state)).toEqual(["closed", "approved", "closed"]);
  });

  it("engine R-QUORUM-6: unanimity is of those who take a position, whoever abstains first, last or in between", () => {
    expect(new Run(all).abstain("ann").approve("bob").approve("cid").status).toBe("approved");
    expect(new Run(all).approve("ann").approve("bob").abstain("cid").status).toBe("approved");
    const none = new Run(all).abstain("ann").abstain("bob").abstain("cid");
    expect(none.status).toBe("rejected");
    expect(none.request.outcome?.reason).toBe("quorum_unreachable");
  });

  it("engine R-QUORUM-4: all of two with a floor of two is rejected by the first abstention", () => {
    const run = new Run(policy({ stages: [stage({ minApprovals: 2, rules: users("ann", "bob") })] })).abstain("ann");
    expect(run.status).toBe("rejected");
  });

  it("engine R-QUORUM-9: a required approver is waited for, also when the quorum is met without", () => {
    const rules = [requires("ann"), ...users("bob", "cid")];
    const run = new Run(policy({ stages: [stage({ mode: "any-n", rules })] })).approve("bob");
    expect(run.status).toBe("in_review");
    expect(run.waitingFor()).toEqual(["ann", "cid"]);
    expect(run.approve("ann").status).toBe("approved");
    expect(new Run(policy({ stages: [stage({ mode: "any-n", rules })] })).approve("ann").status).toBe("approved");
  });

  it("engine R-QUORUM-7: a required approver cannot abstain", () => {
    const run = new Run(policy({ stages: [stage({ mode: "any-n", rules: [requires("ann"), ...users("bob")] })] }));
    run.abstain("ann");
    expect(run.refusal?.message).toBe("You are a required approver: approve, reject or hand over");
    expect(run.abstain("bob").refusal).toBeNull();
  });

  it("engine R-DECIDE-7: what an observer says is stored and changes nothing else", () => {
    const run = new Run(policy({ stages: [stage({ rules: [...users("ann"), observer("obs")] })] })).reject(
      "obs",
      "no!",
    );
    expect(run.status).toBe("in_review");
    expect(run.stage().decisions).toMatchObject([{ action: "reject", seatId: null }]);
    expect(run.taskStates()).toEqual({ ann: "open", obs: "completed" });
    expect(run.approve("ann").status).toBe("approved");
  });
});

describe("who may not decide", () => {
  it("engine R-DECIDE-2: task, machine, holder, request, task state, digest: the first that fails answers", () => {
    const run = new Run(all);
    const task = run.task("ann");
    const missing = { ...task, id: run.newId<"task">() };
    const ask = (by: Parameters<Run["decide"]>[1], more: Parameters<Run["decide"]>[2]): string | undefined =>
      run.decide("approve", by, more).refusal?.refusal;
    expect(ask(machine("robot", { admin: true }), { task: missing })).toBe("task_not_found");
    expect(ask(machine("robot", { admin: true }), { task })).toBe("machine");
    expect(run.refusal?.message).toBe("Machine credentials cannot decide");
    expect(ask("bob", { task, digest: "sha256:old" })).toBe("not_assignee");
    expect(ask("ann", { task, digest: "sha256:old" })).toBe("digest_mismatch");
    expect(ask("ann", { task, digest: "sha256:payload" })).toBeUndefined();
    expect(ask("ann", { task, digest: "sha256:old" })).toBe("wrong_state");
    expect(run.refusal?.message).toBe("Task is in 'completed' state — cannot decide");
    run.cancel();
    expect(ask("bob", {})).toBe("wrong_state");
    expect(run.refusal?.message).toBe("Request is in terminal state 'cancelled' — cannot decide");
    expect(ask("ann", { task: run.task("bob") })).toBe("not_assignee");
  });

  it("engine R-DECIDE-2: with overrides off an administrator is a stranger, also to a request that has ended", () => {
    const run = new Run(all, { settings: { adminOverride: "off" } });
    expect(run.decide("approve", admin("root"), { task: run.task("ann") }).refusal?.refusal).toBe("not_assignee");
    run.cancel();
    expect(run.decide("approve", admin("root"), { task: run.task("ann") }).refusal?.refusal).toBe("not_assignee");
  });

  it("engine R-SOD-3: whoever became the requester under another name is barred at the decision", () => {
    const run = new Run(policy({ forbidSelfApproval: true, stages: [stage()] }), { requester: "Ａnn.alias" });
    const known = person("ann", { foldedNames: ["ann", "ann.alias"] });
    run.approve(actor(known));
    expect(run.refusal).toEqual({
      refusal: "separation_of_duties",
      message: "Separation of duties: the requester may not approve this request",
    });
    expect(run.stage().decisions).toEqual([]);
  });

  it("engine R-SOD-3: a person who turns out to be a machine is refused as one", () => {
    const run = new Run(all).approve(actor(person("ann", { machine: true })));
    expect(run.refusal).toMatchObject({ refusal: "machine" });
  });

  it("engine R-SOD-4: nobody decides twice in a stage, also not for somebody else", () => {
    const run = new Run(all).approve(admin("ann"));
    run.decide("approve", admin("ann"), { task: run.task("bob") });
    expect(run.refusal?.message).toBe("You have already decided in this stage");
    expect(run.stage().seats.filter((seat) => seat.state === "approved")).toHaveLength(1);
  });
});

describe("an administrator decides in somebody's stead", () => {
  it("engine R-DECIDE-6: the decision says so and names both", () => {
    const run = new Run(anyTwo);
    run.decide("approve", admin("root"), { task: run.task("ann") });
    expect(run.stage().decisions).toMatchObject([{ actorId: "root", override: true, onBehalfOf: "ann" }]);
    run.decide("approve", admin("root"), { task: run.task("bob") });
    expect(run.refusal?.refusal).toBe("quorum_conflict");
  });

  it("engine R-DECIDE-6: who holds a seat decides on that one", () => {
    const run = new Run(all);
    run.decide("approve", admin("ann"), { task: run.task("bob") });
    expect(run.refusal?.message).toBe("You hold a seat in this stage yourself: decide on your own task");
  });

  it("engine R-DECIDE-6: where a reason is needed it is asked for after everything else", () => {
    const scene = { settings: { adminOverride: "reason" } as const, requester: "root" };
    const strict = policy({ forbidSelfApproval: true, stages: [stage()] });
    const run = new Run(strict, scene);
    expect(run.decide("approve", admin("root"), { task: run.task("ann") }).refusal?.refusal).toBe(
      "separation_of_duties",
    );
    run.decide("approve", admin("boss"), { task: run.task("ann"), comment: "  " });
    expect(run.refusal).toMatchObject({ refusal: "comment_required", details: [{ path: ["body", "comment"] }] });
    expect(run.decide("approve", admin("boss"), { task: run.task("ann"), comment: "ill" }).refusal).toBeNull();
  });

  it("engine R-DECIDE-6: the policy's own setting wins over the installation's", () => {
    const run = new Run(policy({ adminOverride: "off", stages: [stage()] }));
    expect(run.decide("approve", admin("root"), { task: run.task("ann") }).refusal?.refusal).toBe("not_assignee");
  });

  it("engine R-DECIDE-6: an administrator who watched may still fill a seat", () => {
    const run = new Run(policy({ stages: [stage({ rules: [...users("ann"), observer("root")] })] }));
    run.approve(admin("root")).decide("approve", admin("root"), { task: run.task("ann") });
    expect(run.status).toBe("approved");
  });
});

describe("one person, one stage of a group", () => {
  const parallel = (first: readonly string[], second: readonly string[]): ReturnType<typeof policy> =>
    side({
      stages: [
        stage({ order: 1, mode: "any-n", parallelGroup: 1, rules: users(...first) }),
        stage({ order: 2, mode: "any-n", parallelGroup: 1, rules: users(...second) }),
      ],
    });

  it("engine R-SOD-2: whoever approves in one stage gives up the seat in the stage beside it", () => {
    const run = new Run(parallel(["ann", "bob"], ["ann", "bob"])).approve("ann", 1);
    expect(run.stage(2).seats.map((seat) => seat.state)).toEqual(["removed", "open"]);
    expect(run.taskStates(2)).toEqual({ ann: "skipped", bob: "open" });
    expect(run.approve("bob", 2).status).toBe("approved");
  });

  it("engine R-SOD-2: an administrator who approved in one stage is barred from the stage beside it", () => {
    const run = new Run(
      side({
        stages: [
          stage({ order: 1, parallelGroup: 1, rules: users("ann", "bob") }),
          stage({ order: 2, parallelGroup: 1, rules: users("cid", "dan") }),
        ],
      }),
    );
    run.decide("approve", admin("root"), { task: run.task("ann") });
    run.decide("approve", admin("root"), { task: run.task("cid") });
    expect(run.refusal?.message).toBe("Separation of duties: you have already approved another stage of this request");
  });

  it("engine R-SOD-5: an approval that would leave a sibling without approvers is refused, the other order works", () => {
    const run = new Run(parallel(["ann", "bob"], ["ann"])).approve("ann", 1);
    expect(run.refusal).toEqual({
      refusal: "quorum_conflict",
      message: "Approving here would leave stage 2 without enough approvers; decide there first",
    });
    expect(run.approve("ann", 2).refusal).toBeNull();
    expect(run.approve("bob", 1).status).toBe("approved");
  });

  it("engine R-SOD-5: also where each sibling alone would still be feasible", () => {
    const stages = [1, 2, 3].map((order) =>
      stage({
        order,
        mode: "any-n",
        parallelGroup: 1,
        rules: users(...(order === 1 ? ["ann", "bob", "cid"] : ["ann", "bob"])),
      }),
    );
    const run = new Run(side({ stages })).approve("ann", 1);
    expect(run.refusal?.refusal).toBe("quorum_conflict");
    expect(run.approve("cid", 1).approve("ann", 2).approve("bob", 3).status).toBe("approved");
  });

  it("engine R-QUORUM-4: a vote that starves the group ends the request", () => {
    const run = new Run(parallel(["ann", "bob"], ["ann", "bob"])).abstain("ann");
    expect(run.status).toBe("in_review");
    run.decide("abstain", "ann", { order: 1 });
    expect(run.stage(1).decisions.length + run.stage(2).decisions.length).toBe(2);
    expect(run.status).toBe("rejected");
    expect(run.request.outcome?.reason).toBe("quorum_unreachable");
  });

  it("engine R-SOD-2: an approval in an earlier group uses a person up for the later ones", () => {
    const run = new Run(
      side({ stages: [stage({ order: 1, rules: users("ann") }), stage({ order: 2, rules: users("ann", "bob") })] }),
    ).approve("ann");
    expect(run.waitingFor(2)).toEqual(["bob"]);
    expect(run.stage(2).excluded).toEqual([{ user: "ann", reason: "repeat_approver" }]);
  });
});

describe("people added by an escalation", () => {
  const escalating = (change: Parameters<typeof stage>[0] = {}): ReturnType<typeof policy> =>
    policy({
      stages: [
        stage({
          rules: users("ann", "bob"),
          slaHours: 1,
          onBreach: "escalate",
          escalationRules: users("eva", "fay"),
          ...change,
        }),
      ],
    });

  it("engine R-QUORUM-10: a decision by one fills an overdue seat, the holder's task is skipped", () => {
    const run = new Run(escalating()).approve("ann").later(1).approve("eva");
    expect(run.stage().decisions.at(-1)?.seatId).toBe(run.stage().seats[1]?.id);
    expect(run.taskStates()).toEqual({ ann: "completed", bob: "skipped", eva: "completed", fay: "skipped" });
    expect(run.status).toBe("approved");
  });

  it("engine R-QUORUM-10: the holder may be first instead, then nobody else is asked any more", () => {
    const run = new Run(escalating({ rules: [...users("ann", "bob"), observer("obs")] })).later(1).approve("ann");
    expect(run.waitingFor()).toEqual(["bob", "obs", "eva", "fay"]);
    run.approve("bob");
    expect(run.taskStates()).toMatchObject({ eva: "skipped", fay: "skipped" });
  });

  it("engine R-QUORUM-10: required overdue seats are filled first, then by seat order", () => {
    const rules = [...users("ann", "bob"), requires("cid")];
    const run = new Run(escalating({ rules })).later(1).approve("eva");
    expect(run.stage().seats.map((seat) => seat.state)).toEqual(["open", "open", "approved"]);
    run.approve("fay");
    expect(run.stage().seats.map((seat) => seat.state)).toEqual(["approved", "open", "approved"]);
  });

  it("engine R-QUORUM-10: an added person's abstention only ends the own task, and is that person's only vote", () => {
    const run = new Run(escalating()).later(1).abstain("eva");
    expect(run.stage().seats.map((seat) => seat.state)).toEqual(["open", "open"]);
    expect(run.taskStates()).toMatchObject({ ann: "open", eva: "completed", fay: "open" });
    run.decide("approve", admin("eva"), { task: run.task("ann") });
    expect(run.refusal?.message).toBe("You have already decided in this stage");
  });

  it("engine R-QUORUM-10: an added person's rejection is a veto", () => {
    expect(new Run(escalating()).later(1).reject("eva").status).toBe("rejected");
  });

  it("engine R-SOD-4: who fills a seat as an administrator has no second invitation left", () => {
    const run = new Run(escalating()).later(1);
    run.decide("approve", admin("eva"), { task: run.task("ann") });
    expect(run.refusal).toBeNull();
    expect(run.taskStates()).toEqual({ ann: "completed", bob: "open", eva: "skipped", fay: "open" });
  });

  it("engine R-QUORUM-10: an overdue seat that gets a new holder and a new due time is no longer anybody else's", () => {
    const run = new Run(escalating()).approve("ann").later(1).reassign("bob", "gus");
    expect(run.taskStates()).toMatchObject({ bob: "reassigned", gus: "open", eva: "skipped", fay: "skipped" });
    expect(run.task("gus").dueAt).toBe(run.now + HOUR);
  });
});
