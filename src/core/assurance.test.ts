import { describe, expect, it } from "vitest";
import { admin, machine, observer, policy, Run, stage, START, users } from "../../test/support/engine-world.ts";
import { isAtLeast, neededAssurance, SESSION_ALONE, type Proven } from "./assurance.ts";
import { ASSURANCES, type Assurance } from "./assurance-level.ts";

const proven = (assurance: Assurance, shownAt: number | null = null): Proven => ({
  assurance,
  method: assurance === "session" ? null : "passkey",
  factorId: null,
  shownAt,
});

function asked(change: Parameters<typeof stage>[0]): Run {
  return new Run(policy({ stages: [stage({ rules: [...users("ann", "bob"), observer("obs")], ...change })] }));
}

describe("how strongly a decision must be proven", () => {
  it.each(ASSURANCES.flatMap((needed) => ASSURANCES.map((given) => ({ needed, given }))))(
    "engine R-DECIDE-10: an approval proven by $given at a stage that asks $needed",
    ({ needed, given }) => {
      const run = asked({ assurance: needed }).decide("approve", "ann", { proven: proven(given) });
      const refusal = needed === "signed" ? "signature_required" : "step_up_required";
      expect(run.refusal?.refusal ?? null).toBe(isAtLeast(given, needed) ? null : refusal);
      expect(run.stage().decisions.map(({ assurance }) => assurance)).toEqual(isAtLeast(given, needed) ? [given] : []);
    },
  );

  it("identity R-SIGN-2: an abstention asks what an approval asks", () => {
    expect(asked({ assurance: "signed" }).abstain("ann").refusal?.refusal).toBe("signature_required");
  });

  it("identity section 6: a rejection asks for the session, or for what reject_assurance says, and never for more than an approval", () => {
    expect(asked({ assurance: "signed" }).reject("ann").refusal).toBeNull();
    expect(asked({ assurance: "signed", rejectAssurance: "mfa" }).reject("ann").refusal?.refusal).toBe(
      "step_up_required",
    );
    expect(neededAssurance(stage({ assurance: "mfa", rejectAssurance: "signed" }), "approver", "reject")).toBe("mfa");
  });

  it("engine R-DECIDE-7: what observers say needs no proof", () => {
    const run = asked({ assurance: "signed", requireView: true, minViewSeconds: 9 });
    expect(run.approve("obs").refusal).toBeNull();
  });

  it("engine R-DECIDE-2: whoever may not decide at all is not asked for a proof first", () => {
    const barred = new Run(
      policy({ forbidSelfApproval: true, stages: [stage({ assurance: "signed", rules: users("ann", "bob") })] }),
      { requester: "bob" },
    );
    expect(barred.decide("approve", admin("bob"), { task: barred.task("ann") }).refusal?.refusal).toBe("not_assignee");
    expect(barred.decide("approve", machine("robot"), { task: barred.task("ann") }).refusal?.refusal).toBe("machine");
    const mfa = new Run(
      policy({ forbidSelfApproval: true, stages: [stage({ assurance: "mfa", rules: users("ann") })] }),
      {
        requester: "root",
      },
    );
    expect(mfa.decide("approve", admin("root"), { task: mfa.task("ann") }).refusal?.refusal).toBe(
      "separation_of_duties",
    );
  });
});

describe("identity R-ROLE-2: an administrator in somebody's place", () => {
  it("decides where the stage asks for a factor, proven by the administrator's own", () => {
    const run = asked({ assurance: "mfa" });
    const task = run.task("ann");
    expect(run.decide("approve", admin("root"), { task }).refusal?.refusal).toBe("step_up_required");
    run.decide("approve", admin("root"), { task, proven: proven("mfa") });
    expect(run.stage().decisions).toMatchObject([{ actorId: "root", override: true, assurance: "mfa" }]);
  });

  it.each(["approve", "reject", "abstain"] as const)("never on a signed stage, not even to %s", (action) => {
    const run = asked({ assurance: "signed" });
    run.decide(action, admin("root"), { task: run.task("ann"), proven: proven("signed") });
    expect(run.refusal?.refusal).toBe("not_assignee");
    run.decide(action, admin("root"), { task: run.task("obs"), proven: proven("signed") });
    expect(run.refusal?.refusal).toBe("not_assignee");
  });
});

describe("what was shown", () => {
  it("identity R-SIGN-8: a stage with require_view takes no decision that names none", () => {
    const run = asked({ requireView: true });
    expect(run.approve("ann").refusal?.refusal).toBe("view_required");
    expect(run.reject("ann").refusal?.refusal).toBe("view_required");
    expect(run.decide("approve", "ann", { proven: proven("session", START) }).refusal).toBeNull();
  });

  it.each([
    [0, "too_fast"],
    [4_999, "too_fast"],
    [5_000, null],
  ])("identity R-SIGN-7: %i ms after the view a stage of min_view_seconds 5 answers %s", (read, code) => {
    const run = asked({ minViewSeconds: 5 });
    run.decide("approve", "ann", { proven: proven("session", START - read) });
    expect(run.refusal?.refusal ?? null).toBe(code);
  });

  it("identity R-SIGN-7: without a view nobody knows how long it was read", () => {
    expect(asked({ minViewSeconds: 5 }).approve("ann").refusal?.refusal).toBe("view_required");
  });

  it("identity R-SIGN-7: when it was shown is kept with the decision", () => {
    const run = asked({}).decide("approve", "ann", { proven: proven("mfa", START - 7) });
    expect(run.stage().decisions).toMatchObject([{ shownAt: START - 7, method: "passkey" }]);
  });
});

it("engine R-SLA-6: the clock proves nothing", () => {
  const run = asked({ slaHours: 1, onBreach: "auto_approve" }).later(2);
  expect(run.stage().decisions).toMatchObject([SESSION_ALONE, SESSION_ALONE]);
});

it("engine R-EXPLAIN-3: a missing proof does not stand in the way of what one may do", () => {
  const { you } = asked({ assurance: "signed", requireView: true, minViewSeconds: 9 }).explain("ann");
  expect(you).toMatchObject({ canDecide: true, actions: ["approve", "reject", "abstain"] });
});
