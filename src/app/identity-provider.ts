/**
 * Setting up whom this organization lets vouch for its people. Implements docs/spec/identity.md R-IDP-1, R-IDP-3 (one provider for
 * each older callback path), R-IDP-8 (roles that rules give are bounded like those that people give, R-ROLE-3) and R-SEAL-1.
 */
import type { JsonObject } from "../core/json.ts";
import { permitsAll } from "../core/permission.ts";
import type { Actor } from "./admitted-actor.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusal.ts";
import { roleNamed } from "../core/roles.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { Carried, World } from "../ports/command-store.ts";
import type { IdentityProviderRecord } from "../ports/identity-records.ts";
import { recordsBy, type RecordQuery } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { describe, hidden } from "./entry-writer.ts";
import { readProviderSettings, writeProviderSettings, type ProviderSettings } from "./identity-provider-settings.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { NO_CHANGE } from "./no-change.ts";
import { asciiDomain } from "./oidc-email.ts";
import { clientSecretPlace } from "./oidc-provider.ts";

export interface ProviderDraft {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined keeps the one there is; null is a public client. */
  readonly clientSecret: string | null | undefined;
  readonly enabled: boolean;
  readonly settings: ProviderSettings;
}

/** Who sets it up: somebody, or the environment at start. */
export type ProviderAuthor = Actor | "environment";

/** Of the caller's organization, newest name order; deleted ones are gone. */
export async function listIdentityProviders(app: Application): Promise<readonly IdentityProviderRecord[]> {
  const all = await app.reader.records(recordsBy("identityProvider", "orgId", [app.orgId]));
  return all
    .filter(({ deletedAt }) => deletedAt === null)
    .sort((left, right) => left.createdAt - right.createdAt || left.id.localeCompare(right.id));
}

export async function ownIdentityProvider(app: Application, id: string): Promise<IdentityProviderRecord | Refusal> {
  const found = (await listIdentityProviders(app)).find((record) => record.id === id);
  return found ?? refuse("not_found", "There is no such identity provider");
}

export async function createIdentityProvider(
  app: Application,
  author: ProviderAuthor,
  draft: ProviderDraft,
): Promise<IdentityProviderRecord | Refusal> {
  const checked = checkedDraft(app, author, draft);
  if (isRefusal(checked)) return checked;
  return change(app, author, (world) => {
    const id = world.newId();
    const place = { id, orgId: app.orgId };
    const { clientSecret } = checked;
    return {
      ...{ ...place, name: checked.name, issuer: checked.issuer, clientId: checked.clientId, enabled: checked.enabled },
      clientSecret: clientSecret === undefined || clientSecret === null ? null : sealed(app, clientSecret, place),
      settings: writeProviderSettings(checked.settings),
      ...{ createdAt: world.now, updatedAt: world.now, deletedAt: null },
    };
  });
}

export async function changeIdentityProvider(
  app: Application,
  author: ProviderAuthor,
  about: { readonly id: string; readonly change: (record: IdentityProviderRecord) => ProviderDraft },
): Promise<IdentityProviderRecord | Refusal> {
  const known = await ownIdentityProvider(app, about.id);
  if (isRefusal(known)) return known;
  const checked = checkedDraft(app, author, about.change(known));
  if (isRefusal(checked)) return checked;
  const { name, issuer, clientId, clientSecret, enabled, settings } = checked;
  return change(app, author, (_world, before) => {
    const old = before.find(({ id, deletedAt }) => id === about.id && deletedAt === null);
    if (old === undefined) return refuse("not_found", "There is no such identity provider");
    if (clientSecret === undefined && old.clientSecret !== null && issuer !== old.issuer) {
      // Whoever may change the issuer could otherwise read the secret, by sending it to a server of their own.
      return faulty("client_secret", "Another issuer needs its own client secret: enter it, or null for none");
    }
    const kept = clientSecret === null ? null : old.clientSecret;
    return {
      ...{ ...old, name, issuer, clientId, enabled, settings: writeProviderSettings(settings) },
      clientSecret: typeof clientSecret === "string" ? sealed(app, clientSecret, old) : kept,
      updatedAt: Math.max(_world.now, old.updatedAt),
    };
  });
}

export async function deleteIdentityProvider(
  app: Application,
  author: Actor,
  id: string,
): Promise<IdentityProviderRecord | Refusal> {
  return change(app, author, (world, before) => {
    const old = before.find((record) => record.id === id && record.deletedAt === null && record.orgId === app.orgId);
    if (old === undefined) return refuse("not_found", "There is no such identity provider");
    return { ...old, enabled: false, clientSecret: null, deletedAt: world.now, updatedAt: world.now };
  });
}

function sealed(app: Application, secret: string, place: Pick<IdentityProviderRecord, "id" | "orgId">): string {
  return app.seals.seal(secret, clientSecretPlace(place));
}

