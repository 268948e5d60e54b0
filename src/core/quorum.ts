/**
 * When is a stage finished, and can it still be? The only quorum function: server, simulation, explain and offline
 * verification use this one (R-QUORUM-14). Implements docs/spec/engine.md section 6.
 */
import type { PersonId } from "./ids.ts";
import type { Stage } from "./policy.ts";
import type { Seat } from "./request.ts";

/** The part of a stage that says how votes count. */
export type QuorumRule = Pick<Stage, "mode" | "modeValue" | "minApprovals" | "abstain" | "reject">;

export interface Tally {
  /** Seats that are not removed. */
  readonly seats: number;
  readonly approved: number;
  readonly open: number;
  readonly abstained: number;
  readonly requiredOpen: number;
  /** Required seats that can no longer be approved. */
  readonly requiredLost: number;
}

/** What counting needs to know of a seat. */
export type Vote = Pick<Seat, "state" | "required">;

export function tally(seats: readonly Vote[]): Tally {
  const count = (test: (seat: Vote) => boolean): number => seats.filter(test).length;
  return {
    seats: count((seat) => seat.state !== "removed"),
    approved: count((seat) => seat.state === "approved"),
    open: count((seat) => seat.state === "open"),
    abstained: count((seat) => seat.state === "abstained"),
    requiredOpen: count((seat) => seat.required && seat.state === "open"),
    requiredLost: count((seat) => seat.required && seat.state !== "open" && seat.state !== "approved"),
  };
}

/** Approvals needed as things stand; at least 1 in every mode (R-QUORUM-5). */
export function needed(rule: QuorumRule, votes: Tally): number {
  const floor = Math.max(1, rule.minApprovals);
  const electorate = rule.abstain === "neutral" ? votes.seats - votes.abstained : votes.seats;
  switch (rule.mode) {
    case "any-n":
      return Math.max(rule.modeValue ?? 1, floor);
    case "all":
      return Math.max(electorate, floor);
    case "percentage":
      // Whole numbers only: 50 % of 3 is 2, never 1.5000000000000002.
      return Math.max(Math.floor(((rule.modeValue ?? 100) * electorate + 99) / 100), floor);
  }
}

/** R-QUORUM-1: approvals suffice and every required seat is approved. */
export function isMet(rule: QuorumRule, seats: readonly Vote[]): boolean {
  const votes = tally(seats);
  return votes.approved >= needed(rule, votes) && votes.requiredOpen === 0 && votes.requiredLost === 0;
}

/** R-QUORUM-3 for one stage on its own: some future in which open seats approve completes it. */
export function isFeasible(rule: QuorumRule, seats: readonly Vote[]): boolean {
  const votes = tally(seats);
  return votes.approved + votes.open >= needed(rule, votes) && votes.requiredLost === 0;
}

/** The most approvals a stage can still reach. */
export function possible(seats: readonly Vote[]): number {
  const votes = tally(seats);
  return votes.approved + votes.open;
}

/** A vote and whose it is. */
export type HeldVote = Pick<Seat, "state" | "required" | "holder">;

export interface SiblingStage {
  readonly rule: QuorumRule;
  readonly seats: readonly HeldVote[];
}

/**
 * R-QUORUM-3 for the open stages of one parallel group under `forbid_repeat_approvers`: each person approves in one of
 * them only, so their quorums compete for people.
 *
 * The best future is the one where everybody with an open seat approves somewhere: whoever approves elsewhere is
 * removed here (R-QUORUM-13), which only lowers what `all` and `percentage` ask for. So a stage needs the smallest
 * number of further approvals that satisfies its mode once everybody else is gone, and people are matched to stages.
 */
export function isGroupFeasible(stages: readonly SiblingStage[]): boolean {
  if (stages.some((stage) => tally(stage.seats).requiredLost > 0)) return false;
  const bound = new Map<PersonId, number>();
  for (const [index, stage] of stages.entries()) {
    for (const seat of stage.seats) {
      if (!seat.required || seat.state !== "open") continue;
      if (bound.has(seat.holder)) return false;
      bound.set(seat.holder, index);
    }
  }
  const demands = stages.map((stage, index) => {
    const bindings = [...bound.values()].filter((place) => place === index).length;
    return Math.max(0, furtherApprovals(stage) - bindings);
  });
  const free = stages.map(
    (stage) =>
      new Set(
        stage.seats.filter((seat) => seat.state === "open" && !bound.has(seat.holder)).map((seat) => seat.holder),
      ),
  );
  return canServe(demands, free);
}

/** The smallest number of open seats that must approve when every other open seat is removed; infinite if none will do. */
function furtherApprovals(stage: SiblingStage): number {
  const votes = tally(stage.seats);
  const fixed = votes.seats - votes.open;
  for (let extra = 0; extra <= votes.open; extra += 1) {
    const then: Tally = { ...votes, seats: fixed + extra, approved: votes.approved + extra, open: 0 };
    if (then.approved >= needed(stage.rule, then)) return extra;
  }
  return Number.POSITIVE_INFINITY;
}

/** Maximum bipartite matching by augmenting paths: every demanded place gets a person of its own. */
function canServe(demands: readonly number[], free: readonly ReadonlySet<PersonId>[]): boolean {
  if (demands.some((demand, index) => demand > (free[index]?.size ?? 0))) return false;
  const placeOf = new Map<PersonId, number>();
  const load = demands.map(() => 0);
  const assign = (place: number, tried: Set<PersonId>): boolean => {
    for (const person of free[place] ?? []) {
      if (tried.has(person)) continue;
      tried.add(person);
      const holder = placeOf.get(person);
      if (holder === place) continue;
      if (holder === undefined || assign(holder, tried)) {
        placeOf.set(person, place);
        return true;
      }
    }
    return false;
  };
  for (const [place, demand] of demands.entries()) {
    while ((load[place] ?? 0) < demand) {
      if (!assign(place, new Set())) return false;
      load[place] = (load[place] ?? 0) + 1;
    }
  }
  return true;
}
