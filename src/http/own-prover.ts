/** Who proves something about themselves in this call, and whether they must (docs/spec/identity.md R-FACT-8, section 4). */
import type { Prover } from "../app/factor-throttle.ts";
import { proveFactor } from "../app/prove-factor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import { recordsBy } from "../ports/records.ts";
import { assuranceProblem, provesFactors, type Authorized } from "./authorized.ts";
import type { RawExchange } from "./endpoint.ts";
import type { Problem } from "./problem.ts";

export function proverOf({ actor, session }: Authorized): Prover | Refusal {
  if (actor.person === null) return refuse("not_found", "Only people have factors");
  return { personId: actor.person.id, sessionId: session?.id ?? null };
}

/** What has a secret or a code in it is for its person's eyes alone. */
export const UNCACHED = { "Cache-Control": "no-store" } as const;

/**
 * Null when the caller may enrol: with an existing factor in this very call when there is one. Who came by a one-time link
 * has shown that instead: their factors may be what they lost.
 */
export async function enrolmentFault(
  { caller, route }: Pick<RawExchange, "caller" | "route">,
  who: Prover,
): Promise<Problem | Refusal | null> {
  if (!provesFactors(caller)) return null;
  if (caller.session?.kind === "enrolment" && caller.session.method === "link") return null;
  const factors = await caller.app.reader.records(recordsBy("factor", "personId", [who.personId]));
  if (!factors.some(({ removedAt }) => removedAt === null)) return null;
  if (caller.proof !== null) return null;
  if (caller.sentProof === null) return assuranceProblem("fresh");
  const proof = await proveFactor(caller.app, who, route, caller.sentProof);
  return isRefusal(proof) ? proof : null;
}