/** What can be said without looking at other providers. */
function checkedDraft(app: Application, author: ProviderAuthor, draft: ProviderDraft): ProviderDraft | Refusal {
  const fault = app.identityProviders.issuerFault(draft.issuer);
  if (fault !== null) return faulty("issuer", `The issuer's address is not allowed: ${fault}`);
  const { settings } = draft;
  const domains = settings.domains.map((domain) => asciiDomain(domain));
  if (domains.includes(null)) return faulty("settings", "A domain of the list is no domain name");
  if (settings.provisioning === "domain" && domains.length === 0) {
    return faulty("settings", "Whoever is let in by domain needs a list of domains");
  }
  const refused = rulesRefusal(settings, author);
  if (refused !== null) return refused;
  const hosted = settings.googleHostedDomain === null ? null : asciiDomain(settings.googleHostedDomain);
  const known = domains.filter((domain) => domain !== null);
  return { ...draft, settings: { ...settings, domains: [...new Set(known)], googleHostedDomain: hosted } };
}

/** A rule gives roles to others: it can give what its author could give, and nothing that machines or the platform hold. */
function rulesRefusal({ roleRules }: ProviderSettings, author: ProviderAuthor): Refusal | null {
  for (const { role: name } of roleRules) {
    const role = roleNamed(name);
    if (role?.holder !== "person") return faulty("settings", `'${name}' is no role that a rule can give`);
    if (author === "environment") continue;
    if (!permitsAll(author.permissions, ["org:role:assign", ...role.permissions])) {
      return refuse(
        "permission_denied",
        `Only somebody who holds every permission of '${name}' can let a rule give it`,
      );
    }
  }
  return null;
}

function faulty(member: string, message: string): Refusal {
  return refuse("invalid_input", message, [{ path: ["body", member], message }]);
}

type Make = (world: World, before: readonly IdentityProviderRecord[]) => IdentityProviderRecord | Refusal;

async function change(app: Application, author: ProviderAuthor, make: Make): Promise<IdentityProviderRecord | Refusal> {
  const everywhere = await allOrganizations(app);
  return app.store.submit<IdentityProviderRecord | Refusal>({
    name: "change_identity_provider",
    needs: { records: [providersOf(everywhere)] },
    alone: true,
    carryOut(world): Carried<IdentityProviderRecord | Refusal> {
      const all = everywhere.flatMap((orgId) => world.records("identityProvider", "orgId", orgId));
      const made = make(world, all);
      if (isRefusal(made)) return { answer: made, changes: NO_CHANGE };
      const others = all.filter(({ id, deletedAt }) => id !== made.id && deletedAt === null);
      const refused = made.deletedAt === null ? collision(made, others) : null;
      if (refused !== null) return { answer: refused, changes: NO_CHANGE };
      const before = all.find(({ id }) => id === made.id);
      const entries = [told(app, author, { before, made })];
      return { answer: made, changes: { entries, records: { identityProvider: [made] } } };
    },
  });
}

async function allOrganizations({ reader }: Application): Promise<readonly string[]> {
  const all = await reader.records(recordsBy("organization", "status", ["active", "suspended"]));
  return all.map(({ id }) => id);
}

function providersOf(organizations: readonly string[]): RecordQuery<"identityProvider"> {
  return recordsBy("identityProvider", "orgId", organizations);
}

function collision(made: IdentityProviderRecord, others: readonly IdentityProviderRecord[]): Refusal | null {
  const name = made.name.toLowerCase();
  if (others.some((other) => other.orgId === made.orgId && other.name.toLowerCase() === name)) {
    return refuse("already_exists", `There is an identity provider called '${made.name}' already`);
  }
  const { callbackPath } = readProviderSettings(made.settings);
  const isTaken = others.some((other) => readProviderSettings(other.settings).callbackPath === callbackPath);
  if (callbackPath === null || !isTaken) return null;
  return refuse("already_exists", `Another identity provider has the callback path ${callbackPath}`);
}

function told(
  app: Application,
  author: ProviderAuthor,
  { before, made }: { readonly before: IdentityProviderRecord | undefined; readonly made: IdentityProviderRecord },
): DescribedEntry {
  const now = made.deletedAt === null ? shown(made) : null;
  const secret = { client_secret_changed: before?.clientSecret !== made.clientSecret };
  return describe(
    {
      ...{ org: ledgerId("org", made.orgId), kind: "integration.changed" },
      actor: author === "environment" ? "sys_environment" : ledgerActor(author, app.sha256),
      credential: author === "environment" ? null : author.credential,
      ...{ resource: null, request: null },
      data: {
        key: `identity_provider:${made.id}`,
        scope: "identity_provider",
        old: hidden(before === undefined ? null : shown(before)),
        new: hidden(now === null ? null : { ...now, ...secret }),
      },
    },
    app,
  );
}

function shown({ name, issuer, clientId, enabled, settings }: IdentityProviderRecord): JsonObject {
  return { name, issuer, client_id: clientId, enabled, settings };
}
