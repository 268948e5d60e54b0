/** What a provider is allowed to bring about here, as it is kept with the provider (docs/spec/identity.md section 2.1). */
import { isJsonObject, type JsonObject, type JsonValue } from "../core/json.ts";

export interface RoleRule {
  /** Path of the claim: `groups`, `realm_access.roles`. */
  readonly claim: string;
  readonly value: string;
  readonly role: string;
}

export interface ProviderSettings {
  /** Who may come in for the first time: those who are expected, or everybody of the domains (R-IDP-7). */
  readonly provisioning: "invited" | "domain";
  /** A-labels, lower case; empty allows every domain. */
  readonly domains: readonly string[];
  readonly googleHostedDomain: string | null;
  readonly roleRules: readonly RoleRule[];
  /** What the provider says when it has checked two factors (R-IDP-9). */
  readonly aal2: { readonly acr: readonly string[]; readonly amr: readonly string[] };
  readonly scopes: readonly string[];
  /** The claim that proves the name by which policies know a person (R-ID-4); null when no claim does. */
  readonly nameClaim: string | null;
  /** An older address of the callback, for one provider each (R-IDP-3). */
  readonly callbackPath: CallbackAlias | null;
}

export const CALLBACK_ALIASES = ["/oidc/callback", "/auth/web/callback"] as const;
export type CallbackAlias = (typeof CALLBACK_ALIASES)[number];

const DEFAULT_SCOPES = ["openid", "email", "profile"] as const;

export function readProviderSettings(kept: JsonObject): ProviderSettings {
  const aal2: JsonObject = isJsonObject(kept["aal2"]) ? kept["aal2"] : {};
  const scopes = texts(kept["scopes"]);
  return {
    provisioning: kept["provisioning"] === "domain" ? "domain" : "invited",
    domains: texts(kept["domains"]),
    googleHostedDomain: text(kept["google_hosted_domain"]),
    roleRules: rulesOf(kept["role_rules"]),
    aal2: { acr: texts(aal2["acr"]), amr: texts(aal2["amr"]) },
    scopes: scopes.length === 0 ? DEFAULT_SCOPES : scopes,
    nameClaim: text(kept["name_claim"]),
    callbackPath: CALLBACK_ALIASES.find((alias) => alias === kept["callback_path"]) ?? null,
  };
}

export function writeProviderSettings(settings: ProviderSettings): JsonObject {
  const { provisioning, domains, googleHostedDomain, roleRules, aal2, scopes, nameClaim, callbackPath } = settings;
  return {
    provisioning,
    domains,
    google_hosted_domain: googleHostedDomain,
    role_rules: roleRules.map(({ claim, value, role }) => ({ claim, value, role })),
    aal2: { acr: aal2.acr, amr: aal2.amr },
    scopes,
    name_claim: nameClaim,
    callback_path: callbackPath,
  };
}

function rulesOf(value: JsonValue | undefined): readonly RoleRule[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((rule: JsonValue) => {
    if (!isJsonObject(rule)) return [];
    const { claim, value: wanted, role } = rule;
    return typeof claim === "string" && typeof wanted === "string" && typeof role === "string"
      ? [{ claim, value: wanted, role }]
      : [];
  });
}

function texts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one: JsonValue) => typeof one === "string") : [];
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}
