/**
 * A provider proved who somebody is: whose identity is it, or may they come in for the first time? By their identity; else once,
 * as the person an administrator invited under their verified address, or whom a policy named by the claim that proves names;
 * else as somebody new of a domain of the organization. Never because an address is the same. Implements docs/spec/identity.md
 * R-ID-2, R-ID-4 to R-ID-6, R-IDP-6 and R-IDP-7; the roles of R-IDP-8 change in the same transaction.
 */
import type { PersonId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import { foldName } from "../core/person.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import type { ChangeSet, DescribedEntry } from "../ports/change-set.ts";
import type { AliasRecord, IdentityProviderRecord, IdentityRecord, PersonRecord } from "../ports/identity-records.ts";
import type { Carried, World } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, hidden, type EntryData } from "./entry-writer.ts";
import { statusRefusal } from "./identify.ts";
import type { ProviderSettings } from "./identity-provider-settings.ts";
import { ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { textClaim } from "./oidc-claims.ts";
import { domainOf, domainRefusal, verifiedEmail } from "./oidc-email.ts";
import { rolesChanged } from "./oidc-roles.ts";

export interface Proved {
  readonly provider: IdentityProviderRecord;
  readonly settings: ProviderSettings;
  readonly subject: string;
  readonly claims: JsonObject;
}

export interface Admission {
  readonly answer: { readonly personId: PersonId } | Refusal;
  /** Whose refusal it is, when that is known. */
  readonly personId: PersonId | null;
}

/** What the proof says about the newcomer. */
interface Newcomer extends Proved {
  readonly email: string | null;
  /** Proven by the provider's claim, where the organization says that it proves names. */
  readonly name: string | null;
}

export async function admitProved(app: Application, proved: Proved): Promise<Admission> {
  const { settings, claims, provider } = proved;
  const refused = domainRefusal(claims, { issuer: provider.issuer, settings });
  const email = verifiedEmail(claims);
  const name = settings.nameClaim === null ? null : textClaim(claims, settings.nameClaim);
  const newcomer: Newcomer = { ...proved, email, name };
  const people = await possiblePeople(app, newcomer);
  if (refused !== null) return { answer: refused, personId: people.owner };
  return app.store.submit<Admission>({
    name: "admit_identity",
    needs: {
      personIds: people.all,
      knownNames: [name, email].filter((known) => known !== null),
      records: [
        recordsBy("identity", "subject", [proved.subject]),
        recordsBy("identity", "personId", people.all),
        recordsBy("person", "email", spellings(email)),
        recordsBy("roleGrant", "personId", people.all),
      ],
    },
    alone: true,
    carryOut: (world) => carryOut(app, world, newcomer, people.all),
  });
}

/** Found before the transaction, so that it knows what to read; looked at again inside. */
async function possiblePeople(
  app: Application,
  { provider, subject, email, name }: Newcomer,
): Promise<{ readonly owner: PersonId | null; readonly all: readonly PersonId[] }> {
  const { reader } = app;
  const [identities, byEmail, byName] = await Promise.all([
    reader.records(recordsBy("identity", "subject", [subject])),
    reader.records(recordsBy("person", "email", spellings(email))),
    name === null ? undefined : reader.identify({ issuer: provider.issuer, subject, assignee: name }),
  ]);
  const owner = identities.find(({ issuer }) => issuer === provider.issuer)?.personId ?? null;
  const named = byName?.byName?.record.id;
  const all = [
    ...(owner === null ? [] : [owner]),
    ...byEmail.map(({ id }) => id),
    ...(named === undefined ? [] : [named]),
  ];
  return { owner, all: [...new Set(all)] };
}

/** Addresses are kept as they were typed or in lower case. */
function spellings(email: string | null): readonly string[] {
  return email === null ? [] : [...new Set([email, email.toLowerCase()])];
}

function carryOut(app: Application, world: World, newcomer: Newcomer, looked: readonly PersonId[]): Carried<Admission> {
  const { provider, subject } = newcomer;
  const identity = world.records("identity", "subject", subject).find(({ issuer }) => issuer === provider.issuer);
  if (identity === undefined) return firstTime(app, world, newcomer);
  const person = looked.includes(identity.personId) ? world.personRecord(identity.personId) : undefined;
  // Somebody else's first sign-in with this identity was faster by a moment.
  if (person === undefined) return refusal(providerBusy(), null);
  if (identity.unlinkedAt !== null) return refusal(conflict("This identity was unlinked from its person"), person.id);
  const ended = statusRefusal(person.status);
  if (ended !== null) return refusal(ended, person.id);
  const roles = rolesChanged(app, world, { newcomer, personId: person.id });
  if (person.orgId !== app.orgId && !roles.isMember) return refusal(notInvited(), person.id);
  const { changes } = roles;
  return { answer: { answer: { personId: person.id }, personId: person.id }, changes };
}

function firstTime(app: Application, world: World, newcomer: Newcomer): Carried<Admission> {
  const found = expectedPerson(app, world, newcomer);
  if (found !== null && isRefusal(found)) return refusal(found, null);
  if (found !== null) return claim(app, world, newcomer, found);
  const refused = creationRefusal(app, world, newcomer);
  return refused === null ? create(app, world, newcomer) : refusal(refused, null);
}

/** Invited under this very address, or named by a policy; null when nobody here is expected to be this. */
function expectedPerson(app: Application, world: World, newcomer: Newcomer): PersonRecord | Refusal | null {
  const { email, name, claims } = newcomer;
  const invited = sameAddress(app, world, email).filter((person) => awaitsSignIn(world, newcomer, person));
  const named = namedPerson(world, newcomer, name);
  if (named !== null && isRefusal(named)) return named;
  const all = [...invited, ...(named === null || invited.includes(named) ? [] : [named])];
  const [only] = all;
  if (all.length > 1) return conflict("Address and name belong to different people here");
  if (only !== undefined) return isBeyond(app, world, only.id) ? notInvited() : only;
  // An address that nobody vouches for is said to be so, whether or not somebody was invited under it.
  if (email === null && typeof claims["email"] === "string" && name === null) {
    return refuse("email_not_verified", "Your identity provider does not vouch for your e-mail address");
  }
  return null;
}

/**
 * Whoever administers an organization names its providers: what they assert never makes anybody of the platform, or of another
 * organization. Those come by the link of their invitation, and link the provider themselves (R-ID-6).
 */
function isBeyond(app: Application, world: World, personId: PersonId): boolean {
  const held = world.records("roleGrant", "personId", personId).filter(({ endedAt }) => endedAt === null);
  return held.some(({ orgId }) => orgId !== app.orgId);
}

function sameAddress(app: Application, world: World, email: string | null): readonly PersonRecord[] {
  const people = spellings(email).flatMap((spelling) => world.records("person", "email", spelling));
  return [...new Set(people)].filter(({ orgId }) => orgId === app.orgId);
}

/** Once only: never signed in, and without another identity of this issuer (R-ID-6). */
function awaitsSignIn(world: World, { provider }: Newcomer, person: PersonRecord): boolean {
  if (person.firstSignedInAt !== null) return false;
  const identities = world.records("identity", "personId", person.id);
  if (person.status === "invited") return !identities.some(({ issuer }) => issuer === provider.issuer);
  // Made by the organization's directory (SCIM) and not yet here.
  return person.status === "active" && identities.length === 0;
}

/** The claim of a placeholder's name; a name that somebody has claimed is theirs (R-ID-4, R-ID-5). */
function namedPerson(world: World, { provider }: Newcomer, name: string | null): PersonRecord | Refusal | null {
  const known = name === null ? undefined : world.known(name);
  if (known === undefined) return null;
  const person = world.personRecord(known.person.id);
  const isFree = known.claimedBy.length === 0 && (person?.status === "placeholder" || person?.status === "invited");
  if (person !== undefined && isFree && person.orgId === provider.orgId) return person;
  return conflict(`The name '${name ?? ""}' belongs to another account; an administrator must move it`);
}

function claim(app: Application, world: World, newcomer: Newcomer, person: PersonRecord): Carried<Admission> {
  const claimed: PersonRecord = {
    ...person,
    status: "active",
    displayName: person.displayName ?? textClaim(newcomer.claims, "name"),
    email: person.email ?? newcomer.email,
  };
  const kind = person.status === "placeholder" ? "person.claimed" : "person.linked";
  const told = entry(app, kind, claimed, { issuer: hidden(newcomer.provider.issuer), email: hidden(newcomer.email) });
  return arrived(app, world, newcomer, { person: claimed, told });
}

function creationRefusal(app: Application, world: World, { settings, email }: Newcomer): Refusal | null {
  const domain = email === null ? null : domainOf(email);
  const isOurs = domain !== null && settings.domains.includes(domain);
  if (settings.provisioning !== "domain" || !isOurs || email === null) return notInvited();
  // A second person with the address of a first would let one human count twice.
  if (sameAddress(app, world, email).length > 0) return conflict("Somebody here has this e-mail address already");
  return isNameFree(world, email) ? null : conflict("Somebody here goes by this e-mail address already");
}

/** Nobody has the name, or a policy alone gave it to somebody who never came. */
function isNameFree(world: World, name: string): boolean {
  const known = world.known(name);
  if (known === undefined) return true;
  return known.claimedBy.length === 0 && world.personRecord(known.person.id)?.status === "placeholder";
}

function create(app: Application, world: World, newcomer: Newcomer): Carried<Admission> {
  const { email, name, claims, provider } = newcomer;
  const known = email === null ? undefined : world.known(email);
  const placeholder = known === undefined ? undefined : world.personRecord(known.person.id);
  const id: PersonId = world.newId();
  const person: PersonRecord = {
    ...{ id, orgId: app.orgId, assignee: name ?? email ?? newcomer.subject, handle: null },
    ...{ firstSignedInAt: null, breakGlass: false, createdAt: world.now },
    ...placeholder,
    ...{ displayName: textClaim(claims, "name"), email, status: "active" },
  };
  const kind = placeholder === undefined ? "person.created" : "person.claimed";
  const told = entry(app, kind, person, {
    ...{ issuer: hidden(provider.issuer), email: hidden(email), name: hidden(person.assignee) },
  });
  return arrived(app, world, newcomer, { person, told });
}

/** The person with the identity, the proven name and the roles of the provider's rules, all at once. */
function arrived(
  app: Application,
  world: World,
  newcomer: Newcomer,
  { person, told }: { readonly person: PersonRecord; readonly told: DescribedEntry },
): Carried<Admission> {
  const { provider, subject } = newcomer;
  const identity: IdentityRecord = {
    ...{ id: world.newId(), issuer: provider.issuer, subject, personId: person.id, providerId: provider.id },
    ...{ createdAt: world.now, unlinkedAt: null },
  };
  const { changes } = rolesChanged(app, world, { newcomer, personId: person.id });
  const written: ChangeSet = {
    entries: [told, ...changes.entries],
    aliases: provenNames(newcomer, person),
    records: { ...changes.records, person: [person], identity: [identity] },
  };
  return { answer: { answer: { personId: person.id }, personId: person.id }, changes: written };
}

/** The person's name is proven when it is what the provider says; otherwise it stays what somebody asserted. */
function provenNames({ name, email }: Newcomer, { assignee, orgId, id }: PersonRecord): readonly AliasRecord[] {
  const names = [name, email === assignee ? email : null].filter((proven) => proven !== null);
  return [...new Set(names)].map((proven) => ({
    ...{ orgId, name: proven, folded: foldName(proven), personId: id, proof: "verified" },
  }));
}

function entry(app: Application, kind: string, person: PersonRecord, data: EntryData): DescribedEntry {
  const name = ledgerId("usr", person.id);
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind, actor: name, credential: null, resource: null, request: null },
      data: { person: name, source: "identity_provider", ...data },
    },
    app,
  );
}

function refusal(answer: Refusal, personId: PersonId | null): Carried<Admission> {
  return { answer: { answer, personId }, changes: NO_CHANGE };
}

function notInvited(): Refusal {
  return refuse("not_invited", "Nobody has invited you here: ask an administrator");
}

function conflict(message: string): Refusal {
  return refuse("identity_conflict", message);
}

function providerBusy(): Refusal {
  return refuse("login_state_invalid", "Another sign-in with this account was going on: start it again");
}
