/**
 * Somebody is invited under an e-mail address: they come in by a one-time link, or with an identity provider that proves the
 * address (docs/spec/identity.md R-LOCAL-6, R-ID-6). Whom a policy named already keeps the tasks that wait under that name.
 */
import type { PersonId } from "../core/ids.ts";
import { isMachineName } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { Role } from "../core/roles.ts";
import type { Carried, Needs, World } from "../ports/command-store.ts";
import type { IdentityRecord, PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { hidden } from "./entry-writer.ts";
import { LOCAL_ISSUER } from "./identify.ts";
import { ledgerActor } from "./ledger-names.ts";
import { localLogin, loginSubject, personOfLogin } from "./local-login.ts";
import { NO_CHANGE } from "./no-change.ts";
import { newLink } from "./one-time-link.ts";
import { grantsOf, outranked } from "./outranked.ts";
import { personAct } from "./person-changes.ts";
import { replacedLinks } from "./person-ending.ts";
import { givableRoles, newGrant } from "./role-grants.ts";

export interface Invitation {
  readonly email: string;
  readonly name: string | null;
  /** The address where nothing else is said. */
  readonly login: string | null;
  readonly roles: readonly string[];
}

export interface Invited {
  readonly person: PersonRecord;
  readonly link: string;
  readonly expiresAt: number;
}

export async function invitePerson(app: Application, actor: Actor, invitation: Invitation): Promise<Invited | Refusal> {
  const roles = givableRoles(actor, invitation.roles);
  if (isRefusal(roles)) return roles;
  const by: InvitedBy = { actor, source: "invitation", createdBy: ledgerActor(actor, app.sha256), roles };
  return await submitInvitation(app, invitation, by);
}

export interface InvitedBy {
  /** Null for the installation's configuration. */
  readonly actor: Actor | null;
  readonly source: "invitation" | "environment";
  readonly createdBy: string;
  readonly roles: readonly Role[];
}

/** Also for people whom the configuration names (R-LOCAL-7). */
export async function submitInvitation(
  app: Application,
  invitation: Invitation,
  by: InvitedBy,
): Promise<Invited | Refusal> {
  const login = invitation.login ?? invitation.email;
  if (isMachineName(login)) return refuse("invalid_input", `'${login}' is the name of a machine`);
  const withAddress = await app.reader.records(recordsBy("person", "email", [invitation.email]));
  const withLogin = await app.reader.records(recordsBy("alias", "name", [login]));
  const owner = await personOfLogin(app, login);
  const known = [
    ...withAddress.filter(({ orgId }) => orgId === app.orgId).map(({ id }) => id),
    ...withLogin.filter(({ orgId }) => orgId === app.orgId).map(({ personId }) => personId),
  ];
  const elsewhere = [...withAddress.map(({ id }) => id), ...(owner === null ? [] : [owner])];
  return await app.store.submit<Invited | Refusal>({
    name: "invite_person",
    needs: invitationNeeds(invitation, login, [...new Set([...known, ...elsewhere])]),
    alone: true,
    carryOut: (world) => carryOut(app, { invitation, login, by, known }, world),
  });
}

function invitationNeeds(invitation: Invitation, login: string, known: readonly PersonId[]): Needs {
  return {
    personIds: known,
    knownNames: [login],
    identities: [{ issuer: LOCAL_ISSUER, subject: loginSubject(login) }],
    records: [
      recordsBy("person", "email", [invitation.email]),
      recordsBy("oneTimeLink", "personId", known),
      grantsOf(known),
    ],
  };
}

interface Asked {
  readonly invitation: Invitation;
  readonly login: string;
  readonly by: InvitedBy;
  /** Whose grants and links were looked at. */
  readonly known: readonly PersonId[];
}

function carryOut(app: Application, asked: Asked, world: World): Carried<Invited | Refusal> {
  const { invitation, login, by } = asked;
  const found = invitedAs(app, asked, world);
  if (isRefusal(found)) return { answer: found, changes: NO_CHANGE };
  const { email, name } = invitation;
  const person: PersonRecord = {
    ...{
      orgId: app.orgId,
      assignee: login,
      handle: null,
      firstSignedInAt: null,
      breakGlass: false,
      createdAt: world.now,
    },
    ...found.person,
    id: found.person?.id ?? newPersonId(world),
    ...{ displayName: name ?? found.person?.displayName ?? null, email, status: "invited" },
  };
  const held = world.records("roleGrant", "personId", person.id).filter(({ endedAt }) => endedAt === null);
  const missing = by.roles.filter(
    (role) => !held.some((grant) => grant.role === role.name && grant.source === by.source),
  );
  const { createdBy, source } = by;
  const grants = missing.map((role) => newGrant(app, world, role, { personId: person.id, source, createdBy }));
  const link = newLink(app, world.now, { kind: "invitation", orgId: app.orgId, personId: person.id, createdBy });
  const local = found.claimed ? null : localLogin(app, world.now, { personId: person.id, login, orgId: app.orgId });
  const identity: readonly IdentityRecord[] = local === null || found.takenElsewhere ? [] : [local.identity];
  const told = personAct(
    app,
    by.actor,
    {
      ...{
        kind: "person.created",
        person,
        did: "was invited",
        after: { roles: missing.map(({ name: role }) => role) },
      },
      data: {
        source,
        name: hidden(person.displayName),
        email: hidden(email),
        added: missing.map(({ name: role }) => role),
      },
    },
    world,
  );
  return {
    answer: { person, link: link.url, expiresAt: link.record.expiresAt },
    changes: {
      ...told,
      // The name is not proven before somebody comes in with it (R-ID-3).
      aliases: local === null ? [] : [{ ...local.alias, proof: "asserted" }],
      records: {
        person: [person],
        identity,
        roleGrant: grants,
        oneTimeLink: [...replacedLinks(world, person.id, ["invitation"]), link.record],
      },
    },
  };
}

/** Whoever makes the link could come in with it: only for people who hold nothing that the inviter does not. */
function invitedAgain(app: Application, { by, known }: Asked, id: PersonId, world: World): Refusal | null {
  if (!known.includes(id)) return refuse("wrong_state", "Somebody took this address or login just now: try again");
  return by.actor === null ? null : outranked(app, by.actor, id, world);
}

function newPersonId(world: World): PersonId {
  return world.newId();
}

interface Found {
  /** Null for somebody new. */
  readonly person: PersonRecord | null;
  /** The login is theirs already. */
  readonly claimed: boolean;
  /** Somebody of another organization signs in under it: they may join as who they are (R-ORG-2). */
  readonly takenElsewhere: boolean;
}

/** Whom the invitation is for: somebody invited before, somebody a policy named under this login, or somebody new. */
function invitedAs(app: Application, asked: Asked, world: World): Found | Refusal {
  const { login } = asked;
  const [same] = world
    .records("person", "email", asked.invitation.email)
    .filter(({ orgId, status }) => orgId === app.orgId && status !== "erased");
  const named = world.known(login)?.person.id;
  const owner = world.identity(LOCAL_ISSUER, loginSubject(login));
  const person = same ?? (named === undefined ? null : (world.personRecord(named) ?? null));
  const takenElsewhere = owner !== undefined && isStranger(app, world, owner);
  const others = [named, takenElsewhere ? undefined : owner].some((id) => id !== undefined && id !== person?.id);
  if (others || hasCome(app, world, { person, email: asked.invitation.email })) {
    return refuse("already_exists", "Somebody here has this address or login already");
  }
  if (person === null) return { person: null, claimed: false, takenElsewhere };
  const refused = invitedAgain(app, asked, person.id, world);
  if (refused !== null) return refused;
  const assignee = person.status === "placeholder" ? login : person.assignee;
  return { person: { ...person, assignee }, claimed: owner === person.id, takenElsewhere };
}

/** Somebody of this organization, from here or from elsewhere, who needs no invitation any more. */
function hasCome(
  app: Application,
  world: World,
  { person, email }: { readonly person: PersonRecord | null; readonly email: string },
): boolean {
  if (person !== null && person.status !== "invited" && person.status !== "placeholder") return true;
  return world
    .records("person", "email", email)
    .some(({ id, orgId, status }) => orgId !== app.orgId && status !== "erased" && !isStranger(app, world, id));
}

/** Of another organization and without a role here: the invitation is answered as if there were nobody (R-ORG-2). */
function isStranger(app: Application, world: World, id: PersonId): boolean {
  const person = world.personRecord(id);
  if (person === undefined || person.orgId === app.orgId) return false;
  const grants = world.records("roleGrant", "personId", id);
  return !grants.some(({ orgId, endedAt }) => endedAt === null && orgId === app.orgId);
}
