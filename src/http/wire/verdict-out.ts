/** The grant of an approval, and what it permits now, as the wire shows them. */
import { grantAt, type Grant } from "../../core/grant.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { GrantOut, VerdictOut } from "../../contract/grants.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";

/** An end that has come is shown, whether or not the clock has written it down. */
export function grantOut(grant: Grant, now: number): GrantOut {
  const { state, notBefore, expiresAt, uses, usesMax } = grantAt(grant, now);
  return {
    state,
    not_before: wireTime(notBefore),
    expires_at: wireTimeOrNull(expiresAt),
    uses,
    uses_max: usesMax,
  };
}

export function verdictOut({ verdict, reason }: Verdict, grant: Grant | null, now: number): VerdictOut {
  return { verdict, reason, grant: grant === null ? null : grantOut(grant, now) };
}
