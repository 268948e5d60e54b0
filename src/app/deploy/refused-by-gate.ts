/** A refusal of the deploy gate where a command answers in the engine's words (docs/spec/deploy.md R-REFUSE-1). */
import type { Refusal, RefusalCode } from "../../core/refusal.ts";
import type { DeployRefusal, DeployRefusalCode } from "../../gates/deploy/deploy-refusal.ts";

export interface GateRefusal extends Refusal {
  readonly gate: DeployRefusal;
  /** The request that it is about, whose object comes with the answer; null where there is none to show. */
  readonly about: string | null;
}

export function refusedByGate(gate: DeployRefusal, about: string | null = null): GateRefusal {
  return { refusal: engineCode(gate), message: gate.message, gate, about };
}

export function isGateRefusal(refusal: Refusal): refusal is GateRefusal {
  return "gate" in refusal;
}

/** For callers of the generic API, who meet a few of them (docs/spec/deploy.md R-VCS-3, R-SOURCE-1). */
function engineCode({ code }: DeployRefusal): RefusalCode {
  return ENGINE_WORDS[code] ?? "wrong_state";
}

const ENGINE_WORDS: Partial<Readonly<Record<DeployRefusalCode, RefusalCode>>> = {
  approval_stale: "approval_stale",
  source_not_ready: "source_not_ready",
  vcs_unavailable: "vcs_unavailable",
  commit_not_verified: "vcs_unavailable",
};
