import { describe, expect, it } from "vitest";
import {
  actor,
  delegation,
  idOf,
  machine,
  observer,
  person,
  policy,
  requires,
  role,
  Run,
  stage,
  users,
  type Scene,
} from "../../test/support/engine-world.ts";
import { asOnePerson } from "./merge-people.ts";
import type { Policy, Stage } from "./policy.ts";

const SEQ = 41;

function running(only: Partial<Stage>, scene: Scene = {}, more: Partial<Omit<Policy, "stages">> = {}): Run {
  return new Run(policy({ ...more, stages: [stage(only)] }), scene);
}

/** `from` turns out to be `into`, who goes by both names. */
function merge(run: Run, from: string, into: string): Run {
  const one = person(into, { foldedNames: [from, into] });
  return run.give({ type: "merge", from: idOf(from), into: one, recordedAt: () => SEQ });
}

describe("two people turn out to be one", () => {
  it("identity R-ID-7: of two votes in one live stage the later is void, its seat leaves the count", () => {
    const run = running({ rules: users("ann", "bob", "cid", "dan"), mode: "any-n", modeValue: 3 });
    run.approve("bob");
    run.now += 1;
    run.approve("ann");
    merge(run, "ann", "bob");
    expect(run.stage().seats.map(({ state }) => state)).toEqual(["removed", "approved", "open", "open"]);
    expect(run.stage().decisions).toMatchObject([
      { personId: idOf("bob"), voidedAt: null },
      { personId: idOf("ann"), voidedAt: run.now, seatId: null },
    ]);
    expect(run.types(run.latest)).toEqual(["person_merged", "decision_voided"]);
    expect(run.eventsOf("decision_voided")).toMatchObject([{ recordedAt: SEQ, cause: "merged" }]);
    expect(run.approve("cid").approve("dan").status).toBe("approved");
  });

  it("identity R-ID-7: of two votes of one instant the one recorded later is void", () => {
    const run = running({ rules: users("ann", "bob", "cid", "dan"), mode: "any-n", modeValue: 3 });
    run.approve("ann").approve("bob");
    merge(run, "ann", "bob");
    expect(run.stage().decisions.map(({ actorId, voidedAt }) => [actorId, voidedAt !== null])).toEqual([
      ["ann", false],
      ["bob", true],
    ]);
    const other = running({ rules: users("ann", "bob", "cid", "dan"), mode: "any-n", modeValue: 3 });
    other.approve("bob").approve("ann");
    merge(other, "ann", "bob");
    expect(other.stage().decisions.map(({ actorId, voidedAt }) => [actorId, voidedAt !== null])).toEqual([
      ["bob", false],
      ["ann", true],
    ]);
  });

  it("identity R-ID-7: the stage is counted again: unreachable is rejected, met is complete", () => {
    const lost = running({ rules: users("ann", "bob", "cid"), mode: "any-n", modeValue: 3 });
    lost.approve("ann").approve("bob");
    expect(merge(lost, "ann", "bob").status).toBe("rejected");
    const met = running({ rules: users("ann", "bob") });
    expect(merge(met.approve("ann"), "ann", "bob").status).toBe("approved");
  });

  it("engine R-SOD-4: one person has one seat; open ones melt, and what was required of either is required of it", () => {
    const run = running({ rules: [requires("ann"), ...users("bob", "cid")], mode: "any-n", modeValue: 1 });
    merge(run, "ann", "bob");
    expect(run.taskStates()).toEqual({ ann: "skipped", bob: "open", cid: "open" });
    expect(run.stage().seats).toMatchObject([
      { state: "removed", required: false },
      { state: "open", required: true, holder: idOf("bob") },
      { state: "open" },
    ]);
    expect(run.approve("cid").status).toBe("in_review");
    expect(run.approve("bob").status).toBe("approved");
  });

  it("engine R-SOD-4: who has voted under one name does not vote under the other", () => {
    const run = running({ rules: users("ann", "bob", "cid"), mode: "any-n", modeValue: 2 });
    const task = run.task("bob");
    merge(run.approve("ann"), "ann", "bob");
    run.decide("approve", "bob", { task });
    expect(run.refusal?.refusal).toBe("wrong_state");
    expect(run.stage().decisions).toMatchObject([{ personId: idOf("bob") }]);
  });

  it("identity R-ID-7: an open task is the survivor's, under the survivor's name, and no more in anybody's stead", () => {
    const run = running({ rules: users("ann", "cid") }, { delegations: [delegation("ann", "bob")] });
    expect(run.waitingFor()).toEqual(["bob", "cid"]);
    merge(run, "ann", "bob");
    expect(run.task("bob")).toMatchObject({ delegatorId: null, delegatedFrom: null });
    const plain = running({ rules: users("ann", "cid") });
    merge(plain, "ann", "bob");
    expect(plain.waitingFor()).toEqual(["bob", "cid"]);
    const kept = running({ rules: users("zoe", "cid") }, { delegations: [delegation("zoe", "ann")] });
    merge(kept, "ann", "bob");
    expect(kept.task("bob")).toMatchObject({ delegatedFrom: "zoe" });
    const behind = running({ rules: users("ann", "cid") }, { delegations: [delegation("ann", "dan")] });
    merge(behind, "ann", "bob");
    expect(behind.task("dan").delegatorId).toBe(idOf("bob"));
    expect(behind.stage().seats[0]?.origins).toEqual([idOf("bob")]);
  });

  it("engine R-SOD-1: as one person, whoever asked may not approve: votes are void, seats given up", () => {
    const open = running({ rules: users("bob", "cid", "dan") }, { by: actor("ann") }, { forbidSelfApproval: true });
    merge(open, "ann", "bob");
    expect(open.taskStates()).toMatchObject({ bob: "skipped", cid: "open" });
    expect(open.request.creator.personId).toBe(idOf("bob"));
    const voted = running({ rules: users("bob", "cid", "dan") }, { by: actor("ann") }, { forbidSelfApproval: true });
    merge(voted.approve("bob"), "ann", "bob");
    expect(voted.stage().decisions).toMatchObject([{ seatId: null, voidedAt: voted.now }]);
    expect(voted.approve("cid").approve("dan").status).toBe("approved");
  });

  it("identity R-ID-11: whose machine asked may not approve under the other name either", () => {
    const run = running(
      { rules: users("bob", "cid") },
      { by: machine("pipeline", { standsFor: [idOf("ann"), idOf("zoe")] }) },
      { forbidSelfApproval: true },
    );
    merge(run, "ann", "bob");
    expect(run.request.creator).toMatchObject({ personId: null, standsFor: [idOf("bob"), idOf("zoe")] });
    expect(run.taskStates()).toEqual({ bob: "skipped", cid: "open" });
  });

  it("engine R-SOD-2: who approved an earlier stage under one name does not approve a later one under the other", () => {
    const stages = [stage({ order: 1, rules: users("ann") }), stage({ order: 2, rules: users("bob", "cid") })];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages }));
    merge(run.approve("ann"), "ann", "bob");
    expect(run.stage(1).decisions).toMatchObject([{ personId: idOf("bob"), voidedAt: null }]);
    expect(run.taskStates(2)).toEqual({ bob: "skipped", cid: "open" });
  });

  it("engine R-SOD-2: of approvals in two stages that run together the later is void", () => {
    const beside = { parallelGroup: 1, mode: "any-n", modeValue: 2 } as const;
    const stages = [
      stage({ order: 1, ...beside, rules: users("ann", "cid", "dan", "eva") }),
      stage({ order: 2, ...beside, rules: users("bob", "fay", "gus", "hal") }),
    ];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages }));
    run.approve("ann");
    run.now += 1;
    run.approve("bob");
    merge(run, "ann", "bob");
    expect(run.stage(1).decisions).toMatchObject([{ voidedAt: null, personId: idOf("bob") }]);
    expect(run.stage(2).decisions).toMatchObject([{ voidedAt: run.now }]);
  });

  it("identity R-ID-7: votes of stages that are over stay both, each under an id of its own", () => {
    const stages = [stage({ order: 1, rules: users("ann", "bob") }), stage({ order: 2, rules: users("cid") })];
    const run = new Run(policy({ stages }));
    merge(run.approve("ann").approve("bob"), "ann", "bob");
    expect(run.stage(1).decisions.map(({ personId }) => personId)).toEqual([idOf("ann"), idOf("bob")]);
  });

  it("identity R-ID-7: who watches under both names watches once", () => {
    const run = running({ rules: [...users("cid"), observer("ann"), observer("bob")] });
    merge(run, "ann", "bob");
    expect(run.waitingFor()).toEqual(["cid", "bob"]);
    const said = running({ rules: [...users("cid"), observer("ann")] });
    said.approve("ann");
    merge(said, "ann", "bob");
    expect(said.stage().decisions).toMatchObject([{ seatId: null, voidedAt: null }]);
  });

  it("identity R-ID-7: what an administrator decided on somebody else's task is the survivor's vote", () => {
    const run = running({ rules: users("cid", "bob"), mode: "any-n", modeValue: 2 });
    run.decide("approve", actor("ann", { admin: true }), { task: run.task("cid") });
    merge(run, "ann", "bob");
    expect(run.stage().decisions).toMatchObject([{ personId: idOf("bob"), override: true }]);
    expect(run.taskStates()).toMatchObject({ cid: "completed" });
  });

  it("identity R-ID-7: requests without the person, and those that ended, are left alone", () => {
    const run = running({ rules: users("cid") });
    const before = run.request;
    expect(merge(run, "ann", "bob").request).toBe(before);
    const ended = running({ rules: users("ann") }).cancel();
    const end = ended.request;
    expect(merge(ended, "ann", "bob").request).toBe(end);
  });

  it("identity R-ID-7: what was looked up before counts for the survivor, once", () => {
    const run = running(
      { rules: [role("leads")] },
      { members: { leads: ["ann", "bob", "cid"] }, delegations: [delegation("zoe", "ann")] },
    );
    run.answer("risk", new Error("the directory is down"));
    const into = person("bob", { foldedNames: ["ann", "bob"] });
    run.around.people.set("ann", person("ann"));
    const facts = asOnePerson(run.facts(), idOf("ann"), into);
    expect(facts.people.get("ann")).toBe(into);
    expect([...facts.lookups.values()]).toMatchObject([
      { ok: true, members: [{ id: idOf("bob") }, { id: idOf("cid") }] },
      { ok: false },
    ]);
    expect(facts.delegations.get(idOf("zoe"))?.[0]?.to).toBe(into);
  });
});
