/** People: who they are, what they may do, and what becomes of their account (docs/spec/identity.md section 6). */
import { z } from "zod";
import { changePerson, endSessionsOf } from "../../app/change-person.ts";
import { changePersonStatus, type StatusAct } from "../../app/change-person-status.ts";
import { vouchFactor } from "../../app/factor-vouch.ts";
import { invitePerson } from "../../app/invite-person.ts";
import { mergePeople } from "../../app/merge-people.ts";
import { moveName } from "../../app/move-name.ts";
import { personPage, personUnknown } from "../../app/person-page.ts";
import { makeRecoveryLink } from "../../app/recovery-link.ts";
import { setRoles } from "../../app/role-grants.ts";
import { isId, type PersonId } from "../../core/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import {
  changePersonSchema,
  erasePersonSchema,
  invitedSchema,
  invitePersonSchema,
  mergePeopleSchema,
  moveNameSchema,
  nothingSchema,
  oneTimeLinkSchema,
  peoplePageSchema,
  peopleQuerySchema,
  personFactorSchema,
  personPageSchema,
  personSchema,
  reasonSchema,
  setRolesSchema,
} from "../../contract/people.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { recordsBy } from "../../ports/records.ts";
import { created, NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { personFactorOut, personOut, personPageOut } from "../wire/person-out.ts";

const tag = "people";

export function peopleRoutes(): readonly Endpoint[] {
  return [
    list(),
    invite(),
    one(),
    change(),
    roles(),
    ...statuses(),
    erase(),
    recovery(),
    endSessions(),
    ...joining(),
    vouch(),
  ];
}

function list(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/people",
    summary: "The people of the organization, by name",
    tag,
    query: peopleQuerySchema,
    answers: { 200: peoplePageSchema },
    async handle({ query, caller }) {
      const { q, status, limit, cursor } = query;
      const page = await caller.app.reader.members({ limit, ...definedMembers({ q, status, cursor }) });
      return ok({ items: page.items.map(personOut), next: page.next });
    },
  });
}

function invite(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/people",
    summary: "Invite somebody; the link is shown once",
    tag,
    body: invitePersonSchema,
    answers: { 201: invitedSchema },
    async handle({ body, caller }) {
      const { email, name = null, login = null, roles: names } = body;
      const invited = await invitePerson(caller.app, caller.actor, { email, name, login, roles: names });
      if (isRefusal(invited)) return invited;
      const person = await caller.app.reader.member(invited.person.id);
      if (person === undefined) return personUnknown();
      return created({ person: personOut(person), link: invited.link, expires_at: wireTime(invited.expiresAt) });
    },
  });
}

function one(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/people/:id",
    summary: "A person, and everything that belongs to them",
    tag,
    answers: { 200: personPageSchema },
    async handle({ params, caller }) {
      const id = personIdIn(params);
      const page = id === null ? personUnknown() : await personPage(caller.app, id);
      if (isRefusal(page)) return page;
      const ids = page.identities.flatMap(({ providerId }) => providerId ?? []);
      const providers = await providerNames(caller, ids);
      return ok(personPageOut(page, { providers, currentSession: caller.session?.id ?? null }));
    },
  });
}

/** Identity providers by id, for showing where an identity comes from. */
export async function providerNames({ app }: Authorized, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const providers = await app.reader.records(recordsBy("identityProvider", "id", ids));
  return new Map(providers.map(({ id, name }) => [id, name]));
}

function change(): Endpoint {
  return endpoint({
    method: "PATCH",
    url: "/people/:id",
    summary: "Give a person another name or address, or mark them for emergencies",
    tag,
    body: changePersonSchema,
    answers: { 200: personSchema },
    async handle({ params, body, caller }) {
      const personId = personIdIn(params);
      if (personId === null) return personUnknown();
      const { name, email, break_glass: breakGlass } = body;
      const change = { personId, ...definedMembers({ name, email, breakGlass }) };
      return shown(caller, personId, await changePerson(caller.app, caller.actor, change));
    },
  });
}

function roles(): Endpoint {
  return endpoint({
    method: "PUT",
    url: "/people/:id/roles",
    summary: "Say which roles a person holds; those of a directory or provider stay",
    tag,
    body: setRolesSchema,
    answers: { 200: personSchema },
    async handle({ params, body, caller }) {
      const personId = personIdIn(params);
      if (personId === null) return personUnknown();
      return shown(caller, personId, await setRoles(caller.app, caller.actor, { personId, roles: body.roles }));
    },
  });
}

