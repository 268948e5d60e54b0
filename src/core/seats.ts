/**
 * From candidates to seats: each distinct eligible person gets one, held by that person or by a delegate.
 * Implements docs/spec/engine.md R-DELEG-1 to R-DELEG-4 and section 6.
 */
import type { Barred, Candidate } from "./candidates.ts";
import type { Facts } from "./facts.ts";
import type { PersonId } from "./ids.ts";
import type { Delegation, Instant, Person } from "./person.ts";
import type { Stage } from "./policy.ts";
import { isFeasible } from "./quorum.ts";
import type { Seat } from "./request.ts";

export interface SeatPlan {
  readonly holder: Person;
  /** In candidate order; the first one names the seat's place. */
  readonly origins: readonly Person[];
  readonly required: boolean;
}

export interface SkippedDelegation {
  readonly user: Person;
  readonly delegate: Person;
  readonly reason: "barred" | "machine" | "disabled" | "stage_forbids" | "would_break_quorum";
}

export interface Seating {
  readonly seats: readonly SeatPlan[];
  readonly skippedDelegations: readonly SkippedDelegation[];
}

export interface Petitioned {
  readonly stage: Stage;
  readonly policyKey: string;
  readonly artifactType: string;
  readonly now: Instant;
  readonly barred: Barred;
}

/**
 * The seats of a stage. `keeping` are candidates who keep their own seat, because their delegate is needed in a stage
 * beside this one.
 */
export function planSeats(
  candidates: readonly Candidate[],
  facts: Facts,
  where: Petitioned,
  keeping: ReadonlySet<PersonId> = new Set(),
): Seating {
  const { delegates, skipped } = delegatesOf(candidates, facts, where);
  const giveUp = (person: Person): void => {
    const delegate = delegates.get(person.id);
    if (delegate === undefined) return;
    delegates.delete(person.id);
    skipped.push({ user: person, delegate, reason: "would_break_quorum" });
  };
  for (const { person } of candidates) if (keeping.has(person.id)) giveUp(person);
  // A delegation onto somebody who already has a seat melts two seats into one. The last of those are given up until
  // the quorum can be reached again (R-DELEG-4). Giving one up may melt its seat with another one: hence over and over.
  while (!reachable(where.stage, seatsFor(candidates, delegates))) {
    const melted = seatsFor(candidates, delegates).filter((seat) => seat.origins.length > 1);
    const last = candidates.findLast(
      ({ person }) =>
        delegates.has(person.id) && melted.some((seat) => seat.origins.some(({ id }) => id === person.id)),
    );
    if (last === undefined) break;
    giveUp(last.person);
  }
  return { seats: seatsFor(candidates, delegates), skippedDelegations: skipped };
}

/** Whom an escalation adds: as seats, but without a quorum that a delegation could break (R-SLA-5). */
export function planAdded(candidates: readonly Candidate[], facts: Facts, where: Petitioned): Seating {
  const { delegates, skipped } = delegatesOf(candidates, facts, where);
  return { seats: seatsFor(candidates, delegates), skippedDelegations: skipped };
}

/** One hop only: a delegate's own delegations are not followed, so that it stays visible who decides (R-DELEG-2). */
function delegatesOf(
  candidates: readonly Candidate[],
  facts: Facts,
  where: Petitioned,
): { readonly delegates: Map<PersonId, Person>; readonly skipped: SkippedDelegation[] } {
  const skipped: SkippedDelegation[] = [];
  const delegates = new Map<PersonId, Person>();
  for (const { person } of candidates) {
    const delegation = inForce(facts.delegations.get(person.id) ?? [], where);
    if (delegation === undefined) continue;
    const reason = refusedDelegate(delegation.to, where);
    if (reason === null) delegates.set(person.id, delegation.to);
    else skipped.push({ user: person, delegate: delegation.to, reason });
  }
  return { delegates, skipped };
}

/** Of several in force for one person and scope the most recently created wins (R-DELEG-1). */
function inForce(delegations: readonly Delegation[], where: Petitioned): Delegation | undefined {
  return delegations
    .filter(
      (delegation) =>
        delegation.startsAt <= where.now &&
        where.now < delegation.endsAt &&
        (delegation.policyKeys.length === 0 || delegation.policyKeys.includes(where.policyKey)) &&
        (delegation.artifactTypes.length === 0 || delegation.artifactTypes.includes(where.artifactType)),
    )
    .reduce<Delegation | undefined>(
      (newest, delegation) => (newest === undefined || delegation.createdAt >= newest.createdAt ? delegation : newest),
      undefined,
    );
}

function refusedDelegate(delegate: Person, where: Petitioned): SkippedDelegation["reason"] | null {
  if (!where.stage.allowDelegation) return "stage_forbids";
  if (delegate.machine) return "machine";
  if (delegate.disabled) return "disabled";
  return where.barred(delegate) === null ? null : "barred";
}

function seatsFor(candidates: readonly Candidate[], delegates: ReadonlyMap<PersonId, Person>): readonly SeatPlan[] {
  const seats = new Map<PersonId, SeatPlan>();
  for (const { person, required } of candidates) {
    const holder = delegates.get(person.id) ?? person;
    const seat = seats.get(holder.id);
    seats.set(holder.id, {
      holder,
      origins: [...(seat?.origins ?? []), person],
      required: required || seat?.required === true,
    });
  }
  return [...seats.values()];
}

function reachable(stage: Stage, plans: readonly SeatPlan[]): boolean {
  const seats = plans.map((plan): Pick<Seat, "state" | "required"> => ({ state: "open", required: plan.required }));
  return isFeasible(stage, seats);
}
