/**
 * Identifiers, one type per thing that has one, so that a task's id cannot stand where a request's is meant.
 * All are UUID v4 text with dashes, as the compatible APIs show them (docs/spec/api.md R-API-3).
 */
type Id<Name extends string> = string & { readonly __id: Name };

export type PersonId = Id<"person">;
export type PolicyId = Id<"policy">;
export type RequestId = Id<"request">;
export type StageRunId = Id<"stage run">;
export type SeatId = Id<"seat">;
export type TaskId = Id<"task">;
export type DecisionId = Id<"decision">;
export type EventId = Id<"event">;
export type DelegationId = Id<"delegation">;
export type GrantId = Id<"grant">;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The one place where text becomes an id: lower-case UUID text, or not an id at all. */
export function isId<Name extends string>(text: string): text is Id<Name> {
  return UUID.test(text);
}

/** A source of fresh ids. The core never makes randomness itself: callers hand one in. */
export type NewId = <Name extends string>() => Id<Name>;
