import type { ExplainedStage } from "../../api/explain.ts";
import { visibleText } from "../../parts/outside-text.tsx";
import type { PersonNames } from "./person-names.ts";
import { nameOf } from "./person-names.ts";

/** Candidates are named when they are few. */
const namedAtMost = 4;

const either = new Intl.ListFormat("en", { type: "disjunction" });
const both = new Intl.ListFormat("en", { type: "conjunction" });

/** Who an open line waits for: people by name when few, by number when many. */
export function waitingSentence(stage: ExplainedStage, names: PersonNames): string {
  const people = stage.waiting_for.map((person) => visibleText(person.name ?? person.assignee));
  const required = stage.required_missing.map((person) => visibleText(nameOf(names, person)));
  const must = required.length === 0 ? "" : `; ${both.format(required)} must sign`;
  if (people.length === 0) return `waiting${must}`;
  if (people.length > namedAtMost) return `waiting for any of ${String(people.length)} people${must}`;
  const everybody = (stage.needed ?? 1) - stage.approved >= people.length;
  return `waiting for ${(everybody ? both : either).format(people)}${must}`;
}
