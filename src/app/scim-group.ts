/**
 * Groups as a directory keeps them: each is the group `/<name>` of the local directory, so that rules find its people
 * (docs/spec/identity.md section 6, engine R-RESOLVE-11).
 */
import type { PersonId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { DirectoryEntry, ScimResourceRecord } from "../ports/identity-records.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { ScimView } from "../ports/member-reader.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { recordDirectory } from "./directory-change.ts";
import { NO_CHANGE } from "./no-change.ts";
import { joinedChanges } from "./person-changes.ts";
import type { ScimGroupAttributes } from "./scim-attributes.ts";
import { scimChanged, scimRefusal, scimTaken, scimUnknown } from "./scim-refusal.ts";
import type { ScimTarget } from "./scim-user.ts";

export type GroupChange = (before: ScimGroupAttributes | null) => ScimGroupAttributes | Refusal;

/** The directory changed between looking and writing; nobody does that for long. */
const ATTEMPTS_MAX = 5;
/** No id: the resource was written meanwhile. */
const AGAIN = "";

export function groupPathOf(displayName: string): string {
  return `/${displayName}`;
}

export async function createScimGroup(
  app: Application,
  actor: Actor,
  given: ScimGroupAttributes,
): Promise<string | Refusal> {
  return await write(app, actor, { target: null, change: () => given, gone: false });
}

export async function changeScimGroup(
  app: Application,
  actor: Actor,
  target: ScimTarget,
  change: GroupChange,
): Promise<string | Refusal> {
  return await write(app, actor, { target, change, gone: false });
}

export async function deleteScimGroup(app: Application, actor: Actor, target: ScimTarget): Promise<string | Refusal> {
  const change: GroupChange = (before) => before ?? scimUnknown(target.id);
  return await write(app, actor, { target, change, gone: true });
}

interface Writing {
  readonly target: ScimTarget | null;
  readonly change: GroupChange;
  readonly gone: boolean;
}

interface Seen {
  readonly record: ScimResourceRecord | null;
  readonly after: ScimGroupAttributes;
  /** The people behind the members that the change names. */
  readonly people: ReadonlyMap<string, PersonId>;
  /** Of the members, those that SCIM told of before. */
  readonly told: ReadonlySet<PersonId>;
}

async function write(app: Application, actor: Actor, writing: Writing): Promise<string | Refusal> {
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    const seen = await look(app, writing);
    if (isRefusal(seen)) return seen;
    const written = await submit(app, actor, { writing, seen });
    if (written !== AGAIN) return written;
  }
  return scimChanged();
}

async function look(app: Application, { target, change }: Writing): Promise<Seen | Refusal> {
  const found = target === null ? null : await groupWith(app, target);
  if (found !== null && isRefusal(found)) return found;
  const before = found === null ? null : attributesOf(found);
  const after = change(before);
  if (isRefusal(after)) return after;
  const record = found === null ? null : found.record;
  return await withPeople(app, { record, after, former: before === null ? [] : before.members });
}

async function withPeople(
  app: Application,
  seen: Pick<Seen, "record" | "after"> & { readonly former: readonly string[] },
): Promise<Seen | Refusal> {
  const { record, after, former } = seen;
  const people = await peopleOf(app, [...after.members, ...former]);
  const unknown = after.members.find((id) => !people.has(id));
  if (unknown !== undefined) return scimRefusal("invalidValue", `There is no user ${unknown} to be a member`);
  return { record, after, people, told: new Set(former.flatMap((id) => people.get(id) ?? [])) };
}

function attributesOf({ record, related }: ScimView): ScimGroupAttributes {
  const displayName = record.groupPath?.slice(groupPathOf("").length) ?? "";
  return { displayName, externalId: record.externalId, members: related.map(({ id }) => id) };
}

/** The people behind ids of users; ids that name nobody here are left out. */
async function peopleOf(app: Application, ids: readonly string[]): Promise<ReadonlyMap<string, PersonId>> {
  const resources = await app.reader.records(recordsBy("scimResource", "id", [...new Set(ids)]));
  const here = resources.filter(
    ({ orgId, kind, deletedAt }) => orgId === app.orgId && kind === "user" && deletedAt === null,
  );
  return new Map(here.flatMap(({ id, personId }) => (personId === null ? [] : [[id, personId] as const])));
}

async function groupWith(app: Application, { id, version }: ScimTarget): Promise<ScimView | Refusal> {
  const by = { member: "id", value: id } as const;
  const [view] = (await app.reader.scimResources({ kind: "group", by, startIndex: 1, count: 1 })).items;
  if (view === undefined) return scimUnknown(id);
  return version === null || version === view.record.version ? view : scimChanged();
}

