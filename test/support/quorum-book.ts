/**
 * Section 8 of docs/spec/engine.md once more, as its tables say it and by trying everything: slow, and written without
 * a look at src/core/quorum.ts. Tests compare the two.
 */
import type { Stage } from "../../src/core/policy.ts";
import type { Seat } from "../../src/core/request.ts";

export type Counting = Pick<Stage, "mode" | "modeValue" | "minApprovals" | "abstain" | "reject">;
export type Ballot = Pick<Seat, "state" | "required">;
export type HeldBallot = Pick<Seat, "state" | "required" | "holder">;

export interface Urn {
  readonly rule: Counting;
  readonly seats: readonly HeldBallot[];
}

/** R-QUORUM-1, with fractions instead of whole-number tricks. */
export function metByTheBook(rule: Counting, seats: readonly Ballot[]): boolean {
  const counted = seats.filter((seat) => seat.state !== "removed");
  const abstained = counted.filter((seat) => seat.state === "abstained").length;
  const total = rule.abstain === "neutral" ? counted.length - abstained : counted.length;
  const wanted = {
    "any-n": rule.modeValue ?? 1,
    all: total,
    percentage: Math.ceil(Number((((rule.modeValue ?? 100) * total) / 100).toFixed(6))),
  }[rule.mode];
  const approved = seats.filter((seat) => seat.state === "approved").length;
  const allRequired = seats.every((seat) => !seat.required || seat.state === "approved");
  return approved >= Math.max(wanted, rule.minApprovals, 1) && allRequired;
}

/**
 * R-QUORUM-3: can people holding open seats complete all these stages by approving, in some order? A stage closes when
 * it is met. Where `once`, whoever approves in one stage loses the seats in the others (R-SOD-2).
 */
export function canComplete(stages: readonly Urn[], once: boolean, seen: Set<string> = new Set<string>()): boolean {
  const open = stages.filter((each) => !metByTheBook(each.rule, each.seats));
  if (open.length === 0) return true;
  const key = JSON.stringify(open.map((each) => [each.rule, each.seats]));
  if (seen.has(key)) return false;
  seen.add(key);
  return open.some((each) =>
    each.seats.some((seat) => seat.state === "open" && canComplete(afterApproval(open, each, seat, once), once, seen)),
  );
}

function afterApproval(open: readonly Urn[], chosen: Urn, seat: HeldBallot, once: boolean): readonly Urn[] {
  return open.map((urn): Urn => {
    const next = (ballot: HeldBallot): HeldBallot => {
      if (ballot.holder !== seat.holder || ballot.state !== "open") return ballot;
      if (urn === chosen) return { ...ballot, state: "approved" };
      return once ? { ...ballot, state: "removed" } : ballot;
    };
    return { rule: urn.rule, seats: urn.seats.map(next) };
  });
}
