/** May what was asked for be done now? Computed, so that it is true from its instant on. docs/spec/engine.md R-GRANT-4. */
import { grantAt } from "./grant.ts";
import type { Instant } from "./person.ts";
import { isLive, type Request } from "./request.ts";

/** `not_applicable`: nothing is decided yet, so there is nothing to act on. */
export type VerdictWord = "permit" | "deny" | "not_applicable";

export interface Verdict {
  readonly verdict: VerdictWord;
  /** Stable: the request's status, or what became of its grant. */
  readonly reason: string;
}

export function verdictOn({ status, grant }: Pick<Request, "status" | "grant">, now: Instant): Verdict {
  if (isLive(status)) return { verdict: "not_applicable", reason: status };
  if (status !== "approved") return { verdict: "deny", reason: status };
  if (grant === null) return { verdict: "deny", reason: "no_grant" };
  const { state, notBefore } = grantAt(grant, now);
  if (state !== "active") return { verdict: "deny", reason: `grant_${state}` };
  return now < notBefore ? { verdict: "deny", reason: "grant_not_yet" } : { verdict: "permit", reason: "approved" };
}
