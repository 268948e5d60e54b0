/**
 * The first administrator comes in by the setup link: the organization gets its name, the person their roles, and the
 * browser a session that can enrol a factor and nothing else. They are the administrator once a factor is enrolled; until
 * then a new link starts over with the same person (docs/spec/identity.md R-LOCAL-5).
 */
import type { PersonId } from "../core/ids.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { OrganizationRecord, PersonRecord, RoleGrantRecord, SessionRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";
import { LOCAL_ISSUER } from "./identify.ts";
import { ledgerId } from "./ledger-names.ts";
import { localLogin, loginSubject } from "./local-login.ts";
import { NO_CHANGE } from "./no-change.ts";
import { isLiveLink, linkInvalid, linkOf } from "./one-time-link.ts";
import { endedSession, openedSession, secretHash } from "./session-record.ts";
import { isHeld, liveGrants, platformGrants, platformHolders, type PlatformHolders } from "./setup-link.ts";

export interface FirstRun {
  readonly token: string;
  readonly organization: string;
  readonly name: string;
  readonly email: string;
  readonly login: string;
  readonly client: string | null;
  readonly address: string | null;
}

/** A session for enrolling, and whose it is. */
export interface EnrolmentOpened {
  readonly token: string;
  readonly session: SessionRecord;
}

/** Within this time a factor must be enrolled; a new link is needed afterwards. */
export const ENROLMENT_SECONDS = 3_600;

/** Runs the installation, and administers its first organization. */
const FIRST_ROLES = [
  { role: "platform_superuser", ofPlatform: true },
  { role: "admin", ofPlatform: false },
] as const;