const STATUS_ACTS = {
  lock: "Lock an account: nobody signs in with it, and its tasks wait",
  unlock: "Unlock an account",
  suspend: "Suspend somebody who has left: others are asked instead",
  reactivate: "Bring back somebody who was suspended",
} as const satisfies Partial<Record<StatusAct, string>>;

function statuses(): readonly Endpoint[] {
  return (["lock", "unlock", "suspend", "reactivate"] as const).map((act) =>
    endpoint({
      method: "POST",
      url: `/people/:id/${act}`,
      summary: STATUS_ACTS[act],
      tag,
      body: reasonSchema,
      answers: { 200: personSchema },
      async handle({ params, body, caller }) {
        const personId = personIdIn(params);
        if (personId === null) return personUnknown();
        const about = { personId, act, reason: body.reason };
        return shown(caller, personId, await changePersonStatus(caller.app, caller.actor, about));
      },
    }),
  );
}

function erase(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/people/:id/erase",
    summary: "Erase a person for ever; the name is typed to confirm it",
    tag,
    body: erasePersonSchema,
    answers: { 200: personSchema },
    async handle({ params, body, caller }) {
      const personId = personIdIn(params);
      if (personId === null) return personUnknown();
      const about = { personId, act: "erase", reason: body.reason, confirm: body.confirm } as const;
      return shown(caller, personId, await changePersonStatus(caller.app, caller.actor, about));
    },
  });
}

function recovery(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/people/:id/recovery",
    summary: "Make the link by which somebody who lost their factors comes back; shown once",
    tag,
    body: nothingSchema,
    answers: { 201: oneTimeLinkSchema },
    async handle({ params, caller }) {
      const personId = personIdIn(params);
      if (personId === null) return personUnknown();
      const link = await makeRecoveryLink(caller.app, caller.actor, personId);
      return isRefusal(link) ? link : created({ link: link.url, expires_at: wireTime(link.record.expiresAt) });
    },
  });
}

function endSessions(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/people/:id/end-sessions",
    summary: "Sign a person out everywhere",
    tag,
    body: nothingSchema,
    answers: { 204: z.null() },
    async handle({ params, caller }) {
      const personId = personIdIn(params);
      if (personId === null) return personUnknown();
      return (await endSessionsOf(caller.app, caller.actor, personId)) ?? NO_CONTENT;
    },
  });
}

function joining(): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/people/:id/merge",
      summary: "Two records of one person become one; there is no way back",
      tag,
      body: mergePeopleSchema,
      answers: { 200: personSchema },
      async handle({ params, body, caller }) {
        const from = personIdIn(params);
        const { into, reason } = body;
        if (from === null || !isId<"person">(into)) return personUnknown();
        return shown(caller, into, await mergePeople(caller.app, caller.actor, { from, into, reason }));
      },
    }),
    endpoint({
      method: "POST",
      url: "/people/:id/names",
      summary: "Move a name to this person; open tasks stay with whom they were given to",
      tag,
      body: moveNameSchema,
      answers: { 200: personSchema },
      async handle({ params, body, caller }) {
        const personId = personIdIn(params);
        if (personId === null) return personUnknown();
        return shown(caller, personId, await moveName(caller.app, caller.actor, { personId, name: body.name }));
      },
    }),
  ];
}

function vouch(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/people/:id/factors/:factor/vouch",
    summary: "End the cool-down of somebody else's new factor",
    tag,
    body: reasonSchema,
    answers: { 200: personFactorSchema },
    async handle({ params, body, caller }) {
      const personId = personIdIn(params);
      const factorId = pathText(params, "factor").toLowerCase();
      const { person } = caller.actor;
      if (personId === null || !isId(factorId) || person === null) return personUnknown();
      const by = { personId: person.id, sessionId: caller.session?.id ?? null };
      const vouched = await vouchFactor(caller.app, caller.actor, by, { personId, factorId, reason: body.reason });
      return isRefusal(vouched) ? vouched : ok(personFactorOut(vouched));
    },
  });
}

function personIdIn(params: Readonly<Record<string, string>>): PersonId | null {
  const id = pathText(params, "id").toLowerCase();
  return isId<"person">(id) ? id : null;
}

/** The person as the list shows them, once the act is done. */
async function shown({ app }: Authorized, id: PersonId, done: object | null): Promise<Outcome> {
  if (done !== null && isRefusal(done)) return done;
  const person = await app.reader.member(id);
  return person === undefined ? gone() : ok(personOut(person));
}

/** Whoever lost the last role here and comes from elsewhere is not of this organization any more. */
function gone(): Refusal {
  return refuse("not_found", "The person is not of this organization any more");
}
