import { describe, expect, it } from "vitest";
import { ApiRate, BurstRate, InvalidCredentials, rateHeaders } from "./api-rate.ts";

/** The beginning of a minute. */
const MINUTE = 1_700_000_040_000;

describe("the calls of one credential", () => {
  it("identity R-AUTHZ-2: are counted alone, and each answer says how many are left", () => {
    let now = MINUTE + 1;
    const rate = new ApiRate(2, () => now);
    const said = (credential: string): unknown => {
      const state = rate.count(credential);
      return state === null ? null : rateHeaders(state);
    };
    expect(said("a")).toEqual({
      "X-RateLimit-Limit": "2",
      "X-RateLimit-Remaining": "1",
      "X-RateLimit-Reset": "60",
    });
    expect(rate.count("a")).toMatchObject({ remaining: 0, exceeded: false });
    now += 10_000;
    expect(said("a")).toMatchObject({ "X-RateLimit-Remaining": "0", "Retry-After": "50" });
    expect(rate.count("b")).toMatchObject({ remaining: 1, exceeded: false });
    now = MINUTE + 60_000;
    expect(rate.count("a")).toMatchObject({ remaining: 1, exceeded: false });
  });

  it("identity R-AUTHZ-2: are not limited where the limit is 0", () => {
    expect(new ApiRate(0, () => MINUTE).count("a")).toBeNull();
  });
});

describe("guesses from one address", () => {
  function guessed(address: string, times: number): InvalidCredentials {
    const invalid = new InvalidCredentials(() => MINUTE + 20_000);
    for (let index = 0; index < times; index += 1) invalid.refused(address, String(index));
    return invalid;
  }

  it("identity R-AUTHZ-2: 30 per minute are looked at, then none for the rest of it", () => {
    expect(guessed("192.0.2.1", 29).wait("192.0.2.1", "x")).toBeNull();
    expect(guessed("192.0.2.1", 30).wait("192.0.2.1", "x")).toBe(40);
    expect(guessed("192.0.2.1", 30).wait("192.0.2.2", "x")).toBeNull();
  });

  it("identity R-AUTHZ-2: begin anew with the next minute", () => {
    let now = MINUTE;
    const invalid = new InvalidCredentials(() => now);
    for (let index = 0; index < 30; index += 1) invalid.refused("192.0.2.1", String(index));
    expect(invalid.wait("192.0.2.1", "x")).toBe(60);
    now += 60_000;
    expect(invalid.wait("192.0.2.1", "x")).toBeNull();
  });

  it("identity R-FACT-7: do not lock out whoever works from the same address, until that credential ends", () => {
    const invalid = guessed("192.0.2.1", 0);
    invalid.accepted("good");
    for (let index = 0; index < 30; index += 1) invalid.refused("192.0.2.1", `bad ${String(index)}`);
    expect(invalid.wait("192.0.2.1", "good")).toBeNull();
    expect(invalid.wait("192.0.2.1", "new")).toBe(40);
    invalid.refused("192.0.2.1", "good");
    expect(invalid.wait("192.0.2.1", "good")).toBe(40);
  });

  it("identity R-AUTHZ-2: one that is repeated is stopped by itself, and does not bar its neighbours", () => {
    const invalid = guessed("192.0.2.1", 0);
    for (let index = 0; index < 30; index += 1) invalid.refused("192.0.2.1", "ended session");
    expect(invalid.wait("192.0.2.1", "ended session")).toBe(40);
    expect(invalid.wait("192.0.2.1", "x")).toBeNull();
  });

  it.each([
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:1:2:3", true],
    ["2001:db8:1:2::1", "2001:db8:1:3::1", false],
    ["::1", "::2", true],
    ["2001:db8::1", "2001:db8:0:0:1::", true],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.2", false],
  ])("identity R-AUTHZ-2: %s and %s are one source: %s", (one, other, same) => {
    expect(guessed(one, 30).wait(other, "x") !== null).toBe(same);
  });
});

describe("the calls of one credential to the deploy gate", () => {
  it("deploy R-WIRE-1: may come in a burst, then so many a second, each credential by itself", () => {
    let now = MINUTE;
    const rate = new BurstRate({ perSecond: 10, burst: 3 }, () => now);
    const calls = (count: number, who = "a"): readonly boolean[] =>
      Array.from({ length: count }, () => rate.count(who).exceeded);
    expect(rate.count("a")).toMatchObject({ limit: 3, remaining: 2, exceeded: false });
    expect(calls(3)).toEqual([false, false, true]);
    expect(rateHeaders(rate.count("a"))).toMatchObject({ "X-RateLimit-Remaining": "0", "Retry-After": "1" });
    expect(calls(1, "b")).toEqual([false]);
    now += 100;
    expect(calls(2)).toEqual([false, true]);
    now += 60_000;
    expect(calls(4)).toEqual([false, false, false, true]);
    now -= 3_600_000;
    expect(calls(4)).toEqual([true, true, true, true]);
    now += 300;
    expect(calls(4)).toEqual([false, false, false, true]);
  });
});