export async function firstRun(app: Application, about: FirstRun): Promise<EnrolmentOpened | Refusal> {
  // Looked up before anything is asked of the ledger: a guess costs one look at an index.
  const link = await linkOf(app, about.token);
  if (!isLiveLink(link, "setup", app.clock())) return linkInvalid();
  const holders = await platformHolders(app);
  return app.store.submit<EnrolmentOpened | Refusal>({
    name: "first_run",
    needs: {
      personIds: holders.ids,
      knownNames: [about.login],
      identities: [{ issuer: LOCAL_ISSUER, subject: loginSubject(about.login) }],
      records: [
        recordsBy("oneTimeLink", "tokenHash", [secretHash(app, about.token)]),
        recordsBy("organization", "id", [app.orgId]),
        recordsBy("session", "personId", holders.ids),
        recordsBy("identity", "personId", holders.ids),
        recordsBy("roleGrant", "personId", holders.ids),
        platformGrants,
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(app, world, { about, holders }),
  });
}

interface Asked {
  readonly about: FirstRun;
  readonly holders: PlatformHolders;
}

function carryOut(app: Application, world: World, { about, holders }: Asked): Carried<EnrolmentOpened | Refusal> {
  const [link] = world.records("oneTimeLink", "tokenHash", secretHash(app, about.token));
  const [organization] = world.records("organization", "id", app.orgId);
  if (link === undefined || organization === undefined || !isLiveLink(link, "setup", world.now)) {
    return refused(linkInvalid());
  }
  if (isHeld(world, holders)) return refused(linkInvalid());
  const person = personFor(app, world, about);
  if (person === null) return refused(refuse("already_exists", "Somebody here has this login already: choose another"));
  const opened = openedSession(app, world.now, {
    ...{ personId: person.id, kind: "enrolment", method: "link", aal: 1 },
    ...{ client: about.client, address: about.address, lifeSeconds: ENROLMENT_SECONDS, idleSeconds: null },
  });
  const { identity, alias } = localLogin(app, world.now, { personId: person.id, login: about.login, orgId: app.orgId });
  const { sessions, entries } = endedOf(app, world, person.id);
  const former = world
    .records("identity", "personId", person.id)
    .filter((known) => known.issuer === LOCAL_ISSUER && known.subject !== identity.subject && known.unlinkedAt === null)
    .map((known) => ({ ...known, unlinkedAt: world.now }));
  const named: OrganizationRecord = { ...organization, name: about.organization };
  return {
    answer: { token: opened.token, session: opened.record },
    changes: {
      entries: [...told(app, { before: organization, about, person }), ...entries, opened.entry],
      aliases: [alias],
      records: {
        oneTimeLink: [{ ...link, usedAt: world.now, personId: person.id }],
        organization: [named],
        person: [person],
        identity: [...former, identity],
        roleGrant: grantsFor(app, world, person.id),
        session: [...sessions, opened.record],
      },
    },
  };
}

function refused(refusal: Refusal): Carried<Refusal> {
  return { answer: refusal, changes: NO_CHANGE };
}

/**
 * Whoever began before and did not finish, else whom a policy named so already, else somebody new; null when the login is
 * somebody else's.
 */
function personFor(app: Application, world: World, { name, email, login }: FirstRun): PersonRecord | null {
  const begun = liveGrants(world)
    .flatMap(({ personId }) => world.personRecord(personId) ?? [])
    .find(isWaiting);
  const found = begun ?? namedPerson(world, login);
  if (isSomebodyElses(world, login, begun?.id ?? null) || (found !== undefined && !isWaiting(found))) return null;
  const fresh = { handle: null, firstSignedInAt: null, breakGlass: false, createdAt: world.now };
  const id = found?.id ?? newPersonId(world);
  return { ...fresh, ...found, id, orgId: app.orgId, assignee: login, displayName: name, email, status: "invited" };
}

function namedPerson(world: World, login: string): PersonRecord | undefined {
  const known = world.known(login);
  return known === undefined ? undefined : world.personRecord(known.person.id);
}

/** A name that nobody claimed may be taken by somebody new, but not by whoever began under another name. */
function isSomebodyElses(world: World, login: string, begunId: PersonId | null): boolean {
  const owner = world.identity(LOCAL_ISSUER, loginSubject(login));
  if (owner !== undefined && owner !== begunId) return true;
  const known = world.known(login);
  if (known === undefined || known.person.id === begunId) return false;
  return begunId !== null || known.claimedBy.length > 0;
}

function isWaiting({ status }: PersonRecord): boolean {
  return status === "placeholder" || status === "invited";
}

function newPersonId(world: World): PersonId {
  return world.newId();
}

function grantsFor(app: Application, world: World, personId: PersonId): readonly RoleGrantRecord[] {
  const held = world.records("roleGrant", "personId", personId).filter(({ endedAt }) => endedAt === null);
  const missing = FIRST_ROLES.filter(({ role }) => !held.some((grant) => grant.role === role));
  return missing.map(({ role, ofPlatform }) => ({
    ...{ id: world.newId(), orgId: ofPlatform ? null : app.orgId, personId, role, source: "setup" },
    ...{ createdBy: "sys_server", createdAt: world.now, endedAt: null },
  }));
}

/** Sessions of an earlier beginning end: the newest link is the one that counts. */
function endedOf(
  app: Application,
  world: World,
  personId: PersonId,
): { readonly sessions: readonly SessionRecord[]; readonly entries: readonly DescribedEntry[] } {
  const ended = world
    .records("session", "personId", personId)
    .filter((session) => session.endedAt === null)
    .map((session) => endedSession(app, session, world.now, "replaced"));
  return { sessions: ended.map(({ record }) => record), entries: ended.map(({ entry }) => entry) };
}

function told(
  app: Application,
  { before, about, person }: { before: OrganizationRecord; about: FirstRun; person: PersonRecord },
): readonly DescribedEntry[] {
  const frame = {
    ...{ org: ledgerId("org", app.orgId), actor: ledgerId("usr", person.id), credential: null },
    ...{ resource: null, request: null },
  };
  const named = { key: "organization_name", old: hidden(before.name), new: hidden(about.organization) };
  const member = { person: ledgerId("usr", person.id), source: "setup" };
  const added = FIRST_ROLES.map(({ role }) => role);
  return [
    describe({ ...frame, kind: "setting.changed", data: named }, app),
    describe(
      { ...frame, kind: "person.created", data: { ...member, name: hidden(about.name), email: hidden(about.email) } },
      app,
    ),
    describe({ ...frame, kind: "person.roles_changed", data: { ...member, added: [...added] } }, app),
  ];
}
