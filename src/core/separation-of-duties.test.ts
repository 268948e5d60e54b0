import { describe, expect, it } from "vitest";
import { actor, admin, machine, person, policy, Run, stage, users } from "../../test/support/engine-world.ts";
import { barredBecause, exclusionSentence } from "./separation-of-duties.ts";

const strict = policy({ forbidSelfApproval: true, stages: [stage({ rules: users("req", "ann", "bob") })] });
const place = { order: 1, group: [1] };

describe("who is barred", () => {
  it("engine R-SOD-1: with forbid_self_approval the named requester, and the person who made the request", () => {
    const run = new Run(strict, { requester: "req", by: actor("ann") });
    expect(run.waitingFor()).toEqual(["bob"]);
    expect(run.stage().excluded).toEqual([
      { user: "req", reason: "requester" },
      { user: "ann", reason: "requester" },
    ]);
  });

  it("engine R-SOD-1: without it both may approve", () => {
    const run = new Run({ ...strict, forbidSelfApproval: false }, { requester: "req", by: actor("ann") });
    expect(run.waitingFor()).toEqual(["req", "ann", "bob"]);
  });

  it.each(["REQ", " req ", "ｒｅｑ", "Req"])("engine R-AUTH-5: an unsure match forbids: '%s' is req", (requester) => {
    expect(new Run(strict, { requester, by: machine("pipeline") }).waitingFor()).toEqual(["ann", "bob"]);
  });

  it("engine R-AUTH-5: a person is barred under every name known", () => {
    const petition = new Run(strict, { requester: "r.equester@example.org" }).request;
    const known = person("ann", { foldedNames: ["ann", "r.equester@example.org"] });
    expect(barredBecause(strict, petition, known, place)).toEqual({ reason: "requester" });
    expect(barredBecause(strict, petition, person("ann"), place)).toBeNull();
  });

  it("identity R-ID-11: the owners of the machine that asked, and whom it acts for", () => {
    const owned = machine("pipeline", { standsFor: [person("bob").id] });
    const run = new Run(strict, { requester: "somebody", by: owned });
    expect(run.waitingFor()).toEqual(["req", "ann"]);
    expect(run.stage().excluded).toEqual([{ user: "bob", reason: "requester" }]);
  });

  it("engine R-SOD-1: machines always are", () => {
    const lax = policy({ stages: [stage()] });
    expect(barredBecause(lax, new Run(lax).request, person("robot", { machine: true }), place)).toEqual({
      reason: "machine",
    });
  });

  it("engine R-SOD-2: only an approval that counts uses a person up", () => {
    const repeat = policy({
      forbidRepeatApprovers: true,
      stages: [
        stage({ order: 1, mode: "any-n", modeValue: 1, reject: "vote", rules: users("ann", "bob", "cid") }),
        stage({ order: 2, rules: users("ann", "bob", "cid") }),
      ],
    });
    const run = new Run(repeat).abstain("ann").reject("bob").approve("cid");
    expect(run.waitingFor(2)).toEqual(["ann", "bob"]);
    expect(new Run({ ...repeat, forbidRepeatApprovers: false }).approve("ann").waitingFor(2)).toEqual([
      "ann",
      "bob",
      "cid",
    ]);
  });

  it("engine R-SOD-3: the requester does not decide as candidate, delegate, target, added person or administrator", () => {
    const run = new Run(strict, { requester: "req" });
    expect(run.waitingFor()).toEqual(["ann", "bob"]);
    expect(run.reassign("ann", "req").refusal?.message).toContain("Separation of duties");
    run.decide("approve", admin("req"), { task: run.task("ann") });
    expect(run.refusal?.refusal).toBe("separation_of_duties");
    expect(run.decide("reject", admin("req"), { task: run.task("ann") }).refusal?.refusal).toBe("separation_of_duties");
    expect(run.stage().decisions).toEqual([]);
  });
});

it("engine R-DECIDE-2: every reason has a sentence of its own", () => {
  const reasons = ["requester", "forbidden", "repeat_approver", "machine", "disabled"] as const;
  expect(new Set(reasons.map((reason) => exclusionSentence({ reason }))).size).toBe(5);
});
