import type { DecisionAction } from "../../api/decisions.ts";
import type { OwnFactors } from "../../api/factors.ts";
import type { View } from "../../api/views.ts";

export type Needed = "session" | "mfa" | "signed";

/** How strongly a decision must be proven: rejecting may need less than approving. */
export function neededFor(view: View, action: DecisionAction): Needed {
  const needed = action === "reject" ? view.assurance.reject : view.assurance.approve;
  return needed === "mfa" || needed === "signed" ? needed : "session";
}

export interface Obstacle {
  readonly sentence: string;
  /** From when on it is none any more. */
  readonly until: string | null;
  /** Whether setting up another factor helps. */
  readonly enrol: boolean;
}

/**
 * Why a person cannot prove this decision now, or null when they can. The server says what they can prove it with; why
 * not, and until when, is told from their own factors.
 */
export function obstacleTo(needed: Needed, view: View, own: OwnFactors | null, now: number): Obstacle | null {
  if (needed === "session") return null;
  if (needed === "mfa" ? view.methods.length > 0 : view.methods.includes("passkey")) return null;
  if (own === null) return { sentence: "You cannot prove this decision.", until: null, enrol: false };
  const fitting = own.factors.filter((factor) => !factor.disabled && (needed === "mfa" || factor.type === "passkey"));
  const cooling = fitting.filter((factor) => factor.usable_at !== null && Date.parse(factor.usable_at) > now);
  const first = cooling.map((factor) => factor.usable_at ?? "").toSorted()[0];
  if (first !== undefined) {
    const factor = cooling.find((each) => each.usable_at === first);
    return {
      sentence: `“${factor?.name ?? ""}” is new: it cannot serve decisions yet. It can`,
      until: first,
      enrol: false,
    };
  }
  const passkeys = fitting.filter((factor) => factor.type === "passkey");
  if (needed === "signed" && passkeys.length > 0) {
    const sentence = passkeys.some((factor) => factor.signing)
      ? "None of your passkeys is accepted here: it must be one that is bound to its device."
      : "Your passkey no longer signs.";
    return { sentence, until: null, enrol: true };
  }
  const what = needed === "signed" ? "This is signed with a passkey" : "This needs a passkey or an authenticator";
  return { sentence: `${what}, and you have none.`, until: null, enrol: true };
}
