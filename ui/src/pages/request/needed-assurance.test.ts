import { describe, expect, it } from "vitest";

import type { Factor, OwnFactors } from "../../api/factors.ts";
import type { View } from "../../api/views.ts";
import { neededFor, obstacleTo } from "./needed-assurance.ts";

const now = Date.parse("2026-01-01T12:00:00Z");

function view(approve: string, methods: readonly string[] = [], reject = "session"): View {
  return {
    ...{ id: "v", task_id: "t", request_id: "r", revision: 1, digest: "sha256:00" },
    policy: { key: "p", version: 1, digest: "sha256:11" },
    display: { digest: "sha256:22", document: {} },
    checkpoint: { origin: "o", size: 1 },
    ...{ shown_at: "", expires_at: "", assurance: { approve, reject }, methods },
  };
}

function own(...factors: readonly Partial<Factor>[]): OwnFactors {
  const whole = {
    ...{ id: "f", type: "passkey", name: "Key", created_at: "", last_used_at: null, usable_at: null },
    ...{ device_bound: true, synced: false, signing: true, disabled: false },
  };
  return { factors: factors.map((factor) => ({ ...whole, ...factor })), backup_codes: null, password_changed_at: null };
}

describe("how strongly a decision is proven", () => {
  it("console R-WHO-5: rejecting is judged by its own assurance", () => {
    expect(neededFor(view("signed"), "approve")).toBe("signed");
    expect(neededFor(view("signed"), "reject")).toBe("session");
    expect(neededFor(view("signed", [], "mfa"), "reject")).toBe("mfa");
  });

  it("console R-WHO-5: nobody who can prove it is stopped", () => {
    expect(obstacleTo("session", view("session"), own(), now)).toBeNull();
    expect(obstacleTo("mfa", view("mfa", ["totp"]), own({ type: "totp" }), now)).toBeNull();
    expect(obstacleTo("signed", view("signed", ["passkey"]), own({}), now)).toBeNull();
  });

  it("console R-WHO-5: a code never stands in for a signature", () => {
    expect(obstacleTo("signed", view("signed", ["totp"]), own({ type: "totp" }), now)).toMatchObject({
      sentence: "This is signed with a passkey, and you have none.",
      enrol: true,
    });
  });

  it("console R-WHO-5: a factor that cools down is named with the time when it is over", () => {
    const usable = "2026-01-02T12:00:00.000Z";
    expect(obstacleTo("signed", view("signed"), own({ usable_at: usable, name: "New key" }), now)).toEqual({
      sentence: "“New key” is new: it cannot serve decisions yet. It can",
      until: usable,
      enrol: false,
    });
  });

  it("console R-WHO-5: a passkey that is there but not accepted is told from one that is missing", () => {
    expect(obstacleTo("signed", view("signed"), own({ synced: true }), now)?.sentence).toMatch(/bound to its device/);
    expect(obstacleTo("signed", view("signed"), own({ signing: false }), now)?.sentence).toMatch(/no longer signs/);
  });
});
