/**
 * People as a directory keeps them: made, changed, deactivated. Deactivating suspends: sessions, devices and seats end in the
 * same command, and machines without another active owner are refused. Implements docs/spec/identity.md section 6.
 */
import type { Facts } from "../core/facts.ts";
import type { PersonId } from "../core/ids.ts";
import { foldName } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { hasLeft } from "../core/person-status.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { PersonRecord, ScimResourceRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { statusChanges, statusNeeds, type StatusAct } from "./change-person-status.ts";
import { hidden } from "./entry-writer.ts";
import { freeRemainingSeats, seatFacts } from "./free-seats.ts";
import { NO_CHANGE } from "./no-change.ts";
import { outrankedBy, standingIn } from "./outranked.ts";
import { joinedChanges, personAct } from "./person-changes.ts";
import { holderNeeds, lastHolderRefusal } from "./person-holders.ts";
import {
  primaryEmail,
  readAttributes,
  shownName,
  storedAttributes,
  type ScimUserAttributes,
} from "./scim-attributes.ts";
import { scimChanged, scimTaken, scimUnknown } from "./scim-refusal.ts";

/** What becomes of the attributes there are; null attributes are those of somebody new. */
export type UserChange = (before: ScimUserAttributes | null) => ScimUserAttributes | Refusal;

export interface ScimTarget {
  readonly id: string;
  /** From `If-Match`; null writes over whatever there is. */
  readonly version: number | null;
}

/** The directory changed between looking and writing; nobody does that for long. */
const ATTEMPTS_MAX = 5;

export async function createScimUser(
  app: Application,
  actor: Actor,
  given: ScimUserAttributes,
): Promise<string | Refusal> {
  return await write(app, actor, { target: null, change: () => given, gone: false });
}

export async function changeScimUser(
  app: Application,
  actor: Actor,
  target: ScimTarget,
  change: UserChange,
): Promise<string | Refusal> {
  return await write(app, actor, { target, change, gone: false });
}

/** The person stays, suspended: what they decided stays theirs. */
export async function deleteScimUser(app: Application, actor: Actor, target: ScimTarget): Promise<string | Refusal> {
  const change: UserChange = (before) => (before === null ? scimUnknown(target.id) : { ...before, active: false });
  return await write(app, actor, { target, change, gone: true });
}

interface Writing {
  readonly target: ScimTarget | null;
  readonly change: UserChange;
  readonly gone: boolean;
}

/** As the resource and its person were found before the command. */
interface Seen {
  readonly record: ScimResourceRecord | null;
  readonly personId: PersonId | null;
  readonly before: ScimUserAttributes | null;
  readonly after: ScimUserAttributes;
}

type Written = { readonly id: string; readonly personId: PersonId; readonly more: boolean } | "again" | Refusal;

async function write(app: Application, actor: Actor, writing: Writing): Promise<string | Refusal> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const seen = await look(app, writing);
    if (isRefusal(seen)) return seen;
    const written = await app.store.submit<Written>(await command(app, actor, { writing, seen }));
    if (written === "again") continue;
    if (isRefusal(written)) return written;
    if (written.more) await freeRemainingSeats(app, written.personId, "suspended");
    return written.id;
  }
  return scimChanged();
}

async function look(app: Application, { target, change }: Writing): Promise<Seen | Refusal> {
  if (target === null) {
    const after = change(null);
    if (isRefusal(after)) return after;
    return { record: null, personId: await personFor(app, after), before: null, after };
  }
  const [record] = await app.reader.records(recordsBy("scimResource", "id", [target.id]));
  if (record?.orgId !== app.orgId || record.kind !== "user" || record.deletedAt !== null) return scimUnknown(target.id);
  if (target.version !== null && target.version !== record.version) return scimChanged();
  const before = readAttributes(record.attributes, record.externalId);
  const after = change(before);
  return isRefusal(after) ? after : { record, personId: record.personId, before, after };
}

/** Somebody known by this name already, else by this address: a directory tells of people, it does not double them. */
async function personFor(app: Application, after: ScimUserAttributes): Promise<PersonId | null> {
  const named = await app.reader.records(recordsBy("alias", "folded", [foldName(after.userName)]));
  const alias = named.find(({ orgId }) => orgId === app.orgId);
  if (alias !== undefined) return alias.personId;
  const email = primaryEmail(after);
  const sharing = email === null ? [] : await app.reader.records(recordsBy("person", "email", [email]));
  const here = sharing.filter(({ orgId, status }) => orgId === app.orgId && status !== "erased");
  return here.length === 1 ? (here[0]?.id ?? null) : null;
}

