/**
 * Whose token is this? A token is mapped to a person by issuer and subject, else by the name it carries, which it then
 * claims. Implements docs/spec/api.md R-AUTH-1 to R-AUTH-8.
 */
import type { PersonId } from "../core/ids.ts";
import { foldName, type Actor, type Person } from "../core/person.ts";
import { hasLeft, isDisabled, type PersonStatus } from "../core/person-status.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import { permissionsOf } from "../core/roles.ts";
import { decides, permits, type Permission } from "../core/permission.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { PersonRecord } from "../ports/identity-records.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { IdentifiedPerson, KnownMember } from "../ports/reader.ts";
import { Unavailable } from "../ports/unavailable.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";
import { mintPerson } from "./mint-person.ts";
import { NO_CHANGE } from "./no-change.ts";

/** What a verified credential says about its bearer. */
export interface Principal {
  readonly issuer: string;
  readonly subject: string;
  /** First non-blank of `preferred_username`, `username`, `sub` (R-AUTH-2). */
  readonly assignee: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly clientId: string | null;
  readonly machine: boolean;
  readonly roles: readonly string[];
}

/** `credential` is the ledger's name of what was presented, null for a bare token. */
export async function identify(
  app: Application,
  principal: Principal,
  credential: string | null = null,
): Promise<Actor | Refusal> {
  if (principal.machine) return actorOf(principal, null, { credential, roles: [] });
  const { byIdentity, byName } = await app.reader.identify(principal);
  if (byIdentity !== undefined) return recognized(principal, { byIdentity, byName }, credential);
  try {
    const person = await app.store.submit(claim(app, principal));
    if (person === CLAIMED_MEANWHILE) return await identify(app, principal, credential);
    return isRefusal(person) ? person : actorOf(principal, person, { credential, roles: byName?.roles ?? [] });
  } catch (error) {
    // While nothing can be written a newcomer may still look, as nobody in particular.
    if (error instanceof Unavailable && error.code === "quarantined") {
      return actorOf(principal, null, { credential, roles: [] });
    }
    throw error;
  }
}

/**
 * A subject stays the same person whatever its token says. A name that somebody else proved is refused (R-AUTH-3);
 * any other new name gives nothing, because nobody proved that it is this person's (R-AUTH-1).
 */
function recognized(
  principal: Principal,
  found: { readonly byIdentity: IdentifiedPerson; readonly byName: IdentifiedPerson | undefined },
  credential: string | null,
): Actor | Refusal {
  const { byIdentity, byName } = found;
  if (byIdentity.unlinked) return unlinked();
  const ended = statusRefusal(byIdentity.record.status);
  if (ended !== null) return ended;
  const person = personOf(byIdentity);
  const known = { credential, roles: byIdentity.roles };
  if (byName?.record.id === person.id) return actorOf(principal, person, known);
  if (byName !== undefined && byName.claimedSubjects.length > 0) return identityConflict(principal);
  const barring = { ...person, foldedNames: [...person.foldedNames, foldName(principal.assignee)] };
  return actorOf({ ...principal, assignee: person.assignee }, barring, known);
}

/** Why somebody of this status is not let in; null for those who are. */
export function statusRefusal(status: PersonStatus): Refusal | null {
  if (status === "locked") return refuse("person_locked", "This account is locked; ask an administrator");
  if (hasLeft(status)) return refuse("person_suspended", "This account is no longer active");
  return null;
}

function unlinked(): Refusal {
  return refuse("identity_conflict", "This account was unlinked from its person; an administrator must link it");
}

function identityConflict({ assignee }: Principal): Refusal {
  const message = `The name '${assignee}' belongs to another account of this issuer; an administrator must move it`;
  return refuse("identity_conflict", message);
}

/** An address that nobody proved is enough to bar its bearer from what was asked for under it (R-AUTH-1). */
function barredByAddress(person: Person, email: string | null): Person {
  return email === null ? person : { ...person, foldedNames: [...person.foldedNames, foldName(email)] };
}

interface KnownCredential {
  readonly credential: string | null;
  /** Those this installation gave; the token may bring more. */
  readonly roles: readonly string[];
}

function actorOf(principal: Principal, known: Person | null, { credential, roles }: KnownCredential): Actor {
  const { issuer, subject, assignee, name, clientId, email, machine } = principal;
  const displayName = name ?? assignee;
  const person = known === null ? null : barredByAddress(known, email);
  const held = permissionsOf([...principal.roles, ...roles]);
  const permissions = machine ? held.filter((permission) => !decides(permission)) : held;
  const who = { person, assignee, displayName, issuer, subject, clientId, email, credential, machine, standsFor: [] };
  return { ...who, ...allowed(permissions) };
}

