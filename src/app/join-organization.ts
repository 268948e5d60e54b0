/**
 * Somebody who has an account accepts the invitation of another organization as who they are: one person, one id, roles in both
 * (docs/spec/identity.md R-ID-1, R-ORG-2). The record that was invited becomes theirs; who invites learns of an account that
 * exists only now, and from its owner.
 */
import { foldName } from "../core/person.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import { roleNamed } from "../core/roles.ts";
import type { ChangeSet } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { OneTimeLinkRecord, PersonRecord } from "../ports/identity-records.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { loginSubject } from "./local-login.ts";
import { submitMerge, type MergedPeople } from "./merge-people.ts";
import { isLiveLink, linkInvalid, linkOf } from "./one-time-link.ts";
import { personAct } from "./person-changes.ts";
import { newGrant } from "./role-grants.ts";

export interface JoinedOrganization {
  readonly orgId: string;
  readonly person: PersonRecord;
}

export async function joinOrganization(
  app: Application,
  actor: Actor,
  token: string,
): Promise<JoinedOrganization | Refusal> {
  const link = await linkOf(app, token);
  const self = actor.person?.id;
  if (self === undefined || link === undefined) return linkInvalid();
  const { orgId, personId } = link;
  if (personId === null || orgId === null || personId === self) return linkInvalid();
  const organization = await app.organizations.find(orgId);
  if (organization?.status !== "active") return refuse("org_suspended", "This organization is suspended");
  const own = app.forOrganization(orgId);
  const joined = await submitMerge(own, {
    actor,
    merge: { from: personId, into: self, reason: null },
    records: [recordsBy("oneTimeLink", "tokenHash", [link.tokenHash])],
    refusal: (world, people) => refusalOf(own, world, { ...people, link: linkIn(world, link) }),
    besides: (world, people) => memberships(own, world, { actor, ...people, link: linkIn(world, link) }),
  });
  return isRefusal(joined) ? joined : { orgId, person: joined };
}

function linkIn(world: World, { tokenHash }: OneTimeLinkRecord): OneTimeLinkRecord | undefined {
  return world.records("oneTimeLink", "tokenHash", tokenHash)[0];
}

interface Joining extends MergedPeople {
  readonly link: OneTimeLinkRecord | undefined;
}

/** The invitation is bound to its address: whoever else holds the link learns nothing from it (R-LOCAL-6). */
function refusalOf(app: Application, world: World, { from, into, link }: Joining): Refusal | null {
  if (!isLiveLink(link, "invitation", world.now) || from.status !== "invited") return linkInvalid();
  if (into.status !== "active") return linkInvalid();
  if (from.email === null || into.email === null || foldName(from.email) !== foldName(into.email)) {
    return refuse("identity_conflict", "This invitation is for another e-mail address than that of your account");
  }
  // What a directory does to the account that it made it must not do to one of another organization.
  if (world.records("scimResource", "personId", from.id).some(({ deletedAt }) => deletedAt === null)) {
    return refuse("wrong_state", "A directory keeps the account you were invited to: come in by the invitation itself");
  }
  const isHere = into.orgId === app.orgId;
  return isHere ? refuse("already_exists", "You belong to this organization already") : null;
}

/** What was given to whoever is invited is theirs, as it was given. */
function memberships(
  app: Application,
  world: World,
  { actor, from, into, link }: Joining & { actor: Actor },
): ChangeSet {
  const given = world.records("roleGrant", "personId", from.id).filter(({ endedAt }) => endedAt === null);
  const held = world.records("roleGrant", "personId", into.id).filter(({ endedAt }) => endedAt === null);
  const missing = given.filter(
    (grant) => !held.some(({ orgId, role }) => orgId === grant.orgId && role === grant.role),
  );
  const grants = missing.flatMap(({ role: name, source, createdBy }) => {
    const role = roleNamed(name);
    return role === undefined ? [] : [newGrant(app, world, role, { personId: into.id, source, createdBy })];
  });
  const added = grants.map(({ role }) => role);
  const told = personAct(
    app,
    actor,
    {
      ...{ kind: "person.roles_changed", person: into, did: "accepted an invitation" },
      ...{ data: { source: "invitation", added }, after: { roles: added } },
    },
    world,
  );
  // The name that they were invited under is proven by coming in, as for anybody who accepts (R-ID-3).
  const alias = world
    .records("alias", "personId", from.id)
    .filter(({ orgId, folded }) => orgId === app.orgId && folded === loginSubject(from.assignee))
    .map((known) => ({ ...known, personId: into.id, proof: "verified" as const }));
  const oneTimeLink = link === undefined ? [] : [{ ...link, usedAt: world.now }];
  return { ...told, records: { roleGrant: grants, alias, oneTimeLink } };
}
