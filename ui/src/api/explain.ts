import type { Answer } from "./read.ts";
import { flag, json, list, nullable, number, object, orElse, text } from "./read.ts";

const readSeat = object({
  assignee: nullable(text),
  name: nullable(text),
  state: orElse(text, "open"),
  required: orElse(flag, false),
  overdue: orElse(flag, false),
  delegated_from: nullable(text),
});
export type Seat = Answer<typeof readSeat>;

const readStage = object({
  stage_order: number,
  name: text,
  group: nullable(number),
  state: text,
  mode: orElse(text, "all"),
  /** Null until the stage starts: nobody knows yet how many there will be. */
  needed: nullable(number),
  approved: orElse(number, 0),
  remaining: orElse(number, 0),
  due_at: nullable(text),
  required_missing: orElse(list(text), []),
  seats: orElse(list(readSeat), []),
  waiting_for: orElse(
    list(object({ assignee: text, name: nullable(text), required: orElse(flag, false), away_until: nullable(text) })),
    [],
  ),
  excluded: orElse(list(object({ user: text, reason: text })), []),
  tree: nullable(json),
  skip_reason: nullable(text),
});
export type ExplainedStage = Answer<typeof readStage>;

export const readExplain = object({
  status: text,
  revision: orElse(number, 1),
  summary: nullable(text),
  stages: list(readStage),
  you: object({
    can_decide: flag,
    task_id: nullable(text),
    actions: orElse(list(text), []),
    reasons: orElse(list(object({ code: text, message: text })), []),
  }),
  next: nullable(object({ kind: text, at: nullable(text) })),
});
export type Explain = Answer<typeof readExplain>;
