import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeployGrant, DeployStanding } from "./deploy-records.ts";
import {
  deployStatus,
  deployStatuses,
  deployTransitions,
  endedAt,
  endReasonOf,
  isTerminal,
  mayFinish,
  mayTransition,
} from "./deploy-status.ts";

const MINUTE = 60_000;
const now = 100 * MINUTE;

const open: DeployStanding = {
  engine: "in_review",
  cancelReason: null,
  grant: null,
  requestExpiresAt: now + MINUTE,
  completedAt: null,
  deployedAt: null,
  approvalsMissing: 1,
};

const active: DeployGrant = {
  state: "active",
  revokedReason: null,
  issuedAt: now - 5 * MINUTE,
  expiresAt: now + 10 * MINUTE,
  endedAt: null,
};

const approved: DeployStanding = { ...open, engine: "approved", grant: active, completedAt: now - 5 * MINUTE };

function granted(grant: Partial<DeployGrant>): DeployStanding {
  return { ...approved, grant: { ...active, ...grant } };
}

describe("the state on the wire", () => {
  it.each([
    ["pending, approvers not yet resolved", { ...open, engine: "pending" as const }, "pending"],
    ["in review", open, "pending"],
    ["approved, grant active", approved, "approved"],
    ["approved, grant used", granted({ state: "used", endedAt: now }), "deployed"],
    ["approved, grant expired", granted({ state: "expired" }), "expired"],
    ["revoked, rejected", granted({ state: "revoked", revokedReason: "rejected", endedAt: now }), "rejected"],
    ["revoked, cancelled", granted({ state: "revoked", revokedReason: "cancelled", endedAt: now }), "cancelled"],
    ["revoked, no reason", granted({ state: "revoked", endedAt: now }), "cancelled"],
    ["rejected", { ...open, engine: "rejected" as const }, "rejected"],
    ["expired", { ...open, engine: "expired" as const }, "expired"],
    ["administrative", { ...open, engine: "cancelled" as const, cancelReason: "rejected" as const }, "rejected"],
    ["superseded", { ...open, engine: "cancelled" as const, cancelReason: "superseded" as const }, "superseded"],
    ["cancelled", { ...open, engine: "cancelled" as const, cancelReason: "cancelled" as const }, "cancelled"],
    ["cancelled, no reason", { ...open, engine: "cancelled" as const }, "cancelled"],
  ])("deploy R-STATE-1: %s", (_name, standing, status) => {
    expect(deployStatus(standing, now)).toBe(status);
  });

  it("deploy R-STATE-1: an approval without a grant permits nothing", () => {
    expect(deployStatus({ ...approved, grant: null }, now)).toBe("expired");
  });

  it("deploy R-EXPIRY-3: what is due has expired from its instant on, written or not", () => {
    expect(deployStatus(open, now + MINUTE - 1)).toBe("pending");
    expect(deployStatus(open, now + MINUTE)).toBe("expired");
    expect(deployStatus(approved, now + 10 * MINUTE - 1)).toBe("approved");
    expect(deployStatus(approved, now + 10 * MINUTE)).toBe("expired");
  });

  it("deploy R-STATE-1: is over for good once it is over", () => {
    const standings = fc.record({
      engine: fc.constantFrom(...(["pending", "in_review", "approved", "rejected", "expired", "cancelled"] as const)),
      cancelReason: fc.constantFrom(null, "rejected" as const, "superseded" as const, "cancelled" as const),
      grant: fc.option(
        fc.record({
          state: fc.constantFrom(...(["active", "used", "expired", "revoked"] as const)),
          revokedReason: fc.constantFrom(null, "rejected" as const, "cancelled" as const),
          issuedAt: fc.constant(0),
          expiresAt: fc.nat(1_000),
          endedAt: fc.constant(null),
        }),
      ),
      requestExpiresAt: fc.nat(1_000),
      completedAt: fc.constant(null),
      deployedAt: fc.constant(null),
      approvalsMissing: fc.constant(0),
    });
    fc.assert(
      fc.property(standings, fc.nat(2_000), fc.nat(2_000), (standing, first, later) => {
        const before = deployStatus(standing, first);
        const after = deployStatus(standing, first + later);
        expect(isTerminal(before) ? after : before).toBe(before);
        expect(endedAt(standing, first) === null).toBe(!isTerminal(before));
      }),
    );
  });

  it("deploy R-STATE-5, R-EXPIRY-3: a promote that was admitted in time deploys, however late the rack says so", () => {
    const late = now + 30 * MINUTE;
    for (const state of ["active", "expired"] as const) {
      const ended = {
        ...granted({ state, endedAt: state === "expired" ? now + 10 * MINUTE : null }),
        deployedAt: late,
      };
      expect(deployStatus(ended, late - 1)).toBe("expired");
      expect(deployStatus(ended, late)).toBe("deployed");
      expect(endedAt(ended, late + MINUTE)).toBe(late);
      expect([mayFinish(ended, late + 60 * MINUTE - 1), mayFinish(ended, late + 60 * MINUTE)]).toEqual([true, false]);
    }
    const takenBack = { ...granted({ state: "revoked", revokedReason: "rejected", endedAt: now }), deployedAt: late };
    expect(deployStatus(takenBack, late)).toBe("rejected");
  });

  it("deploy R-STATE-8: knows when it ended", () => {
    expect(endedAt(open, now)).toBeNull();
    expect(endedAt(open, now + MINUTE)).toBe(now + MINUTE);
    expect(endedAt({ ...open, engine: "rejected", completedAt: now - 1 }, now)).toBe(now - 1);
    expect(endedAt(approved, now + 20 * MINUTE)).toBe(now + 10 * MINUTE);
    expect(endedAt(granted({ state: "used", endedAt: now - 3 }), now)).toBe(now - 3);
  });

  it("deploy R-STATE-8: only what was approved may be finished, for sixty minutes after its end", () => {
    const end = now + 10 * MINUTE;
    expect(mayFinish(approved, now)).toBe(true);
    expect(mayFinish(approved, end + 60 * MINUTE - 1)).toBe(true);
    expect(mayFinish(approved, end + 60 * MINUTE)).toBe(false);
    const deployed = granted({ state: "used", endedAt: now });
    expect(mayFinish(deployed, now + 60 * MINUTE - 1)).toBe(true);
    expect(mayFinish(deployed, now + 60 * MINUTE)).toBe(false);
    // A promote that was admitted in time may end after the window: the hour runs from its end.
    const late = granted({ state: "used", endedAt: end + 5 * MINUTE });
    expect(mayFinish(late, end + 65 * MINUTE - 1)).toBe(true);
    // An expiry that a worker wrote late does not lengthen the hour.
    const written = granted({ state: "expired", endedAt: end + 5_000 });
    expect(mayFinish(written, end + 60 * MINUTE)).toBe(false);
    expect(mayFinish(open, now)).toBe(false);
    expect(mayFinish({ ...approved, grant: null }, now)).toBe(false);
    expect(mayFinish({ ...approved, engine: "cancelled" }, now)).toBe(false);
  });
});