/** What the engine asks about permissions, from the permissions. */
export function allowed(permissions: readonly Permission[]): Pick<Actor, "permissions" | "admin" | "viewer"> {
  const admin = permits(permissions, "approval:task:reassign");
  return { permissions, admin, viewer: admin || permits(permissions, "approval:request:read_all") };
}

/** The actor of somebody who signed in here. */
export function memberActor(found: KnownMember, credential: string): Actor {
  const { record, roles } = found;
  return {
    person: personOf(found),
    assignee: record.assignee,
    displayName: record.displayName ?? record.assignee,
    ...{ issuer: LOCAL_ISSUER, subject: record.id, clientId: null, email: record.email, credential, machine: false },
    standsFor: [],
    ...allowed(permissionsOf(roles)),
  };
}

/** The issuer of the local directory; the subject is the person's id (R-ID-2). */
export const LOCAL_ISSUER = "local";

function personOf(found: KnownMember): Person {
  const { record, foldedNames } = found;
  const person: Person = {
    id: record.id,
    assignee: record.assignee,
    foldedNames,
    displayName: record.displayName,
    disabled: isDisabled(record.status),
    machine: false,
  };
  return barredByAddress(person, record.email);
}

/** Another first token of the same subject was faster: whose it is stands in the database now. */
const CLAIMED_MEANWHILE = "claimed_meanwhile";

type Claimed = Person | Refusal | typeof CLAIMED_MEANWHILE;

/** The first token of a person: claims the name, or makes the person (R-AUTH-3, R-AUTH-4). */
function claim(app: Application, principal: Principal): StoreCommand<Claimed> {
  const { issuer, subject, assignee } = principal;
  return {
    name: "claim_identity",
    needs: { identities: [{ issuer, subject }], knownNames: [assignee] },
    alone: true,
    carryOut(world): Carried<Claimed> {
      const known = world.known(assignee);
      const owner = world.identity(issuer, subject);
      if (owner !== undefined) return { answer: CLAIMED_MEANWHILE, changes: NO_CHANGE };
      // Whoever proved the name first keeps it, whoever vouched for them: another issuer's people are other people (R-ID-5).
      if (known !== undefined && known.claimedBy.length > 0) {
        return { answer: identityConflict(principal), changes: NO_CHANGE };
      }
      const ended = known === undefined ? null : statusRefusal(statusOf(known.person.id, world));
      if (ended !== null) return { answer: ended, changes: NO_CHANGE };
      if (known === undefined) return createPerson(app, principal, world);
      return claimName(app, principal, { person: known.person, record: world.personRecord(known.person.id) }, world);
    },
  };
}

function statusOf(id: PersonId, world: World): PersonStatus {
  return world.personRecord(id)?.status ?? "placeholder";
}

function createPerson(app: Application, principal: Principal, world: World): Carried<Person> {
  const minted = mintPerson(principal.assignee, world, app);
  const person: Person = { ...minted.person, displayName: principal.name };
  const record = minted.changes.records?.person?.[0];
  const changes = claimed(app, principal, { id: person.id, record }, world);
  return {
    answer: person,
    changes: { ...changes, entries: [...minted.changes.entries, ...changes.entries] },
  };
}

function claimName(
  app: Application,
  principal: Principal,
  known: { readonly person: Person; readonly record: PersonRecord | undefined },
  world: World,
): Carried<Person> {
  const changes = claimed(app, principal, { id: known.person.id, record: known.record }, world);
  return { answer: { ...known.person, displayName: known.person.displayName ?? principal.name }, changes };
}

function claimed(
  app: Application,
  principal: Principal,
  known: { readonly id: PersonId; readonly record: PersonRecord | undefined },
  world: World,
): ChangeSet {
  const { issuer, subject, assignee, name, email } = principal;
  const { id, record } = known;
  const entry = describe(
    {
      org: ledgerId("org", app.orgId),
      kind: "person.claimed",
      actor: ledgerId("usr", id),
      credential: null,
      resource: null,
      request: null,
      data: {
        person: ledgerId("usr", id),
        source: "token",
        issuer: hidden(issuer),
        name: hidden(name),
        email: hidden(email),
      },
    },
    app,
  );
  const person: readonly PersonRecord[] =
    record === undefined
      ? []
      : [
          {
            ...record,
            status: "active",
            displayName: name ?? record.displayName,
            email: email ?? record.email,
            firstSignedInAt: record.firstSignedInAt ?? world.now,
          },
        ];
  const identity = { id: world.newId(), issuer, subject, personId: id, providerId: null, createdAt: world.now };
  return {
    entries: [entry],
    records: { person, identity: [{ ...identity, unlinkedAt: null }] },
    aliases: [{ orgId: app.orgId, name: assignee, folded: foldName(assignee), personId: id, proof: "verified" }],
  };
}
