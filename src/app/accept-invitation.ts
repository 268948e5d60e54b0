/**
 * Somebody who was invited comes in by their link: the login is theirs from here on, and the session can enrol a factor and
 * nothing else. They count as active with the first factor (docs/spec/identity.md R-LOCAL-6, status table of section 1).
 */
import type { PersonId } from "../core/ids.ts";
import { foldName } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { AliasRecord, IdentityRecord, PersonRecord } from "../ports/identity-records.ts";
import type { Carried, World } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";
import { ENROLMENT_SECONDS, type EnrolmentOpened } from "./first-run.ts";
import { LOCAL_ISSUER } from "./identify.ts";
import { ledgerId } from "./ledger-names.ts";
import { localLogin, loginSubject } from "./local-login.ts";
import { NO_CHANGE } from "./no-change.ts";
import { isLiveLink, linkInvalid, linkOf } from "./one-time-link.ts";
import { openedSession, secretHash } from "./session-record.ts";

export interface Acceptance {
  readonly token: string;
  readonly name: string | null;
  /** Null keeps the login of the invitation, else the e-mail address becomes the login. */
  readonly login: string | null;
  readonly client: string | null;
  readonly address: string | null;
}

export async function acceptInvitation(app: Application, about: Acceptance): Promise<EnrolmentOpened | Refusal> {
  const link = await linkOf(app, about.token);
  if (link?.personId === undefined || !isLiveLink(link, "invitation", app.clock())) return linkInvalid();
  const { personId, orgId } = link;
  if (personId === null || orgId === null) return linkInvalid();
  const [person] = await app.reader.records(recordsBy("person", "id", [personId]));
  const login = about.login ?? person?.email ?? person?.assignee ?? null;
  if (login === null) return linkInvalid();
  const home = app.forOrganization(orgId);
  return home.store.submit<EnrolmentOpened | Refusal>({
    name: "accept_invitation",
    needs: {
      personIds: [personId],
      knownNames: [login],
      identities: [{ issuer: LOCAL_ISSUER, subject: loginSubject(login) }],
      records: [
        recordsBy("oneTimeLink", "tokenHash", [secretHash(app, about.token)]),
        recordsBy("identity", "personId", [personId]),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(home, world, { about, personId, login }),
  });
}

interface Asked {
  readonly about: Acceptance;
  readonly personId: PersonId;
  /** Used where the invitation gave none. */
  readonly login: string;
}

function carryOut(app: Application, world: World, asked: Asked): Carried<EnrolmentOpened | Refusal> {
  const { about, personId } = asked;
  const [link] = world.records("oneTimeLink", "tokenHash", secretHash(app, about.token));
  const person = world.personRecord(personId);
  if (link === undefined || !isLiveLink(link, "invitation", world.now) || person?.status !== "invited") {
    return { answer: linkInvalid(), changes: NO_CHANGE };
  }
  const login = loginFor(app, world, asked);
  if (login === null) {
    const message = "Somebody here has this login already: choose another";
    return { answer: refuse("already_exists", message), changes: NO_CHANGE };
  }
  const opened = openedSession(app, world.now, {
    ...{ personId, kind: "enrolment", method: "link", aal: 1, client: about.client, address: about.address },
    ...{ lifeSeconds: ENROLMENT_SECONDS, idleSeconds: null },
  });
  const accepted: PersonRecord = {
    ...person,
    displayName: about.name ?? person.displayName,
    firstSignedInAt: person.firstSignedInAt ?? world.now,
  };
  const entry = describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "person.linked", actor: ledgerId("usr", personId) },
      ...{ credential: null, resource: null, request: null },
      data: {
        ...{ person: ledgerId("usr", personId), source: "invitation", issuer: hidden(LOCAL_ISSUER) },
        name: hidden(accepted.displayName),
      },
    },
    app,
  );
  return {
    answer: { token: opened.token, session: opened.record },
    changes: {
      entries: [entry, opened.entry],
      aliases: login.alias === null ? [] : [login.alias],
      records: {
        oneTimeLink: [{ ...link, usedAt: world.now }],
        person: [accepted],
        identity: login.identities,
        session: [opened.record],
      },
    },
  };
}

interface LoginChange {
  readonly identities: readonly IdentityRecord[];
  readonly alias: AliasRecord | null;
}

/** The login asked for, else that of the invitation, else the address; null when it is somebody else's. */
function loginFor(app: Application, world: World, { about, personId, login }: Asked): LoginChange | null {
  const own = world
    .records("identity", "personId", personId)
    .filter((identity) => identity.issuer === LOCAL_ISSUER && identity.unlinkedAt === null);
  const wanted = loginSubject(login);
  const name = own.some(({ subject }) => subject === wanted) ? login : nameOfInvitation(world, personId, own);
  if (own.length > 0 && (about.login === null || name === login)) {
    // Proven from here on: whoever came in holds what was sent to them (R-ID-3).
    return { identities: [], alias: name === null ? null : aliasOf(app, personId, name) };
  }
  const owner = world.identity(LOCAL_ISSUER, wanted);
  const known = world.known(login);
  if (owner !== undefined && owner !== personId) return null;
  if (known !== undefined && known.person.id !== personId) return null;
  const { identity, alias } = localLogin(app, world.now, { personId, login, orgId: app.orgId });
  const former = own.map((each): IdentityRecord => ({ ...each, unlinkedAt: world.now }));
  return { identities: [...former, identity], alias };
}

/** The login of the invitation as it was written; null where the person is known by another name. */
function nameOfInvitation(world: World, personId: PersonId, own: readonly IdentityRecord[]): string | null {
  const name = world.personRecord(personId)?.assignee ?? "";
  return own.some(({ subject }) => subject === loginSubject(name)) ? name : null;
}

function aliasOf(app: Application, personId: PersonId, name: string): AliasRecord {
  return { orgId: app.orgId, name, folded: foldName(name), personId, proof: "verified" };
}
