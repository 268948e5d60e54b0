import { describe, expect, it } from "vitest";
import { admin, HOUR, machine, policy, role, Run, stage, START, users } from "../../test/support/engine-world.ts";

const twoStages = policy({
  stages: [stage({ order: 1, rules: users("ann") }), stage({ order: 2, rules: users("bob") })],
});

describe("the life of a request", () => {
  it("engine R-STAGE-14: two stages approved one after the other approve the request, with events in the order of section 4", () => {
    const run = new Run(twoStages);
    expect(run.status).toBe("in_review");
    expect(run.request.currentStageOrder).toBe(1);
    run.approve("ann");
    expect(run.request.currentStageOrder).toBe(2);
    run.approve("bob");
    expect(run.status).toBe("approved");
    expect(run.types()).toEqual([
      "request_created",
      "stage_started",
      "task_decided",
      "stage_completed",
      "stage_started",
      "task_decided",
      "stage_completed",
      "request_approved",
    ]);
    expect(run.events.map((event) => event.sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("engine R-EVENT-2: the status told is pending before the first stage starts, in_review from there, final at the end", () => {
    const run = new Run(twoStages).approve("ann").approve("bob");
    expect(run.events.map((event) => event.status)).toEqual([
      "pending",
      "in_review",
      "in_review",
      "in_review",
      "in_review",
      "in_review",
      "in_review",
      "approved",
    ]);
  });

  it("engine R-EVENT-2: a stage that is rejected tells the final status before the terminal event does", () => {
    const run = new Run(twoStages).reject("ann", "no");
    expect(run.latest.map(({ type, status }) => [type, status])).toEqual([
      ["task_decided", "in_review"],
      ["stage_completed", "rejected"],
      ["request_rejected", "rejected"],
    ]);
  });

  it("engine R-STAGE-1: timers that are due are applied before the command, so a decision at the expiry is too late", () => {
    const run = new Run(twoStages, { expiresInHours: 2 });
    run.now = START + 2 * HOUR;
    run.approve("ann");
    expect(run.refusal).toEqual({
      refusal: "wrong_state",
      message: "Request is in terminal state 'expired' — cannot decide",
    });
    expect(run.types(run.latest)).toEqual(["request_expired"]);
    expect(run.status).toBe("expired");
    expect(run.taskStates()).toEqual({ ann: "expired" });
  });

  it("engine R-STAGE-1: one millisecond before the expiry a decision still counts", () => {
    const run = new Run(twoStages, { expiresInHours: 2 });
    run.now = START + 2 * HOUR - 1;
    expect(run.approve("ann").refusal).toBeNull();
  });

  it("engine R-STAGE-3: after the terminal event nothing changes any more", () => {
    const run = new Run(twoStages).cancel();
    const ended = run.request;
    run.approve("ann");
    expect(run.refusal?.refusal).toBe("wrong_state");
    run.later(9_000).cancel();
    expect(run.refusal?.message).toBe("Request is in terminal state 'cancelled' — cannot cancel");
    expect(run.request).toBe(ended);
    expect(ended.completedAt).toBe(START);
  });

  it("engine R-STAGE-2: a refused command changes nothing", () => {
    const run = new Run(twoStages);
    const before = run.request;
    run.decide("approve", "bob", { task: run.task("ann") });
    expect(run.refusal).toEqual({ refusal: "not_assignee", message: "Task is not assigned to you" });
    expect(run.request).toBe(before);
    expect(run.latest).toEqual([]);
  });

  it("engine R-RESOLVE-8: an administrator has a failed lookup tried again now", () => {
    const run = new Run(policy({ stages: [stage({ rules: [role("finance")] })] }), {
      members: { finance: new Error("the directory is down") },
    });
    expect(run.status).toBe("pending");
    run.answer("finance", ["ann"]).give({ type: "resolve", actor: admin("root") });
    expect(run.refusal).toBeNull();
    expect(run.status).toBe("in_review");
    expect(run.request.resolution).toBeNull();
  });

  it("engine R-RESOLVE-8: only administrators, only live requests, only where a lookup waits", () => {
    const run = new Run(twoStages);
    expect(run.give({ type: "resolve", actor: machine("pipeline") }).refusal?.refusal).toBe("forbidden");
    expect(run.give({ type: "resolve", actor: admin("root") }).refusal?.message).toContain("nothing to resolve");
    run.cancel().give({ type: "resolve", actor: admin("root") });
    expect(run.refusal?.message).toBe("Request is in terminal state 'cancelled' — cannot resolve");
  });
});
