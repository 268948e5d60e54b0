import { expect, it } from "vitest";
import { RackFault } from "./rack-fault.ts";
import { quickCall, slowCall } from "./rack-timeouts.ts";

it("deploy R-PROXY-8: headers within 60 s, or 300 s of what is slow; 10 min without a byte; uploads 60 s and 60 min", () => {
  const others = { answerIdleMs: 600_000, uploadIdleMs: 60_000, uploadMs: 3_600_000 };
  expect(quickCall).toEqual({ headersMs: 60_000, ...others });
  expect(slowCall).toEqual({ headersMs: 300_000, ...others });
});

it("deploy R-PROXY-8: a fault says what it was, and whether the rack may have seen the call", () => {
  const fault = new RackFault("rack_timeout", true, "no answer in time");
  expect([fault.name, fault.code, fault.sent, fault.message]).toEqual([
    "RackFault",
    "rack_timeout",
    true,
    "no answer in time",
  ]);
});
