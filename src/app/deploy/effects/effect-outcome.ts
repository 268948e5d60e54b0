/** How a call to somebody else's service ended, in the words of the effect queue (docs/spec/effects.md, deploy R-CI-1). */
import type { EffectResult } from "../../../gates/deploy/effect-result.ts";
import type { EffectOutcome } from "../../../ports/effects.ts";

const SECOND = 1_000;

/** `unavailable` is the code of what did not work this time and may the next. */
export function effectOutcome(outcome: EffectResult, unavailable: string): EffectOutcome {
  switch (outcome.result) {
    case "done":
      return { kind: "done", result: outcome.record };
    case "retry": {
      const { afterSeconds, why } = outcome;
      const afterMs = afterSeconds === null ? null : afterSeconds * SECOND;
      return { kind: "retry", error: { code: unavailable, message: why }, afterMs };
    }
    case "permanent": {
      const { code, sentence } = outcome;
      return { kind: code === "approval_ended" ? "withdrawn" : "failed", error: { code, message: sentence } };
    }
  }
}

export function withdrawn(code: string, message: string): EffectOutcome {
  return { kind: "withdrawn", error: { code, message } };
}

/** Nobody has set up what this would be told to. */
export function notConfigured(message: string): EffectOutcome {
  return withdrawn("not_configured", message);
}

export function failed(code: string, message: string): EffectOutcome {
  return { kind: "failed", error: { code, message } };
}