interface Asked {
  readonly writing: Writing;
  readonly seen: Seen;
}

async function command(app: Application, actor: Actor, asked: Asked): Promise<StoreCommand<Written>> {
  const { seen } = asked;
  const { personId } = seen;
  const names = recordsBy("alias", "folded", [foldName(seen.after.userName)]);
  const own = [names, ...(seen.record === null ? [] : [recordsBy("scimResource", "id", [seen.record.id])])];
  const status = personId === null ? {} : statusNeeds({ personId, act: "suspend" }, await holderNeeds(app));
  return {
    name: "write_scim_user",
    needs: { ...status, records: [...(status.records ?? []), ...own] },
    alone: true,
    gather: (world) => (personId === null ? { names: [], lookups: [] } : seatFacts(app, world, personId)),
    carryOut: (world, facts) => carryOut(app, { actor, ...asked }, { world, facts }),
  };
}

interface At {
  readonly world: World;
  readonly facts: Facts;
}

function carryOut(app: Application, asked: Asked & { readonly actor: Actor }, at: At): Carried<Written> {
  const { seen, writing } = asked;
  const { world } = at;
  if (isStale(app, seen, world)) return { answer: "again", changes: NO_CHANGE };
  const known = seen.personId === null ? undefined : world.personRecord(seen.personId);
  if (isTaken(app, seen, known, world)) return { answer: nameTaken(seen.after), changes: NO_CHANGE };
  if (seen.before !== null && !writing.gone && isSame(seen.before, seen.after)) {
    const answer = { id: seen.record?.id ?? "", personId: seen.personId ?? newPersonId(world), more: false };
    return { answer, changes: NO_CHANGE };
  }
  const refused = known === undefined ? null : beyondDirectory(app, asked, known.id, world);
  if (refused !== null) return { answer: refused, changes: NO_CHANGE };
  return written(app, { ...asked, known }, at);
}

/** Who goes by the name; undefined for a name that is free. */
function holderOf(app: Application, { after }: Seen, world: World): PersonId | undefined {
  return world.records("alias", "folded", foldName(after.userName)).find(({ orgId }) => orgId === app.orgId)?.personId;
}

/** The resource was written meanwhile, or somebody came to be known by the name of somebody new. */
function isStale(app: Application, seen: Seen, world: World): boolean {
  if (seen.record === null) return seen.personId === null && holderOf(app, seen, world) !== undefined;
  return world.records("scimResource", "id", seen.record.id)[0]?.version !== seen.record.version;
}

/** The name is somebody else's, or the person is told of by another resource, or is not the directory's to tell of. */
function isTaken(app: Application, seen: Seen, known: PersonRecord | undefined, world: World): boolean {
  const holder = holderOf(app, seen, world);
  if (holder !== undefined && holder !== seen.personId) return true;
  if (known === undefined) return false;
  return known.orgId !== app.orgId || known.status === "erased" || (seen.record === null && isKept(world, known.id));
}

/**
 * Whoever runs the installation or belongs to another organization too is nobody's directory's to change, and whoever holds
 * more than the token is not taken over by it (R-ROLE-3): with their address or status a directory would have their account.
 */
function beyondDirectory(
  app: Application,
  { actor, seen }: Asked & { readonly actor: Actor },
  personId: PersonId,
  world: World,
): Refusal | null {
  const standing = standingIn(app, world, personId);
  const reachesFurther = standing.holdsPlatformRole || standing.holdsElsewhere;
  if (seen.record !== null) {
    if (!reachesFurther) return null;
    const message = "The person holds roles beyond this organization: a directory does not change them";
    return refuse("permission_denied", message);
  }
  if (!reachesFurther && outrankedBy(actor.permissions, standing) === null) return null;
  return scimTaken("Somebody here who may do more than this token has the userName or address already");
}

function isSame(before: ScimUserAttributes, after: ScimUserAttributes): boolean {
  const text = (attributes: ScimUserAttributes): string =>
    JSON.stringify([storedAttributes(attributes), attributes.externalId]);
  return text(before) === text(after);
}

function nameTaken({ userName }: ScimUserAttributes): Refusal {
  return scimTaken(`Somebody has the userName '${userName}' already`);
}

/** Another resource tells of this person. */
function isKept(world: World, personId: PersonId): boolean {
  return world.records("scimResource", "personId", personId).some(({ deletedAt }) => deletedAt === null);
}

