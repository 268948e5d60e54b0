/**
 * Two records of one person become one: identities, names, machines, memberships and open tasks go to the survivor, votes are
 * counted once. There is no way back (docs/spec/identity.md R-ID-7).
 */
import { decide } from "../core/decide.ts";
import { factsNeededLater, type Facts, type FactsNeeded } from "../core/facts.ts";
import type { DecisionId, PersonId, RequestId } from "../core/ids.ts";
import { asOnePerson } from "../core/merge-people.ts";
import { foldName, isMachineName, type Person } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { hasLeft, isDisabled } from "../core/person-status.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { Carried, Needs, World } from "../ports/command-store.ts";
import type { MachineRecord, PersonRecord } from "../ports/identity-records.ts";
import type { Viewer } from "../ports/reader.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { grantsOf, outranked } from "./outranked.ts";
import { isOneself, joinedChanges, personAct } from "./person-changes.ts";
import { accessOf, endedAccess } from "./person-ending.ts";
import { holderNeeds, lastHolderRefusal, type HolderNeeds } from "./person-holders.ts";
import { personUnknown } from "./person-page.ts";
import { recordRequest } from "./record-request.ts";

export interface Merge {
  readonly from: PersonId;
  readonly into: PersonId;
  readonly reason: string | null;
}

/** Why two records become one, and what comes of it besides. */
export interface MergeAct {
  readonly actor: Actor;
  readonly merge: Merge;
  /** What `refusal` and `besides` look at. */
  readonly records: readonly RecordQuery[];
  readonly refusal: (world: World, people: MergedPeople) => Refusal | null;
  readonly besides: (world: World, people: MergedPeople) => ChangeSet;
}

export interface MergedPeople {
  readonly from: PersonRecord;
  readonly into: PersonRecord;
}

/** More live requests than this of one person are decided or cancelled first. */
const REQUESTS_MAX = 500;
const ATTEMPTS_MAX = 3;

type Merged = { readonly survivor: PersonRecord } | { readonly lookUp: readonly RequestId[] } | Refusal;

export async function mergePeople(app: Application, actor: Actor, merge: Merge): Promise<PersonRecord | Refusal> {
  if (isOneself(actor, merge.from) || isOneself(actor, merge.into)) {
    return refuse("permission_denied", "Nobody merges themselves: ask another administrator");
  }
  const holders = await holderNeeds(app);
  return submitMerge(app, {
    ...{ actor, merge, records: holders.records },
    refusal: (world, people) => mergeRefused(app, actor, people, world),
    besides: () => NO_CHANGE,
    holders,
  });
}

/** Also for whoever joins an organization as who they are (join-organization.ts). */
export async function submitMerge(
  app: Application,
  act: MergeAct & { readonly holders?: HolderNeeds },
): Promise<PersonRecord | Refusal> {
  const recorded = new Map<DecisionId, number>();
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const merged = await app.store.submit<Merged>({
      name: "merge_people",
      needs: mergeNeeds(act, act.holders?.personIds ?? []),
      alone: true,
      gather: (world) => laterFacts(app, world),
      carryOut: (world, facts) => carryOut(app, { act, recorded }, { world, facts }),
    });
    if (isRefusal(merged)) return merged;
    if ("survivor" in merged) return merged.survivor;
    for (const id of merged.lookUp)
      for (const [decision, at] of await recordedDecisions(app, id)) recorded.set(decision, at);
  }
  return refuse("wrong_state", "Both are deciding at this moment: try again");
}

function mergeNeeds({ merge: { from, into }, records }: MergeAct, others: readonly PersonId[]): Needs {
  const both = [from, into];
  return {
    personIds: [...both, ...others],
    requestsOf: { personIds: [from], as: "anybody", limit: REQUESTS_MAX + 1 },
    records: [
      ...records,
      ...accessOf(from),
      recordsBy("identity", "personId", [from]),
      recordsBy("alias", "personId", both),
      grantsOf(both),
      recordsBy("scimResource", "personId", [from]),
      recordsBy("directoryEntry", "members", [from]),
      recordsBy("machine", "owners", [from]),
      recordsBy("machine", "contactId", [from]),
      recordsBy("machine", "actsForId", [from]),
    ],
  };
}

