import { describe, expect, it } from "vitest";
import { actor, admin, machine, person, policy, Run, stage, START } from "../../test/support/engine-world.ts";
import type { Actor } from "./person.ts";

const plain = policy({ stages: [stage(), stage({ order: 2 })] });
const mayCancel = (made: { readonly by?: Actor; readonly requester?: string }, by: Actor): boolean =>
  new Run(plain, made).cancel(by).refusal === null;

describe("cancelling", () => {
  it("engine R-CANCEL-1: ends a live request, closes everything and says who and why", () => {
    const run = new Run(plain).cancel(admin("root"), "wrong account");
    expect(run.status).toBe("cancelled");
    expect(run.request.stages.map((each) => each.state)).toEqual(["closed", "closed"]);
    expect(run.stage().seats.map((seat) => seat.state)).toEqual(["closed", "closed", "closed"]);
    expect(run.taskStates()).toEqual({ ann: "skipped", bob: "skipped", cid: "skipped" });
    expect(run.latest).toMatchObject([
      { type: "request_cancelled", reason: "wrong account", status: "cancelled", actor: { id: "root" } },
    ]);
    expect(run.request).toMatchObject({
      completedAt: START,
      outcome: { reason: null, comment: "wrong account", actorId: "root", stageOrder: 1 },
    });
  });

  it("engine R-CANCEL-1: the requester and the caller that made it cancel theirs, others do not", () => {
    expect(mayCancel({ requester: "req" }, actor("req"))).toBe(true);
    expect(mayCancel({ requester: "req" }, actor("Req"))).toBe(false);
    expect(mayCancel({ requester: "req" }, actor("ann"))).toBe(false);
    expect(mayCancel({ by: actor("maker"), requester: "req" }, actor("maker"))).toBe(true);
    const renamed = actor(person("maker", { assignee: "new name" }), { issuer: "https://other.test" });
    expect(mayCancel({ by: actor("maker"), requester: "req" }, renamed)).toBe(true);
  });

  it("engine R-AUTH-30: a machine is known by issuer and subject, or by its client; never by a requester's name", () => {
    const made = { by: machine("pipeline") };
    expect(mayCancel(made, machine("pipeline"))).toBe(true);
    expect(mayCancel(made, machine("pipeline", { subject: "another run" }))).toBe(true);
    expect(mayCancel(made, machine("pipeline", { subject: "another run", clientId: null }))).toBe(false);
    expect(mayCancel(made, machine("pipeline", { issuer: "https://other.test" }))).toBe(false);
    expect(mayCancel({ by: machine("pipeline"), requester: "robot" }, machine("robot"))).toBe(false);
    const colleague = actor("ann", { clientId: machine("pipeline").clientId });
    expect(mayCancel(made, colleague)).toBe(false);
  });

  it("deploy R-STATE-1: a gate cancels by rules of its own and says why; what took its place is named", () => {
    const run = new Run(plain);
    const { id } = new Run(plain).request;
    const gate = { cause: "superseded", supersededBy: id } as const;
    run.give({ type: "cancel", actor: actor("stranger"), reason: null, gate });
    expect(run.refusal).toBeNull();
    expect(run.latest).toMatchObject([{ type: "request_cancelled", reason: null, ...gate }]);
    expect(run.request).toMatchObject({ status: "cancelled", outcome: { reason: null, comment: null, ...gate } });
    const plainly = new Run(plain).cancel(admin("root"), "wrong account");
    expect(plainly.request.outcome).toMatchObject({ cause: null, supersededBy: null });
  });

  it("engine R-CANCEL-1: who may not is told so, whatever state the request is in; an ended one is not cancelled again", () => {
    const run = new Run(plain).cancel();
    expect(run.cancel(actor("ann")).refusal).toEqual({ refusal: "forbidden", message: "Role `AWE_ADMIN` required" });
    expect(run.cancel().refusal?.message).toBe("Request is in terminal state 'cancelled' — cannot cancel");
  });
});