interface Known extends Asked {
  readonly actor: Actor;
  /** Undefined for somebody new. */
  readonly known: PersonRecord | undefined;
}

function written(app: Application, asked: Known, { world, facts }: At): Carried<Written> {
  const { actor, seen, known } = asked;
  const id = known?.id ?? newPersonId(world);
  const person = personWith(app, world, { id, known, seen });
  const act = known === undefined ? null : actFor(known, seen);
  const refused = act === "suspend" ? lastHolderRefusal(app, world, id) : null;
  if (refused !== null) return { answer: refused, changes: NO_CHANGE };
  const record = resourceWith(app, world, { ...asked, personId: id, act });
  const told = tellOf(app, asked, { world, person, record });
  const answer = { id: record.id, personId: id, more: false };
  if (act === null) return { answer, changes: told };
  const change = { personId: id, act, reason: "The directory says so" } as const;
  const status = statusChanges(app, { actor, change, person }, { world, facts });
  return { answer: { ...answer, more: status.answer.more }, changes: joinedChanges([told, status.changes]) };
}

function resourceWith(
  app: Application,
  world: World,
  { seen, writing, personId, act }: Asked & { readonly personId: PersonId; readonly act: StatusAct | null },
): ScimResourceRecord {
  const { after, record } = seen;
  return {
    ...{ id: world.newId(), orgId: app.orgId, kind: "user", groupPath: null, createdAt: world.now },
    ...record,
    ...{ externalId: after.externalId, personId, updatedAt: world.now, version: (record?.version ?? 0) + 1 },
    attributes: { ...storedAttributes(after), [SUSPENDED]: isOwnSuspension(seen, act) },
    deletedAt: writing.gone ? world.now : null,
  };
}

function tellOf(
  app: Application,
  { actor, seen, known, writing }: Known,
  {
    world,
    person,
    record,
  }: { readonly world: World; readonly person: PersonRecord; readonly record: ScimResourceRecord },
): ChangeSet {
  const verb = seen.before === null ? "taken over from" : writing.gone ? "removed by" : "changed by";
  const { userName } = seen.after;
  const folded = foldName(userName);
  // A name that was proven stays proven.
  const isKnown = world
    .records("alias", "folded", folded)
    .some(({ name, orgId }) => name === userName && orgId === app.orgId);
  const told = personAct(
    app,
    actor,
    {
      ...{ kind: known === undefined ? "person.created" : "person.linked", person, did: `was ${verb} the directory` },
      data: { source: "scim", name: hidden(person.displayName), email: hidden(person.email) },
    },
    world,
  );
  return {
    ...told,
    aliases: isKnown ? [] : [{ orgId: app.orgId, name: userName, folded, personId: person.id, proof: "asserted" }],
    records: { scimResource: [record], person: [person] },
  };
}

function newPersonId(world: World): PersonId {
  return world.newId();
}

/** Attributes are the directory's; the status is changed by an act of its own, so that everything follows from it. */
function personWith(
  app: Application,
  world: World,
  { id, known, seen }: { readonly id: PersonId; readonly known: PersonRecord | undefined; readonly seen: Seen },
): PersonRecord {
  const { before, after } = seen;
  if (known === undefined) {
    return {
      ...{ id, orgId: app.orgId, assignee: after.userName, status: after.active ? "invited" : "suspended" },
      ...{ displayName: shownName(after), email: primaryEmail(after) },
      ...{ handle: null, firstSignedInAt: null, breakGlass: false, createdAt: world.now },
    };
  }
  return {
    ...known,
    assignee: known.assignee === before?.userName ? after.userName : known.assignee,
    displayName: shownName(after) ?? known.displayName,
    email: primaryEmail(after) ?? known.email,
    // Whom a policy named before anybody had met them may come in now.
    status: known.status === "placeholder" && after.active ? "invited" : known.status,
  };
}

/** Beside the attributes: the suspension that stands is the directory's own. */
const SUSPENDED = "suspended_by_directory";

/** Only what the directory itself did: whoever was suspended here by hand is not brought back by its next message. */
function actFor(person: PersonRecord, { record, after }: Seen): StatusAct | null {
  if (!after.active) return hasLeft(person.status) ? null : "suspend";
  return record?.attributes[SUSPENDED] === true && person.status === "suspended" ? "reactivate" : null;
}

function isOwnSuspension({ record, after }: Seen, act: StatusAct | null): boolean {
  return act === "suspend" || (!after.active && record?.attributes[SUSPENDED] === true);
}
