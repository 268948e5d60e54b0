/**
 * The roles that a provider's rules give: worked out from its claims at every sign-in, marked with their source, and ended when
 * their rule no longer matches. Roles with another source stay as they are. Implements docs/spec/identity.md R-IDP-7 and R-IDP-8.
 */
import type { PersonId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { DescribedEntry } from "../ports/change-set.ts";
import type { World } from "../ports/command-store.ts";
import type { IdentityProviderRecord, RoleGrantRecord } from "../ports/identity-records.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import type { ProviderSettings } from "./identity-provider-settings.ts";
import { ledgerId } from "./ledger-names.ts";
import { claimHolds } from "./oidc-claims.ts";

export interface RolesOf {
  readonly newcomer: {
    readonly provider: IdentityProviderRecord;
    readonly settings: ProviderSettings;
    readonly claims: JsonObject;
  };
  readonly personId: PersonId;
}

export interface RolesChanged {
  readonly changes: {
    readonly entries: readonly DescribedEntry[];
    readonly records: { readonly roleGrant?: readonly RoleGrantRecord[] };
  };
  /** Holds a role in this organization afterwards, or one of the platform. */
  readonly isMember: boolean;
}

/** Of whom comes in by a domain, and never more than that (R-IDP-7). */
const DOMAIN_ROLE = "viewer";

function providerRoles(claims: JsonObject, { roleRules, provisioning }: ProviderSettings): readonly string[] {
  const matched = roleRules.filter(({ claim, value }) => claimHolds(claims, claim, value)).map(({ role }) => role);
  return [...new Set([...(provisioning === "domain" ? [DOMAIN_ROLE] : []), ...matched])];
}

function providerSource(provider: Pick<IdentityProviderRecord, "id">): string {
  return `provider:${provider.id}`;
}

export function rolesChanged(app: Application, world: World, { newcomer, personId }: RolesOf): RolesChanged {
  const { provider, settings, claims } = newcomer;
  const source = providerSource(provider);
  const wanted = providerRoles(claims, settings);
  const live = world.records("roleGrant", "personId", personId).filter(({ endedAt }) => endedAt === null);
  const given = live.filter((grant) => grant.source === source && grant.orgId === provider.orgId);
  const missing = wanted.filter((role) => !given.some((grant) => grant.role === role));
  const surplus = given.filter(({ role }) => !wanted.includes(role));
  const grants: readonly RoleGrantRecord[] = [
    ...surplus.map((grant) => ({ ...grant, endedAt: world.now })),
    ...missing.map((role) => ({
      ...{ id: world.newId(), orgId: provider.orgId, personId, role, source },
      ...{ createdBy: "sys_identity_provider", createdAt: world.now, endedAt: null },
    })),
  ];
  const elsewhere = live.filter((grant) => !given.includes(grant));
  const isMember = wanted.length > 0 || elsewhere.some(({ orgId }) => orgId === null || orgId === provider.orgId);
  if (grants.length === 0) return { changes: { entries: [], records: {} }, isMember };
  const removed = surplus.map(({ role }) => role);
  return {
    changes: { entries: [told(app, personId, { added: missing, removed })], records: { roleGrant: grants } },
    isMember,
  };
}

function told(
  app: Application,
  personId: PersonId,
  { added, removed }: { readonly added: readonly string[]; readonly removed: readonly string[] },
): DescribedEntry {
  return describe(
    {
      ...{ org: ledgerId("org", app.orgId), kind: "person.roles_changed", actor: "sys_identity_provider" },
      ...{ credential: null, resource: null, request: null },
      data: {
        person: ledgerId("usr", personId),
        source: "identity_provider",
        added: [...added],
        removed: [...removed],
      },
    },
    app,
  );
}
