import type { Decision } from "../../api/decisions.ts";
import type { OwnFactors } from "../../api/factors.ts";
import type { Explain } from "../../api/explain.ts";
import { statusWord } from "../../parts/status-mark.tsx";

const verbs: Readonly<Record<string, string>> = {
  approve: "You approved",
  reject: "You rejected",
  abstain: "You abstained",
};

const proofs: Readonly<Record<string, string>> = {
  passkey: "with your passkey",
  totp: "with your authenticator",
  backup_code: "with a backup code",
};

/** Where the decision stands in the ledger and how it was proven, once the server has told; empty until then. */
export function recordedProof(decision: Decision | undefined, own: OwnFactors | null): string {
  if (decision?.entry == null) return "";
  const at = `Entry ${decision.entry.toLocaleString("en")}`;
  const key = own?.factors.find((factor) => factor.id === decision.factor_id)?.name;
  if (decision.assurance === "signed") return `${at}, signed by your passkey${key === undefined ? "" : ` “${key}”`}.`;
  const proof = proofs[decision.method ?? ""];
  return decision.assurance !== "mfa" || proof === undefined ? `${at}.` : `${at}, proven ${proof}.`;
}

/** R-DEC-2: after the commit, what was recorded and what is still missing. */
export function recordedSentence(decision: Decision, explain: Explain): string {
  const verb = `Recorded. ${verbs[decision.action] ?? "You decided"}`;
  if (explain.status !== "in_review") return `${verb}; the request is ${statusWord(explain.status).toLowerCase()}.`;
  const stage = explain.stages.find((each) => each.stage_order === decision.stage_order);
  if (stage?.state === "open") {
    const more = stage.remaining === 1 ? "1 more signature is" : `${String(stage.remaining)} more signatures are`;
    return `${verb}; ${more} needed in ${stage.name}.`;
  }
  const next = explain.stages.find((each) => each.state === "open");
  return next === undefined ? `${verb}.` : `${verb}; ${next.name} must sign next.`;
}
