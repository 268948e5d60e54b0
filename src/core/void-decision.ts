/**
 * A decision that was given and cannot count any more. It stays where it stands, without its seat; the seat leaves the
 * electorate. The caller settles what follows. Implements docs/spec/identity.md R-ID-7.
 */
import type { Instant } from "./person.ts";
import type { Decision, Seat } from "./request.ts";
import { emit, patchStage, type Step } from "./step.ts";

export interface VoidedVote {
  readonly order: number;
  readonly decision: Decision;
  /** Position of the entry that recorded it. */
  readonly recordedAt: number;
  readonly cause: "merged";
}

export function voidDecision(step: Step, vote: VoidedVote, now: Instant): Step {
  const { order, decision, recordedAt, cause } = vote;
  const voided: Decision = { ...decision, seatId: null, voidedAt: now };
  const without = patchStage(step, order, (run) => ({
    ...run,
    seats: run.seats.map((seat): Seat => (seat.id === decision.seatId ? { ...seat, state: "removed" } : seat)),
    decisions: run.decisions.map((each) => (each.id === decision.id ? voided : each)),
  }));
  return emit(without, { type: "decision_voided", decision: voided, recordedAt, cause }, { stageOrder: order });
}