interface Asked {
  readonly writing: Writing;
  readonly seen: Seen;
}

async function submit(app: Application, actor: Actor, asked: Asked): Promise<string | Refusal> {
  const { record, after } = asked.seen;
  const path = groupPathOf(after.displayName);
  const former = record?.groupPath ?? path;
  return await app.store.submit<string | Refusal>({
    name: "write_scim_group",
    needs: {
      directory: [...new Set([path, former])].map((name) => ({ kind: "group" as const, client: "", name })),
      records: [
        recordsBy("scimResource", "groupPath", [path]),
        ...(record === null ? [] : [recordsBy("scimResource", "id", [record.id])]),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(app, actor, { ...asked, path, former }, world),
  });
}

interface Placed extends Asked {
  readonly path: string;
  readonly former: string;
}

function carryOut(app: Application, actor: Actor, asked: Placed, world: World): Carried<string | Refusal> {
  const { writing, seen, path, former } = asked;
  const { record, after } = seen;
  if (record !== null && world.records("scimResource", "id", record.id)[0]?.version !== record.version) {
    return { answer: AGAIN, changes: NO_CHANGE };
  }
  const others = world.records("scimResource", "groupPath", path).filter(({ id }) => id !== record?.id);
  if (others.some(({ orgId, deletedAt }) => orgId === app.orgId && deletedAt === null)) {
    return { answer: scimTaken(`There is a group '${after.displayName}' already`), changes: NO_CHANGE };
  }
  const next = resourceWith(app, asked, world);
  const directory = writing.gone ? removal(app, actor, asked, world) : directoryChanges(app, actor, asked, world);
  const isSame = directory === null && record?.externalId === after.externalId && former === path;
  if (isSame) return { answer: next.id, changes: NO_CHANGE };
  const told = directory ?? touched(app, actor, asked, world);
  return { answer: next.id, changes: joinedChanges([told, { entries: [], records: { scimResource: [next] } }]) };
}

function resourceWith(app: Application, { writing, seen, path }: Placed, world: World): ScimResourceRecord {
  const { record, after } = seen;
  return {
    ...{ id: world.newId(), orgId: app.orgId, kind: "group", personId: null, createdAt: world.now },
    ...record,
    ...{ externalId: after.externalId, groupPath: path, attributes: { displayName: after.displayName } },
    ...{ version: (record?.version ?? 0) + 1, updatedAt: world.now, deletedAt: writing.gone ? world.now : null },
  };
}

function removal(app: Application, actor: Actor, { former }: Placed, world: World): ChangeSet {
  const before = world.directoryEntry("group", "", former) ?? null;
  const told = recordDirectory(app, actor, { before, after: null, memberNames: [] }, world);
  return { ...told, directory: before === null ? [] : [{ ...before, members: [], deleted: true }] };
}

/** Null when neither the name nor who is in the group changes. */
function directoryChanges(
  app: Application,
  actor: Actor,
  { seen, path, former }: Placed,
  world: World,
): ChangeSet | null {
  const before = world.directoryEntry("group", "", former) ?? null;
  const members = membersAfter(seen, before);
  if (before !== null && path === former && isSameSet(members, before.members)) return null;
  const after: DirectoryEntry = {
    ...{ orgId: app.orgId, kind: "group", client: "", name: path, members, deleted: false },
    createdAt: before?.createdAt ?? world.now,
  };
  const told = recordDirectory(app, actor, { before, after, memberNames: [...seen.after.members] }, world);
  const moved = before === null || path === former ? [] : [{ ...before, members: [], deleted: true }];
  return { ...told, directory: [...moved, after] };
}

/** Who was put into the group by hand stays: the directory never told of them, so it does not take them out. */
function membersAfter({ record, after, people, told }: Seen, before: DirectoryEntry | null): readonly PersonId[] {
  const named = after.members.flatMap((id) => people.get(id) ?? []);
  const byHand = record === null ? [] : (before?.members ?? []).filter((id) => !told.has(id));
  return [...new Set([...named, ...byHand])];
}

function isSameSet(left: readonly PersonId[], right: readonly PersonId[]): boolean {
  return left.length === right.length && left.every((id) => right.includes(id));
}

/** Only what the directory calls it changed: told all the same. */
function touched(app: Application, actor: Actor, { former }: Placed, world: World): ChangeSet {
  const entry = world.directoryEntry("group", "", former) ?? null;
  return recordDirectory(app, actor, { before: entry, after: entry, memberNames: [] }, world);
}