function laterFacts(app: Application, world: World): FactsNeeded {
  const needed = world
    .requestsOfPeople()
    .filter(({ orgId }) => orgId === app.orgId)
    .map((request) => factsNeededLater(world.pinnedPolicy(request).policy, request, world.now + 1_000));
  return { names: needed.flatMap(({ names }) => names), lookups: needed.flatMap(({ lookups }) => lookups) };
}

interface Asked {
  readonly act: MergeAct;
  readonly recorded: ReadonlyMap<DecisionId, number>;
}

function carryOut(
  app: Application,
  asked: Asked,
  { world, facts }: { readonly world: World; readonly facts: Facts },
): Carried<Merged> {
  const { merge, actor, refusal, besides } = asked.act;
  const [from, into] = [world.personRecord(merge.from), world.personRecord(merge.into)];
  if (from === undefined || into === undefined) return { answer: personUnknown(), changes: NO_CHANGE };
  const refused = refusal(world, { from, into }) ?? tooManyRequests(world, from);
  if (refused !== null) return { answer: refused, changes: NO_CHANGE };
  const survivor = survivorOf(from, into);
  const votes = mergedRequests(app, asked, { world, facts, person: personOf(world, survivor, from) });
  if ("lookUp" in votes) return { answer: votes, changes: NO_CHANGE };
  const told = personAct(
    app,
    actor,
    {
      ...{ kind: "person.merged", person: from, reason: merge.reason, did: `was merged into ${into.assignee}` },
      data: { into: ledgerId("usr", into.id) },
      after: { into: into.id },
    },
    world,
  );
  const moved: ChangeSet = { ...told, records: { person: [left(from), survivor], ...movedRecords(world, merge) } };
  const ended = endedAccess(app, world, from.id, "merged");
  const changes = joinedChanges([moved, ended, votes.changes, besides(world, { from, into })]);
  return { answer: { survivor }, changes };
}

function mergeRefused(app: Application, actor: Actor, { from, into }: MergedPeople, world: World): Refusal | null {
  if (from.orgId !== app.orgId || into.orgId !== app.orgId) return personUnknown();
  if (from.id === into.id) return refuse("wrong_state", "This is one person already");
  // Whoever comes in as the one that goes comes in as the survivor from then on.
  const refused = outranked(app, actor, from.id, world) ?? outranked(app, actor, into.id, world);
  if (refused !== null) return refused;
  if (from.status === "erased" || hasLeft(into.status)) {
    return refuse("wrong_state", "Neither an erased person nor one who has left can take part in a merge");
  }
  return lastHolderRefusal(app, world, from.id);
}

function tooManyRequests(world: World, from: PersonRecord): Refusal | null {
  if (world.requestsOfPeople().length <= REQUESTS_MAX) return null;
  const message = `${from.assignee} takes part in more than ${String(REQUESTS_MAX)} open requests: end some of them first`;
  return refuse("wrong_state", message);
}

/** What one of them lacks the other brings; somebody who came in stays in. */
function survivorOf(from: PersonRecord, into: PersonRecord): PersonRecord {
  const waits = into.status === "placeholder" || into.status === "invited";
  const seen = [from.firstSignedInAt, into.firstSignedInAt].filter((at) => at !== null);
  return {
    ...into,
    status: waits && from.status === "active" ? "active" : into.status,
    displayName: into.displayName ?? from.displayName,
    email: into.email ?? from.email,
    firstSignedInAt: seen.length === 0 ? null : Math.min(...seen),
  };
}

/** Nobody is left under this id, and nobody comes back to it. */
function left(from: PersonRecord): PersonRecord {
  const name = `merged-${from.id.slice(0, 8)}`;
  return { ...from, status: "erased", assignee: name, displayName: null, email: null, breakGlass: false };
}

