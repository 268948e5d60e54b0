/**
 * How strongly must a decision be proven, and is it? Implements docs/spec/identity.md section 6 (decision assurance), R-SIGN-2,
 * R-SIGN-7 and R-SIGN-8, and docs/spec/engine.md R-DECIDE-10. Whether a proof holds is found out before; here only its rank
 * and its time count.
 */
import { ASSURANCES, type Assurance, type ProofMethod } from "./assurance-level.ts";
import type { Instant } from "./person.ts";
import type { Stage } from "./policy.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { DecisionAction, Task } from "./request.ts";

export interface Proven {
  readonly assurance: Assurance;
  /** Null where the session alone speaks. */
  readonly method: ProofMethod | null;
  /** Null for a backup code too: it is no factor of its own. */
  readonly factorId: string | null;
  /** When the request was shown to the person, if the decision names a view of it. */
  readonly shownAt: Instant | null;
}

export const SESSION_ALONE: Proven = { assurance: "session", method: null, factorId: null, shownAt: null };

export function isAtLeast(given: Assurance, needed: Assurance): boolean {
  return ASSURANCES.indexOf(given) >= ASSURANCES.indexOf(needed);
}

/** What observers say changes nothing, and a rejection is never harder than an approval. */
export function neededAssurance(stage: Stage, kind: Task["kind"], action: DecisionAction): Assurance {
  if (kind === "observer") return "session";
  if (action !== "reject") return stage.assurance;
  return isAtLeast(stage.assurance, stage.rejectAssurance) ? stage.rejectAssurance : stage.assurance;
}

interface Proving {
  readonly stage: Stage;
  readonly kind: Task["kind"];
  readonly action: DecisionAction;
  readonly proven: Proven;
  readonly now: Instant;
}

/** The last of the checks of R-DECIDE-2. */
export function assuranceRefusal({ stage, kind, action, proven, now }: Proving): Refusal | null {
  if (kind === "observer") return null;
  const { minViewSeconds, requireView } = stage;
  if (proven.shownAt === null && (requireView || minViewSeconds !== null)) {
    return refuse("view_required", "This stage takes decisions on what was shown: open the request and decide there");
  }
  const needed = neededAssurance(stage, kind, action);
  if (!isAtLeast(proven.assurance, needed)) return notEnough(needed);
  if (proven.shownAt === null || minViewSeconds === null || now - proven.shownAt >= minViewSeconds * 1_000) return null;
  return refuse(
    "too_fast",
    `This stage asks for at least ${minViewSeconds} seconds of reading: look at it, then decide`,
  );
}

function notEnough(needed: Assurance): Refusal {
  return needed === "signed"
    ? refuse("signature_required", "This stage takes decisions signed with a passkey")
    : refuse("step_up_required", "This stage asks for a passkey, a code or a backup code with the decision itself");
}
