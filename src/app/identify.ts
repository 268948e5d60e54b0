/**
 * Whose token is this? A token is mapped to a person by issuer and subject, else by the name it carries, which it then
 * claims. Implements docs/spec/api.md R-AUTH-1 to R-AUTH-8.
 */
import type { PersonId } from "../core/ids.ts";
import { foldName, type Actor, type Person } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { ChangeSet, PersonRecord } from "../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../ports/command-store.ts";
import type { IdentifiedPerson } from "../ports/reader.ts";
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

/** The two roles of the compatible API; the administrator's includes the viewer's (R-AUTH-23). */
const ADMIN_ROLE = "AWE_ADMIN";
const VIEWER_ROLE = "AWE_VIEWER";

/** `credential` is the ledger's name of what was presented, null for a bare token. */
export async function identify(
  app: Application,
  principal: Principal,
  credential: string | null = null,
): Promise<Actor | Refusal> {
  if (principal.machine) return actorOf(principal, null, credential);
  const { byIdentity, byName } = await app.reader.identify(principal);
  if (byIdentity !== undefined) return recognized(principal, { byIdentity, byName }, credential);
  try {
    const person = await app.store.submit(claim(app, principal));
    if (person === CLAIMED_MEANWHILE) return await identify(app, principal, credential);
    return isRefusal(person) ? person : actorOf(principal, person, credential);
  } catch (error) {
    // While nothing can be written a newcomer may still look, as nobody in particular.
    if (error instanceof Unavailable && error.code === "quarantined") return actorOf(principal, null, credential);
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
  const person = personOf(found.byIdentity);
  if (found.byName?.record.id === person.id) return actorOf(principal, person, credential);
  if (found.byName !== undefined && found.byName.claimedSubjects.length > 0) return identityConflict(principal);
  const barring = { ...person, foldedNames: [...person.foldedNames, foldName(principal.assignee)] };
  return actorOf({ ...principal, assignee: person.assignee }, barring, credential);
}

function identityConflict({ assignee }: Principal): Refusal {
  const message = `The name '${assignee}' belongs to another account of this issuer; an administrator must move it`;
  return refuse("identity_conflict", message);
}

/** An address that nobody proved is enough to bar its bearer from what was asked for under it (R-AUTH-1). */
function barredByAddress(person: Person, email: string | null): Person {
  return email === null ? person : { ...person, foldedNames: [...person.foldedNames, foldName(email)] };
}

function actorOf(principal: Principal, known: Person | null, credential: string | null): Actor {
  const { issuer, subject, assignee, name, clientId, email, machine, roles } = principal;
  const displayName = name ?? assignee;
  const admin = roles.includes(ADMIN_ROLE);
  const viewer = admin || roles.includes(VIEWER_ROLE);
  const person = known === null ? null : barredByAddress(known, email);
  return { person, assignee, displayName, issuer, subject, clientId, email, credential, machine, admin, viewer };
}

function personOf(found: IdentifiedPerson): Person {
  return {
    id: found.record.id,
    assignee: found.record.assignee,
    foldedNames: found.foldedNames,
    displayName: found.record.displayName,
    disabled: found.record.status === "disabled",
    machine: false,
  };
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
      if (known?.claimedBy.includes(issuer) === true) {
        return { answer: identityConflict(principal), changes: NO_CHANGE };
      }
      if (known === undefined) return createPerson(app, principal, world);
      return claimName(app, principal, { person: known.person, record: world.personRecord(known.person.id) }, world);
    },
  };
}

function createPerson(app: Application, principal: Principal, world: World): Carried<Person> {
  const minted = mintPerson(principal.assignee, world, app);
  const person: Person = { ...minted.person, displayName: principal.name };
  const record = minted.changes.people?.[0];
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
  const people =
    record === undefined
      ? []
      : [
          {
            ...record,
            // A new token does not bring back somebody who was disabled.
            status: record.status === "disabled" ? "disabled" : "active",
            displayName: name ?? record.displayName,
            email: email ?? record.email,
          } as const,
        ];
  return {
    entries: [entry],
    people,
    aliases: [{ orgId: app.orgId, name: assignee, folded: foldName(assignee), personId: id, proof: "verified" }],
    identities: [{ issuer, subject, personId: id, createdAt: world.now }],
  };
}
