import { describe, expect, it } from "vitest";
import {
  admin,
  delegation,
  HOUR,
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
import { nextTimerAt } from "./timers.ts";

const timed = (change: Parameters<typeof stage>[0] = {}): ReturnType<typeof policy> =>
  policy({ stages: [stage({ rules: users("ann", "bob"), slaHours: 2, ...change })] });

describe("expiry", () => {
  it("engine R-TTL-1: the smallest of the caller's, the policy's, and where it has none the installation's", () => {
    const expiry = (requestTtlHours: number | null, expiresInHours: number | null): number =>
      (new Run(policy({ requestTtlHours, stages: [stage()] }), { expiresInHours }).request.expiresAt - START) / HOUR;
    expect(expiry(null, null)).toBe(8760);
    expect(expiry(72, null)).toBe(72);
    expect(expiry(72, 5)).toBe(5);
    expect(expiry(null, 5)).toBe(5);
    expect(expiry(null, 9_000)).toBe(8760);
  });

  it("engine R-TTL-2: at that time, not before, the request expires; tasks expire and there is one terminal event", () => {
    const run = new Run(timed({ rules: [...users("ann"), observer("obs")] }), { expiresInHours: 1 });
    expect(nextTimerAt(run.request)).toBe(START + HOUR);
    run.now = START + HOUR - 1;
    expect(run.give({ type: "tick" }).status).toBe("in_review");
    run.now += 1;
    run.give({ type: "tick" });
    expect(run.status).toBe("expired");
    expect(run.taskStates()).toEqual({ ann: "expired", obs: "expired" });
    expect(run.latest).toMatchObject([
      { type: "request_expired", expiresAt: START + HOUR, status: "expired", actor: null },
    ]);
    expect(run.request).toMatchObject({ completedAt: START + HOUR, outcome: { reason: null, stageOrder: 1 } });
    expect(nextTimerAt(run.request)).toBeNull();
  });
});

describe("due times", () => {
  it("engine R-SLA-4: notify tells each task once, leaves it open, and approval still completes", () => {
    const run = new Run(timed());
    expect(nextTimerAt(run.request)).toBe(START + 2 * HOUR);
    run.now = START + 2 * HOUR - 1;
    expect(run.give({ type: "tick" }).latest).toEqual([]);
    run.now += 1;
    run.give({ type: "tick" });
    expect(run.latest.map((event) => event.type)).toEqual(["task_expired", "task_expired"]);
    expect(run.latest[0]).toMatchObject({ actor: { id: "sla-monitor" }, stageOrder: 1, task: { assignee: "ann" } });
    expect(run.task("ann")).toMatchObject({ status: "open", overdueAt: START + 2 * HOUR });
    expect(run.later(50).latest).toEqual([]);
    expect(run.approve("ann").approve("bob").status).toBe("approved");
  });

  it("engine R-SLA-4: a task that was decided in time does not become overdue", () => {
    const run = new Run(timed()).approve("ann").later(2);
    expect(run.latest).toHaveLength(1);
    expect(run.task("ann").overdueAt).toBeNull();
  });

  it("engine R-STAGE-1: several timers that are due fire in their order, the earliest first", () => {
    const stages = [
      stage({ order: 1, parallelGroup: 1, rules: users("ann"), slaHours: 3 }),
      stage({ order: 2, parallelGroup: 1, rules: users("bob"), slaHours: 2 }),
    ];
    const run = new Run(policy({ stages }), { expiresInHours: 4 }).later(9);
    expect(run.latest.map((event) => [event.type, event.stageOrder])).toEqual([
      ["task_expired", 2],
      ["task_expired", 1],
      ["request_expired", 1],
    ]);
  });

  it("engine R-SLA-1: what a late timer starts gets its full time", () => {
    const stages = [
      stage({ order: 1, rules: users("ann"), slaHours: 1, onBreach: "auto_approve" }),
      stage({ order: 2, rules: users("bob"), slaHours: 1, onBreach: "auto_approve" }),
    ];
    const run = new Run(policy({ stages })).later(5);
    expect(run.stage(2)).toMatchObject({ state: "open", dueAt: START + 6 * HOUR });
    expect(run.later(1).status).toBe("approved");
  });
});

describe("the clock decides", () => {
  const modes = [
    { mode: "all", modeValue: null },
    { mode: "any-n", modeValue: 2 },
    { mode: "percentage", modeValue: 60 },
  ] as const;
  const cases = modes.flatMap((counted) =>
    [[], ["ann"]].flatMap((early) => [
      { ...counted, early, onBreach: "auto_approve", end: "approved" } as const,
      { ...counted, early, onBreach: "auto_reject", end: "rejected" } as const,
    ]),
  );

  it.each(cases)(
    "engine R-SLA-6: mode $mode with $onBreach after approvals of $early ends $end",
    ({ early, end, ...rule }) => {
      const run = new Run(timed({ ...rule, rules: [...users("ann", "bob"), requires("cid")] }));
      for (const name of early) run.approve(name);
      run.later(2);
      expect(run.status).toBe(end);
      expect(run.request.outcome).toMatchObject({ reason: "sla_breach", actor: "sla-monitor" });
    },
  );

  it("engine R-SLA-6: auto_approve fills every open seat, required ones too, in the clock's name", () => {
    const run = new Run(
      timed({ onBreach: "auto_approve", rules: [...users("ann"), requires("bob"), observer("obs")] }),
    );
    run.approve("ann").later(2);
    expect(run.types(run.latest)).toEqual(["task_expired", "stage_completed", "request_approved"]);
    expect(run.stage().decisions.at(-1)).toMatchObject({
      personId: null,
      actor: "sla-monitor",
      comment: "SLA breach auto-approve",
      onBehalfOf: "bob",
      seatId: run.task("bob").seatId,
    });
    expect(run.taskStates()).toEqual({ ann: "completed", bob: "expired", obs: "skipped" });
  });

  it("engine R-SLA-6: auto_reject expires the open tasks and says why", () => {
    const run = new Run(timed({ onBreach: "auto_reject", rules: [...users("ann", "bob"), observer("obs")] })).later(2);
    expect(run.types(run.latest)).toEqual(["task_expired", "task_expired", "stage_completed", "request_rejected"]);
    expect(run.latest.at(-1)).toMatchObject({ reason: "sla_breach", comment: "SLA breach auto-reject" });
    expect(run.taskStates()).toEqual({ ann: "expired", bob: "expired", obs: "skipped" });
  });

  it("engine R-STAGE-1: a decision that arrives at the due time is too late for the clock's own", () => {
    const run = new Run(timed({ onBreach: "auto_reject" }));
    run.now = START + 2 * HOUR;
    run.approve("ann");
    expect(run.refusal?.refusal).toBe("wrong_state");
    expect(run.status).toBe("rejected");
  });

  it("engine R-STAGE-14: an approval by the clock starts the next stage", () => {
    const stages = [stage({ rules: users("ann"), slaHours: 1, onBreach: "auto_approve" }), stage({ order: 2 })];
    const run = new Run(policy({ stages })).later(1);
    expect(run.types(run.latest)).toEqual(["task_expired", "stage_completed", "stage_started"]);
  });

  it("engine R-STAGE-16: a request whose last stages a lookup finds empty was approved by the clock, if it filled the last seat", () => {
    const stages = [
      stage({ rules: users("ann"), slaHours: 1, onBreach: "auto_approve" }),
      stage({ order: 2, rules: [role("late")], onEmpty: "skip" }),
    ];
    const run = new Run(policy({ stages }), { members: { late: new Error("down") } })
      .later(1)
      .answer("late", [])
      .later(1);
    expect(run.request.outcome).toMatchObject({ reason: "sla_breach", actorId: "sla-monitor" });
  });
});

describe("escalation", () => {
  const escalating = (change: Parameters<typeof stage>[0] = {}): ReturnType<typeof policy> =>
    timed({ onBreach: "escalate", escalationRules: users("eva"), ...change });

  it("engine R-SLA-5: adds people with a fresh due time, and no seat", () => {
    const run = new Run(escalating({ escalationRules: [...users("eva"), observer("obs")] })).later(2);
    expect(run.types(run.latest)).toEqual(["task_expired", "task_expired", "stage_escalated"]);
    expect(run.latest.at(-1)).toMatchObject({ round: 1, dueAt: START + 4 * HOUR, actor: { id: "sla-monitor" } });
    expect(run.task("eva")).toMatchObject({ escalation: true, seatId: null, required: false, dueAt: START + 4 * HOUR });
    expect(run.task("obs")).toMatchObject({ kind: "observer", dueAt: null });
    expect(run.stage().seats).toHaveLength(2);
  });

  it("engine R-SLA-5: without the barred, machines, the disabled and people already in the stage", () => {
    const rules = [role("leads"), observer("bob"), observer("obs")];
    const run = new Run(
      policy({
        forbidSelfApproval: true,
        stages: [stage({ rules: users("ann", "bob"), slaHours: 2, onBreach: "escalate", escalationRules: rules })],
      }),
      {
        requester: "req",
        members: { leads: ["ann", "req", person("robot", { machine: true }), person("gone", { disabled: true })] },
      },
    ).later(2);
    expect(run.types(run.latest)).toEqual(["task_expired", "task_expired"]);
    expect(run.waitingFor()).toEqual(["ann", "bob", "obs"]);
    expect(run.later(9).latest).toEqual([]);
    expect(run.approve("ann").approve("bob").status).toBe("approved");
  });

  it("engine R-SLA-5: after delegation, and what is not applied is told", () => {
    const scene = { delegations: [delegation("eva", "dep"), delegation("fay", person("gone", { disabled: true }))] };
    const run = new Run(escalating({ escalationRules: [...users("eva", "fay"), observer("dep")] }), scene).later(2);
    expect(run.waitingFor()).toEqual(["ann", "bob", "dep", "fay"]);
    expect(run.task("dep")).toMatchObject({ kind: "approver", delegatedFrom: "eva" });
    expect(run.eventsOf("delegation_skipped")).toMatchObject([{ user: "fay", reason: "disabled" }]);
  });

  it("engine R-SLA-5: an administrator who filled a seat already is not added", () => {
    const run = new Run(escalating({ rules: users("ann", "bob", "cid"), escalationRules: users("root") }));
    run.decide("approve", admin("root"), { task: run.task("ann") });
    run.later(2);
    expect(run.waitingFor()).toEqual(["bob", "cid"]);
  });

  it("engine R-SLA-5: as many rounds as escalations_max allows, then as notify", () => {
    const run = new Run(escalating({ escalationsMax: 2, escalationRules: [role("leads")] }), {
      members: { leads: ["eva"] },
    });
    run.later(2).answer("leads", ["eva", "fay"]).later(2);
    expect(run.eventsOf("stage_escalated").map((event) => [event.round, event.added[0]?.assignee])).toEqual([
      [1, "eva"],
      [2, "fay"],
    ]);
    run.answer("leads", ["gus"]).later(2);
    expect(run.types(run.latest)).toEqual(["task_expired"]);
    expect(run.stage().escalationRound).toBe(2);
  });

  it("engine R-SLA-5: a failed lookup is retried, and the holders can decide meanwhile", () => {
    const run = new Run(escalating({ escalationRules: [role("leads")] }), {
      members: { leads: new Error("down") },
    }).later(2);
    expect(run.types(run.latest)).toEqual(["task_expired", "task_expired", "resolution_failed"]);
    const retryAt = run.stage().escalationRetryAt ?? 0;
    expect(nextTimerAt(run.request)).toBe(retryAt);
    run.now = retryAt;
    expect(run.give({ type: "tick" }).latest).toEqual([]);
    expect(run.stage().escalationAttempts).toBe(2);
    run.approve("ann").answer("leads", ["eva"]).later(1);
    expect(run.types(run.latest)).toEqual(["stage_escalated"]);
    expect(run.stage()).toMatchObject({ escalationRetryAt: null, escalationAttempts: 0, escalationRound: 1 });
    expect(run.approve("eva").status).toBe("approved");
  });

  it("engine R-SLA-5: when nothing is overdue any more nobody is looked up for it", () => {
    const run = new Run(escalating({ escalationRules: [role("leads")] }), {
      members: { leads: new Error("down") },
    }).later(2);
    run.approve("ann").reassign("bob", "gus");
    expect(run.stage()).toMatchObject({ escalationRetryAt: null, escalationAttempts: 0 });
    expect(run.answer("leads", ["eva"]).later(1).latest).toEqual([]);
  });

  it("engine R-QUORUM-11: whatever the clock does, the stage can still be finished by its holders", () => {
    expect(new Run(escalating()).later(2).later(2).later(2).approve("ann").approve("bob").status).toBe("approved");
  });

  it("engine R-SOD-2: whoever approved beside is not added, and who approves beside later is not waited for", () => {
    const beside = [
      stage({
        order: 1,
        parallelGroup: 1,
        rules: users("ann"),
        slaHours: 2,
        onBreach: "escalate",
        escalationRules: users("bob", "cid"),
      }),
      stage({ order: 2, parallelGroup: 1, rules: users("bob", "cid") }),
    ];
    const run = new Run(policy({ forbidRepeatApprovers: true, stages: beside })).approve("bob", 2).later(2);
    expect(run.waitingFor(1)).toEqual(["ann", "cid"]);
    run.approve("cid", 2);
    expect(run.waitingFor(1)).toEqual(["ann"]);
    expect(run.approve("ann").status).toBe("approved");
  });
});
