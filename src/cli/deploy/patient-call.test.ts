/** How long a call is tried again, in a time that passes at once. */
import { describe, expect, it } from "vitest";
import { Unreachable } from "../../client/api-refusal.ts";
import { DeployRefusal } from "../../client/deploy-refusal.ts";
import { CliFault } from "./cli-outcome.ts";
import { patientCall, type Passing } from "./patient-call.ts";

const START = 1_000_000;

function time(): Passing & { passed(): number } {
  let now = START;
  return {
    now: () => now,
    sleep(milliseconds) {
      now += milliseconds;
      return Promise.resolve();
    },
    passed: () => now - START,
  };
}

function refusal(status: number, retryAfter: number | null = null): DeployRefusal {
  return new DeployRefusal("no", { status, code: "", hint: "", body: null, retryAfter, factor: null });
}

describe("patientCall", () => {
  it.each([
    ["502", refusal(502)],
    ["a server that is restarted", new Unreachable("nobody there")],
    ["429", refusal(429)],
  ])("deploy R-CLI-7: a minute of %s is outlived, without asking all the time", async (_name, fault) => {
    const passing = time();
    let calls = 0;
    const work = (): Promise<string> => {
      calls += 1;
      return passing.passed() < 60_000 ? Promise.reject(fault) : Promise.resolve("approved");
    };
    expect(await patientCall(work, Infinity, passing)).toBe("approved");
    expect(passing.passed()).toBeLessThan(75_000);
    expect(calls).toBeLessThan(15);
  });

  it("deploy R-CLI-7: after five minutes in a row it gives up, and says what was wrong", async () => {
    const passing = time();
    await expect(patientCall(() => Promise.reject(refusal(502)), Infinity, passing)).rejects.toThrow("no");
    expect(passing.passed()).toBeGreaterThan(300_000);
    expect(passing.passed()).toBeLessThan(315_000);
  });

  it("deploy R-CLI-7: --timeout ends it with 14 at its time, whatever the server asks for", async () => {
    const passing = time();
    const ends = patientCall(() => Promise.reject(refusal(503, 3_600)), START + 20_000, passing);
    await expect(ends).rejects.toMatchObject(new CliFault("timed out waiting for approval", 14));
    await expect(ends).rejects.toMatchObject({ exitStatus: 14 });
    expect(passing.passed()).toBe(20_000);
  });

  it.each([400, 401, 403, 404, 409, 422])("deploy R-CLI-7: %i ends at once", async (status) => {
    const passing = time();
    await expect(patientCall(() => Promise.reject(refusal(status)), Infinity, passing)).rejects.toThrow("no");
    expect(passing.passed()).toBe(0);
  });
});
