/**
 * Somebody who was invited comes in by their link: the name that they were invited under is theirs from here on, and the
 * session can enrol a factor and nothing else. They count as active with the first factor (docs/spec/identity.md R-LOCAL-6,
 * R-ID-3, status table of section 1).
 */
import type { PersonId } from "../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
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
  /** Who sends one sends that of the invitation: nobody proves a name by choosing it. */
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
  if (person === undefined) return linkInvalid();
  const { assignee } = person;
  const home = app.forOrganization(orgId);
  return home.store.submit<EnrolmentOpened | Refusal>({
    name: "accept_invitation",
    needs: {
      personIds: [personId],
      knownNames: [assignee],
      identities: [{ issuer: LOCAL_ISSUER, subject: loginSubject(assignee) }],
      records: [
        recordsBy("oneTimeLink", "tokenHash", [secretHash(app, about.token)]),
        recordsBy("identity", "personId", [personId]),
        recordsBy("alias", "personId", [personId]),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(home, world, { about, personId, assignee }),
  });
}

interface Asked {
  readonly about: Acceptance;
  readonly personId: PersonId;
  /** As it was when the needs were named. */
  readonly assignee: string;
}

function carryOut(app: Application, world: World, asked: Asked): Carried<EnrolmentOpened | Refusal> {
  const { about, personId } = asked;
  const [link] = world.records("oneTimeLink", "tokenHash", secretHash(app, about.token));
  const person = world.personRecord(personId);
  if (link === undefined || !isLiveLink(link, "invitation", world.now) || person?.status !== "invited") {
    return { answer: linkInvalid(), changes: NO_CHANGE };
  }
  const login = loginFor(app, world, asked);
  if (isRefusal(login)) return { answer: login, changes: NO_CHANGE };
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
      aliases: login.aliases,
      records: {
        oneTimeLink: [{ ...link, usedAt: world.now }],
        person: [accepted],
        identity: login.identity === null ? [] : [login.identity],
        session: [opened.record],
      },
    },
  };
}

interface Login {
  /** Null where the invitation made it. */
  readonly identity: IdentityRecord | null;
  readonly aliases: readonly AliasRecord[];
}

/**
 * Only names that somebody else wrote are proven by coming in: the invitation's, or that of whoever a directory made. A name of
 * one's own choice would be the one that a policy points at (R-ID-3).
 */
function loginFor(app: Application, world: World, asked: Asked): Login | Refusal {
  const { about, personId } = asked;
  const subjects = world
    .records("identity", "personId", personId)
    .filter((identity) => identity.issuer === LOCAL_ISSUER && identity.unlinkedAt === null)
    .map(({ subject }) => subject);
  const invited = subjects.length === 0 ? [loginSubject(asked.assignee)] : subjects;
  if (about.login !== null && !invited.includes(loginSubject(about.login))) return notTheirs();
  if (subjects.length === 0) return newLogin(app, world, asked);
  // As they were written: another spelling is another name to a policy. One that was moved away since is not among them.
  const written = world
    .records("alias", "personId", personId)
    .filter((alias) => alias.orgId === app.orgId && subjects.includes(alias.folded));
  return { identity: null, aliases: written.map((alias) => ({ ...alias, proof: "verified" })) };
}

/** Whom a directory made has no login yet: it is the name by which they are known. */
function newLogin(app: Application, world: World, { personId, assignee }: Asked): Login | Refusal {
  const owner = world.identity(LOCAL_ISSUER, loginSubject(assignee));
  const known = world.known(assignee)?.person.id;
  if ([owner, known].some((id) => id !== undefined && id !== personId)) {
    return refuse(
      "already_exists",
      "Somebody has your user name already: if it is you, sign in and join the organization with this link; else ask for an invitation under another one",
    );
  }
  const { identity, alias } = localLogin(app, world.now, { personId, login: assignee, orgId: app.orgId });
  return { identity, aliases: [alias] };
}

function notTheirs(): Refusal {
  const message =
    "Your user name is the one you were invited under: leave it out, or ask for an invitation under another";
  return refuse("invalid_input", message, [{ path: ["body", "login"], message }]);
}
