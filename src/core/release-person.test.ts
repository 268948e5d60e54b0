import { describe, expect, it } from "vitest";
import {
  actor,
  delegation,
  HOUR,
  idOf,
  observer,
  person,
  policy,
  requires,
  role,
  Run,
  START,
  stage,
  users,
  type Scene,
} from "../../test/support/engine-world.ts";
import type { Stage } from "./policy.ts";

function running(only: Partial<Stage>, scene: Scene = {}): Run {
  return new Run(policy({ stages: [stage(only)] }), scene);
}

function leave(run: Run, name: string): Run {
  return run.give({ type: "leave", personId: idOf(name), cause: "suspended" });
}

describe("somebody leaves", () => {
  it("engine R-QUORUM-15: a seat goes to whom the rules find now, in rule order, with time of its own", () => {
    const run = running({ rules: [role("leads")], slaHours: 2 }, { members: { leads: ["ann", "bob"] } });
    run.answer("leads", ["ann", "dan", "eva"]);
    run.now += HOUR;
    leave(run, "bob");
    expect(run.taskStates()).toEqual({ ann: "open", bob: "reassigned", dan: "open" });
    expect(run.task("dan")).toMatchObject({ reassignedFrom: "bob", dueAt: START + 3 * HOUR, required: false });
    expect(run.stage().seats).toMatchObject([{ holder: idOf("ann") }, { holder: idOf("dan"), origins: [idOf("dan")] }]);
    expect(run.eventsOf("seat_freed")).toMatchObject([
      { cause: "suspended", actor: null, newTask: { assignee: "dan" } },
    ]);
    run.approve("ann").approve("dan");
    expect(run.status).toBe("approved");
  });

  it("engine R-QUORUM-13: a seat that nobody takes leaves the count, and the stage says why", () => {
    const run = running({ rules: users("ann", "bob", "cid") });
    leave(run, "bob").approve("ann");
    expect(run.stage().seats.map(({ state }) => state)).toEqual(["approved", "removed", "open"]);
    expect(run.stage().excluded).toEqual([{ user: "bob", reason: "disabled" }]);
    expect(run.approve("cid").status).toBe("approved");
  });

  it("engine R-QUORUM-12: a stage that waited for nobody else is complete, by the last vote and not by whoever left", () => {
    const run = running({ rules: users("ann", "bob") });
    leave(run.approve("ann"), "bob");
    expect(run.status).toBe("approved");
    expect(run.request.outcome).toMatchObject({ actorId: "ann" });
  });

  it("engine R-QUORUM-4: what cannot be reached any more is rejected at once", () => {
    expect(leave(running({ mode: "any-n", modeValue: 3 }), "bob").status).toBe("rejected");
    expect(leave(running({ rules: users("ann") }), "ann").status).toBe("rejected");
  });

  it("engine R-QUORUM-3: the seat of somebody required is only for somebody required", () => {
    const rules = [requires("bob"), role("leads")];
    const members = { leads: ["ann", "dan"] };
    const plain = running({ mode: "any-n", modeValue: 1, rules }, { members });
    plain.answer("leads", ["ann", "dan", "eva"]);
    expect(leave(plain, "bob").status).toBe("rejected");
    const heir = running(
      { mode: "any-n", modeValue: 1, rules: [{ ...role("chief"), required: true }] },
      { members: { chief: ["bob"] } },
    );
    heir.answer("chief", ["eva"]);
    expect(leave(heir, "bob").task("eva")).toMatchObject({ status: "open", required: true });
  });

  it("engine R-SOD-1: nobody barred takes a freed seat", () => {
    const run = new Run(policy({ forbidSelfApproval: true, stages: [stage({ rules: [role("leads")] })] }), {
      members: { leads: ["ann", "bob"] },
      by: actor("eva"),
    });
    run.answer("leads", ["ann", "eva"]);
    leave(run, "bob");
    expect(run.waitingFor()).toEqual(["ann"]);
  });

  it("engine R-RESOLVE-6: while nobody can be looked up the seat waits", () => {
    const run = running({ rules: [role("leads")] }, { members: { leads: ["ann", "bob"] } });
    run.answer("leads", new Error("the directory is down"));
    const before = run.request;
    expect(leave(run, "bob").request).toBe(before);
  });

  it("engine R-DELEG-1: when a delegate leaves the seat is its own person's again; when that one leaves too it is nobody's", () => {
    const run = running({ rules: users("ann", "bob") }, { delegations: [delegation("bob", "dan")] });
    expect(run.waitingFor()).toEqual(["ann", "dan"]);
    leave(run, "dan");
    expect(run.waitingFor()).toEqual(["ann", "bob"]);
    expect(run.task("bob").delegatorId).toBeNull();
    const away = running({ rules: users("ann", "bob") }, { delegations: [delegation("bob", "dan")] });
    leave(away, "bob");
    expect(away.taskStates()).toEqual({ ann: "open", dan: "skipped" });
  });

  it("engine R-DELEG-4: a seat that stands for two people stays with the one who is left", () => {
    const scene = { delegations: [delegation("bob", "ann")] };
    const run = running({ mode: "any-n", modeValue: 1, rules: users("ann", "bob") }, scene);
    expect(run.stage().seats).toHaveLength(1);
    leave(run, "bob");
    expect(run.waitingFor()).toEqual(["ann"]);
  });

  it("engine R-DELEG-1: whoever takes the seat may be away, and is stood in for", () => {
    const run = running(
      { rules: [role("leads")] },
      { members: { leads: ["ann", "bob"] }, delegations: [delegation("dan", "eva")] },
    );
    run.answer("leads", ["ann", "dan"]);
    leave(run, "bob");
    expect(run.task("eva")).toMatchObject({ status: "open", delegatedFrom: "dan" });
  });

  it("engine R-QUORUM-10: whoever only watched or was added by an escalation is simply not asked any more", () => {
    const rules = [...users("ann"), observer("obs")];
    const run = running({ rules, slaHours: 1, onBreach: "escalate", escalationRules: users("dan") });
    run.later(2);
    expect(run.waitingFor()).toEqual(["ann", "obs", "dan"]);
    leave(run, "dan");
    leave(run, "obs");
    expect(run.waitingFor()).toEqual(["ann"]);
  });

  it("engine R-STAGE-12: a later stage does not ask who left, although the lookup was made before", () => {
    const stages = [stage({ order: 1, rules: users("ann", "bob") }), stage({ order: 2, rules: users("bob", "cid") })];
    const run = new Run(policy({ stages }));
    leave(run.approve("ann", 1), "bob");
    expect(run.waitingFor(2)).toEqual(["cid"]);
  });

  it("identity section 1: what was decided stays, and a request that ended or never asked the person is left alone", () => {
    const run = running({ mode: "any-n", modeValue: 2 });
    run.approve("bob");
    const before = run.request;
    expect(leave(run, "bob").request).toBe(before);
    expect(leave(run, "zoe").request).toBe(before);
    const ended = running({}).cancel();
    expect(leave(ended, "ann").status).toBe("cancelled");
  });

  it("engine R-DECIDE-6: an administrator who decided here takes no seat besides", () => {
    const run = running(
      { rules: [role("leads")], mode: "any-n", modeValue: 2 },
      { members: { leads: ["ann", "bob", "cid"] } },
    );
    run.decide("approve", actor("eva", { admin: true }), { task: run.task("cid") });
    run.answer("leads", ["ann", "eva"]);
    leave(run, "bob");
    expect(run.taskStates()).toEqual({ ann: "open", bob: "skipped", cid: "completed" });
  });

  it("engine R-SOD-4: whoever takes part already does not take a second seat", () => {
    const run = running({ rules: [role("leads")] }, { members: { leads: ["ann", "bob", "cid"] } });
    run.reassign("cid", "dan");
    run.answer("leads", ["ann", "cid", "dan"]);
    leave(run, "bob");
    expect(run.waitingFor()).toEqual(["ann", "dan"]);
  });

  it("identity section 1: a locked person's own decision and claim are refused, and they are told so", () => {
    const run = running({});
    run.around.people.set("bob", person("bob", { disabled: true }));
    const before = run.request;
    run.approve("bob");
    expect([run.refusal?.refusal, run.request]).toEqual(["person_locked", before]);
    run.give({ type: "claim", taskId: run.task("bob").id, actor: actor(person("bob", { disabled: true })) });
    expect(run.refusal?.refusal).toBe("person_locked");
    expect(run.explain("bob").you).toMatchObject({ canDecide: false, reasons: [{ code: "account_locked" }] });
  });
});
