/**
 * Seats whose holder let the due time pass, and the people who were invited to fill them.
 * Implements docs/spec/engine.md R-QUORUM-10.
 */
import type { Instant } from "./person.ts";
import { isOpenTask, type Seat, type StageRun } from "./request.ts";
import { closeTasks } from "./step.ts";

/** Open seats past due, in the order in which people added by an escalation fill them: required ones first. */
export function overdueSeats(stage: StageRun): readonly Seat[] {
  const overdue = (seat: Seat): boolean =>
    stage.tasks.some((task) => task.seatId === seat.id && isOpenTask(task) && task.overdueAt !== null);
  return stage.seats
    .filter((seat) => seat.state === "open" && overdue(seat))
    .sort((left, right) => Number(right.required) - Number(left.required) || left.position - right.position);
}

/** When no overdue seat is open any more, whoever was added has nothing left to fill, and nobody else need be found. */
export function skipIdleEscalation(stage: StageRun, now: Instant): StageRun {
  if (overdueSeats(stage).length > 0) return stage;
  const closed = closeTasks(stage, "skipped", now, (task) => task.escalation);
  if (closed.escalationRetryAt === null) return closed;
  return { ...closed, escalationRetryAt: null, escalationAttempts: 0 };
}