/** Under every name of both: an unsure match must bar (engine R-AUTH-5). */
function personOf(world: World, survivor: PersonRecord, from: PersonRecord): Person {
  const names = [survivor.id, from.id].flatMap((id) =>
    world.records("alias", "personId", id).map(({ folded }) => folded),
  );
  const emails = [survivor.email, from.email].filter((email) => email !== null).map(foldName);
  return {
    id: survivor.id,
    assignee: survivor.assignee,
    foldedNames: [...new Set([...names, ...emails])],
    displayName: survivor.displayName,
    disabled: isDisabled(survivor.status),
    machine: isMachineName(survivor.assignee),
  };
}

function mergedRequests(
  app: Application,
  { act: { merge }, recorded }: Asked,
  { world, facts, person }: { readonly world: World; readonly facts: Facts; readonly person: Person },
): { readonly changes: ChangeSet } | { readonly lookUp: readonly RequestId[] } {
  const lookUp = new Set<RequestId>();
  const known = asOnePerson(facts, merge.from, person);
  const nobody: Facts = { people: new Map(), lookups: new Map(), delegations: new Map(), newId: facts.newId };
  const changes = world.requestsOfPeople().flatMap((before) => {
    const recordedAt = (id: DecisionId): number => {
      const at = recorded.get(id);
      if (at === undefined) lookUp.add(before.id);
      return at ?? 0;
    };
    const { policy } = world.pinnedPolicy(before);
    const setting = {
      policy,
      facts: before.orgId === app.orgId ? known : nobody,
      now: world.now,
      settings: app.settings,
    };
    const outcome = decide(before, { type: "merge", from: merge.from, into: person, recordedAt }, setting);
    const { request: after, events } = outcome;
    return after === before ? [] : [recordRequest({ before, after, events, actor: null, newId: world.newId }, app)];
  });
  return lookUp.size > 0 ? { lookUp: [...lookUp] } : { changes: joinedChanges(changes) };
}

function movedRecords(world: World, { from, into }: Merge): NonNullable<ChangeSet["records"]> {
  const swap = (ids: readonly PersonId[]): readonly PersonId[] => [
    ...new Set(ids.map((id) => (id === from ? into : id))),
  ];
  const machines = new Map<string, MachineRecord>();
  for (const member of ["owners", "contactId", "actsForId"] as const) {
    for (const machine of world.records("machine", member, from)) machines.set(machine.id, machine);
  }
  return {
    identity: world.records("identity", "personId", from).map((identity) => ({ ...identity, personId: into })),
    alias: world.records("alias", "personId", from).map((alias) => ({ ...alias, personId: into })),
    directoryEntry: world
      .records("directoryEntry", "members", from)
      .map((entry) => ({ ...entry, members: swap(entry.members) })),
    machine: [...machines.values()].map((machine) => ({
      ...machine,
      owners: swap(machine.owners),
      contactId: machine.contactId === from ? into : machine.contactId,
      actsForId: machine.actsForId === from ? into : machine.actsForId,
    })),
    roleGrant: world
      .records("roleGrant", "personId", from)
      .filter(({ endedAt }) => endedAt === null)
      .map((grant) => ({ ...grant, endedAt: world.now })),
    scimResource: world.records("scimResource", "personId", from).map((resource) => ({ ...resource, personId: into })),
  };
}

const EVERYTHING: Viewer = {
  ...{ personId: null, assignee: "", issuer: "", subject: "", clientId: null, machine: true, readsAll: true },
};

/** Where the ledger recorded each decision of a request. */
async function recordedDecisions(app: Application, id: RequestId): Promise<ReadonlyMap<DecisionId, number>> {
  const [events, request] = await Promise.all([
    app.reader.events(id, 0, EVERYTHING),
    app.reader.request(id, EVERYTHING),
  ]);
  const decisions = request?.stages.flatMap((run) => run.decisions) ?? [];
  return new Map(
    decisions.flatMap((decision) => {
      const event = events?.find((one) => one.type === "task_decided" && one.payload["decision_id"] === decision.id);
      return event === undefined ? [] : [[decision.id, event.position] as const];
    }),
  );
}
