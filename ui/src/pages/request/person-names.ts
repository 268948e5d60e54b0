import type { Explain } from "../../api/explain.ts";
import type { Me } from "../../api/session.ts";

/** From user names to the names people know, as far as the page has been told. */
export type PersonNames = ReadonlyMap<string, string>;

export function namesOf(explain: Explain | null, me: Me): PersonNames {
  const names = new Map<string, string>();
  for (const stage of explain?.stages ?? []) {
    for (const person of [...stage.seats, ...stage.waiting_for]) {
      if (person.assignee !== null && person.name !== null) names.set(person.assignee, person.name);
    }
  }
  if (me.name !== null) names.set(me.assignee, me.name);
  return names;
}

export function nameOf(names: PersonNames, assignee: string): string {
  return names.get(assignee) ?? assignee;
}
