import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { driftOf, driftRefusal, environmentMarks, isDrift, isSameDrift, type RackState } from "./drift.ts";

function marker(keyId: string) {
  return {
    keyId,
    mark: (place: string, name: string, value: string) =>
      createHmac("sha256", keyId).update(`${place} ${name} ${value}`).digest("hex"),
  };
}

function state(release: string, environment: Readonly<Record<string, string>>, keyId = "k1", at = 1): RackState {
  const map = new Map(Object.entries(environment));
  return { at, release, environment: environmentMarks(map, "production/myapp", marker(keyId)) };
}

const THEN = state("R1", { PORT: "3000", KEY: "old secret", GONE: "1" });
const DENY = { environment: "deny", base: "deny" } as const;
const RECORD = { environment: "record", base: "record" } as const;

describe("drift since an approval", () => {
  it("deploy R-BIND-12: names what was added, removed and changed, and keeps no value", () => {
    expect(JSON.stringify(THEN)).not.toContain("old secret");
    const drift = driftOf(THEN, state("R1", { PORT: "3000", KEY: "new secret", NEW: "1" }, "k1", 2));
    expect(drift).toEqual({
      at: 2,
      environment: { added: ["NEW"], removed: ["GONE"], changed: ["KEY"] },
      base: { approved: "R1", found: "R1" },
    });
    expect([isDrift(drift), isSameDrift(drift, { ...drift, at: 9 }), isSameDrift(null, drift)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(driftRefusal(drift, RECORD)).toBeNull();
    expect(driftRefusal(drift, DENY)).toMatchObject({
      code: "approval_stale",
      message: "the environment changed since approval",
      hint: ["Added: NEW.", "Removed: GONE.", "Changed: KEY.", "Make a new approval request."],
    });
  });

  it("deploy R-BIND-12: equal values of another app or name have other marks", () => {
    const marks = environmentMarks(
      new Map([
        ["A", "x"],
        ["B", "x"],
      ]),
      "production/myapp",
      marker("k1"),
    );
    const other = environmentMarks(new Map([["A", "x"]]), "production/other", marker("k1"));
    expect(new Set([marks?.keys["A"], marks?.keys["B"], other?.keys["A"]]).size).toBe(3);
  });

  it("deploy R-BIND-12: another active release is drift, refused by its own setting alone", () => {
    const drift = driftOf(THEN, { ...THEN, release: "R2" });
    expect(isDrift(drift)).toBe(true);
    expect(driftRefusal(drift, { environment: "deny", base: "record" })).toBeNull();
    expect(driftRefusal(drift, { environment: "record", base: "deny" })).toMatchObject({
      message: "the active release changed since approval",
      hint: ["Active then: R1; now: R2.", "Make a new approval request."],
    });
    const same = driftOf(THEN, THEN);
    expect([isDrift(same), driftRefusal(same, DENY)]).toEqual([false, null]);
  });

  it("deploy R-BIND-12: what cannot be compared is told, and no permission where drift is denied", () => {
    const many = new Map(Array.from({ length: 2_001 }, (_, at) => [`K${String(at)}`, "1"] as const));
    expect(environmentMarks(many, "production/myapp", marker("k1"))).toBeNull();
    const otherKey = driftOf(THEN, state("R1", { PORT: "3000" }, "k2"));
    expect([otherKey.environment, isDrift(otherKey)]).toEqual([null, true]);
    const unknown = driftOf(null, THEN);
    expect([driftRefusal(otherKey, DENY)?.code, driftRefusal(unknown, RECORD)]).toEqual(["approval_stale", null]);
    expect(driftRefusal(unknown, { environment: "record", base: "deny" })?.message).toBe(
      "the active release at approval is not known",
    );
  });
});
