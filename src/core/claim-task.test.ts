import { describe, expect, it } from "vitest";
import { actor, admin, machine, policy, Run, stage, START } from "../../test/support/engine-world.ts";
import type { Actor } from "./person.ts";

const claim = (run: Run, by: Actor, type: "claim" | "release" = "claim"): Run =>
  run.give({ type, taskId: run.task("ann").id, actor: by });

describe("a claim is a marker", () => {
  it("engine R-TASK-1: it excludes nobody and deciding needs none", () => {
    const run = claim(new Run(policy({ stages: [stage({ mode: "any-n" })] })), actor("ann"));
    expect(run.task("ann")).toMatchObject({ status: "claimed", claimedAt: START });
    expect(run.latest).toMatchObject([{ type: "task_claimed", actor: { id: "ann" } }]);
    expect(run.approve("bob").status).toBe("approved");
    expect(run.task("ann").status).toBe("skipped");
  });

  it("engine section 7: a claimed task is decided like an open one, and released back to open", () => {
    const run = claim(new Run(policy({ stages: [stage()] })), actor("ann"));
    claim(run, admin("root"), "release");
    expect(run.task("ann")).toMatchObject({ status: "open", claimedAt: null });
    expect(run.types(run.latest)).toEqual(["task_released"]);
    expect(claim(run, admin("root")).task("ann").status).toBe("claimed");
    expect(run.approve("ann").task("ann").status).toBe("completed");
  });

  it("engine section 7: what cannot be claimed or released says so and stays", () => {
    const run = new Run(policy({ stages: [stage()] }));
    expect(claim(run, actor("ann"), "release").refusal?.message).toBe("Task is in 'open' state — cannot release");
    expect(claim(run, actor("bob")).refusal?.refusal).toBe("not_assignee");
    expect(claim(run, actor("bob"), "release").refusal?.refusal).toBe("not_assignee");
    expect(claim(run, machine("robot", { admin: true })).refusal?.refusal).toBe("machine");
    claim(run, actor("ann"));
    expect(claim(run, actor("ann")).refusal?.message).toBe("Task is in 'claimed' state — cannot claim");
    run.approve("ann");
    expect(claim(run, actor("ann")).refusal?.message).toBe("Task is in 'completed' state — cannot claim");
  });
});
