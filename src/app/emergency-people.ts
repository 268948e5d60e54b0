/**
 * Who still gets in while the organization's identity provider lets nobody in? Implements docs/spec/identity.md R-LOCAL-1: where
 * the provider is required, passkeys and passwords serve people marked for emergencies alone.
 */
import type { PersonId } from "../core/ids.ts";
import type { World } from "../ports/command-store.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { grantsOf, standingIn } from "./outranked.ts";

export interface MarkedPeople {
  readonly personIds: readonly PersonId[];
  /** What `hasEmergencyPerson` looks at, besides the people themselves. */
  readonly records: readonly RecordQuery[];
}

/** Read before the command; who is marked meanwhile does not count, which refuses rather than shuts out. */
export async function markedPeople(app: Application): Promise<MarkedPeople> {
  const marked = await app.reader.records(recordsBy("person", "breakGlass", ["true"]));
  const personIds = marked.map(({ id }) => id);
  return { personIds, records: [grantsOf(personIds)] };
}

/** True while one of them is active, still marked, and holds a role here. `except` is somebody about to lose the mark. */
export function hasEmergencyPerson(
  app: Application,
  world: World,
  { personIds }: MarkedPeople,
  except: PersonId | null = null,
): boolean {
  return personIds.some((id) => {
    const person = world.personRecord(id);
    if (id === except || person?.status !== "active" || !person.breakGlass) return false;
    return standingIn(app, world, id).permissions.length > 0;
  });
}
