/**
 * The seats of somebody who leaves are freed in every live request, and the stages asked again, in the command that says so.
 * Implements docs/spec/identity.md section 1 (`suspended`, `erased`).
 */
import { decide } from "../core/decide.ts";
import { expressionData, factsNeeded, factsNeededLater, type Facts, type FactsNeeded } from "../core/facts.ts";
import type { PersonId } from "../core/ids.ts";
import { hasLeft } from "../core/person-status.ts";
import { openStagesOf, type LeavingCause } from "../core/release-person.ts";
import type { Request } from "../core/request.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { Needs, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { NO_CHANGE } from "./no-change.ts";
import { joinedChanges } from "./person-changes.ts";
import { recordRequest } from "./record-request.ts";

/** So many requests fit well within the time that a command has; whoever holds more leaves in several steps. */
const REQUESTS_PER_STEP = 200;

export function seatNeeds(personId: PersonId): Pick<Needs, "requestsOf"> {
  return { requestsOf: { personIds: [personId], as: "holder", limit: REQUESTS_PER_STEP } };
}

/** Whom the rules of the stages that are asked again may name. */
export function seatFacts(app: Application, world: World, personId: PersonId): FactsNeeded {
  const needed = world
    .requestsOfPeople()
    .filter((request) => request.orgId === app.orgId)
    .map((request) => factsOf(world, request, personId));
  return { names: needed.flatMap(({ names }) => names), lookups: needed.flatMap(({ lookups }) => lookups) };
}

function factsOf(world: World, request: Request, personId: PersonId): FactsNeeded {
  const { policy } = world.pinnedPolicy(request);
  const open = new Set(openStagesOf(request, personId).map(({ order }) => order));
  const asked = policy.stages.filter(({ order }) => open.has(order));
  const now = factsNeeded(asked, expressionData(request));
  const later = factsNeededLater(policy, request, world.now + 1_000);
  return { names: [...now.names, ...later.names], lookups: [...now.lookups, ...later.lookups] };
}

export interface FreedSeats {
  readonly changes: ChangeSet;
  /** There may be more requests than were looked at, and some of these changed. */
  readonly more: boolean;
}

export function freedSeats(
  app: Application,
  { world, facts }: { readonly world: World; readonly facts: Facts },
  { personId, cause }: { readonly personId: PersonId; readonly cause: LeavingCause },
): FreedSeats {
  const found = world.requestsOfPeople();
  const changed = found.flatMap((before) => {
    const { policy } = world.pinnedPolicy(before);
    const known = before.orgId === app.orgId ? facts : nobodyKnown(facts);
    const setting = { policy, facts: known, now: world.now, settings: app.settings };
    const { request: after, events } = decide(before, { type: "leave", personId, cause }, setting);
    if (after === before) return [];
    return [recordRequest({ before, after, events, actor: null, newId: world.newId }, app)];
  });
  return { changes: joinedChanges(changed), more: found.length === REQUESTS_PER_STEP && changed.length > 0 };
}

/** Names and groups of one organization mean nothing in another: what needs them is looked up there, later. */
function nobodyKnown({ newId }: Facts): Facts {
  return { people: new Map(), lookups: new Map(), delegations: new Map(), newId };
}

/** Frees what one step could not; somebody who came back meanwhile keeps what is left. */
export async function freeRemainingSeats(app: Application, personId: PersonId, cause: LeavingCause): Promise<void> {
  for (;;) {
    const more = await app.store.submit<boolean>({
      name: "free_seats",
      needs: { personIds: [personId], ...seatNeeds(personId) },
      alone: true,
      gather: (world) => seatFacts(app, world, personId),
      carryOut(world, facts) {
        const person = world.personRecord(personId);
        if (person === undefined || !hasLeft(person.status)) return { answer: false, changes: NO_CHANGE };
        const freed = freedSeats(app, { world, facts }, { personId, cause });
        return { answer: freed.more, changes: freed.changes };
      },
    });
    if (!more) return;
  }
}