describe("changes of state", () => {
  it("deploy R-STATE-2: nothing leads out of an end", () => {
    const left = deployTransitions.map(({ from }) => from);
    for (const status of deployStatuses) expect(left.includes(status)).toBe(!isTerminal(status));
  });

  it("deploy R-STATE-2: every state but pending is reached by one kind of act each", () => {
    for (const by of ["create", "reject", "cancel", "supersede", "expire", "deploy"] as const) {
      expect(new Set(deployTransitions.filter((row) => row.by === by).map(({ to }) => to)).size).toBe(1);
    }
  });

  it.each([
    ["approve", ["pending"]],
    ["reject", ["pending", "approved"]],
    ["extend", ["approved"]],
    ["cancel", ["pending", "approved"]],
    ["supersede", ["pending"]],
    ["expire", ["pending", "approved"]],
    ["deploy", ["approved"]],
  ] as const)("deploy R-STATE-2: %s starts from %j only", (by, from) => {
    expect(deployStatuses.filter((status) => mayTransition(status, by))).toEqual(from);
    expect(mayTransition("none", by)).toBe(false);
  });

  it("deploy R-STATE-2: only approving and extending ask for a fresh factor; stopping is easy", () => {
    const asking = deployTransitions.filter(({ proof }) => proof === "always").map(({ by }) => by);
    expect(new Set(asking)).toEqual(new Set(["approve", "extend"]));
  });

  it("deploy R-STATE-1: what is ended from outside shows as what ended it", () => {
    for (const { by, to } of deployTransitions) {
      const reason = endReasonOf(by);
      const standing: DeployStanding = { ...open, engine: "cancelled", cancelReason: reason };
      expect(reason === null || deployStatus(standing, now) === to).toBe(true);
    }
    expect(deployTransitions.map(({ by }) => endReasonOf(by)).filter((reason) => reason !== null)).toHaveLength(5);
  });
});
