import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ciFault, done, nextEffectAttempt } from "./effect-result.ts";
import { readCall, type CallAnswer } from "./provider-answer.ts";

const words = { forbidden: "token lacks write:builds scope or has expired", missing: "workflow not found" };

describe("a failed call", () => {
  it.each([
    [401, "ci_unauthorized", "401 Unauthorized: the token is not valid or has expired"],
    [403, "ci_forbidden", "403 Forbidden: token lacks write:builds scope or has expired"],
    [404, "ci_workflow_not_found", "workflow not found"],
    [400, "ci_refused", "the service answered 400: no"],
    [422, "ci_refused", "the service answered 422: no"],
  ])("deploy R-CI-4: %i is permanent", (status, code, sentence) => {
    const fault = ciFault({ status, retryAfterSeconds: 5, message: "no" }, words);
    expect(fault).toEqual({ result: "permanent", code, sentence });
  });

  it.each([301, 408, 409, 425, 429, 500, 502, 503, 599])("deploy R-CI-4: %i is tried again", (status) => {
    const fault = ciFault({ status, retryAfterSeconds: 5, message: "" }, words);
    expect(fault).toMatchObject({ result: "retry", afterSeconds: 5 });
  });

  it("deploy R-CI-4: so is one without an answer, and a silent refusal says its status", () => {
    expect(ciFault({ unreachable: "reset" }, words)).toEqual({ result: "retry", afterSeconds: null, why: "reset" });
    const fault = ciFault({ status: 418, retryAfterSeconds: null, message: "" }, words);
    expect(fault).toMatchObject({ sentence: "the service answered 418" });
    expect(done()).toEqual({ result: "done", record: {} });
  });
});

describe("when it is tried again", () => {
  it("deploy R-CI-1: after 2, 5, 10, 20, 30 s, then every 30 s", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 100].map((attempt) => nextEffectAttempt(attempt, 0, 1e9, null));
    expect(pauses).toEqual([2_000, 5_000, 10_000, 20_000, 30_000, 30_000, 30_000]);
    expect(nextEffectAttempt(1, 0, 1e9, 45)).toBe(45_000);
    expect(nextEffectAttempt(5, 0, 1e9, 1)).toBe(30_000);
  });

  it("deploy R-CI-1 case 59: never at or after the end of the window", () => {
    expect(nextEffectAttempt(1, 0, 2_001, null)).toBe(2_000);
    expect(nextEffectAttempt(1, 0, 2_000, null)).toBeNull();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.nat(1e9),
        fc.nat(1e9),
        fc.option(fc.nat(1e5)),
        (attempt, now, ends, after) => {
          const at = nextEffectAttempt(attempt, now, ends, after);
          expect(at === null || (at > now && at < ends)).toBe(true);
        },
      ),
    );
  });
});

describe("an answer", () => {
  const text = (body: unknown) =>
    typeof body === "string" ? ({ success: true, data: body } as const) : ({ success: false } as const);

  function answer(status: number, body: unknown, after: string | null = null): CallAnswer {
    return { status, body, header: (name) => (name === "retry-after" ? after : null) };
  }

  it("deploy R-CI-8: in another form than the expected is none", () => {
    expect(readCall("X", answer(200, "yes"), text)).toEqual({ value: "yes" });
    const failed = { unreachable: "X answered in a form that was not understood" };
    expect(readCall("X", answer(200, 7), text)).toEqual({ failed });
    expect(readCall("X", { unreachable: "reset" }, text)).toEqual({ failed: { unreachable: "X: reset" } });
  });

  it.each([
    [{ message: "a" }, "7", { status: 400, retryAfterSeconds: 7, message: "a" }],
    [{ error: "b" }, "soon", { status: 400, retryAfterSeconds: null, message: "b" }],
    [{ message: ["c"] }, "-1", { status: 400, retryAfterSeconds: null, message: "" }],
    [[], null, { status: 400, retryAfterSeconds: null, message: "" }],
    [{ message: "d".repeat(600) }, null, { status: 400, retryAfterSeconds: null, message: "d".repeat(500) }],
  ])("deploy R-CI-8: a refusal says why, in bounds: %#", (body, after, failed) => {
    expect(readCall("X", answer(400, body, after), text)).toEqual({ failed });
    expect(readCall("X", answer(199, body, after), text)).toMatchObject({ failed: { status: 199 } });
  });
});
