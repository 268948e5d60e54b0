/** Where and for what may a token be used, besides its scopes? Implements docs/spec/identity.md R-TOK-7. */
import type { JsonObject } from "../core/json.ts";
import { refuse, type Refusal } from "../core/refusal.ts";

/** A list that is null narrows nothing; an empty one allows nothing. */
export interface TokenLimits {
  /** Ranges of addresses: `192.0.2.0/24`, `2001:db8::/32`. */
  readonly cidrs: readonly string[] | null;
  readonly apps: readonly string[] | null;
  readonly racks: readonly string[] | null;
  readonly trustProfiles: readonly string[] | null;
  readonly policyKeys: readonly string[] | null;
}

/** From the stored form. What cannot be read allows nothing. */
export function readTokenLimits(limits: JsonObject): TokenLimits {
  const list = (member: string): readonly string[] | null => {
    const value = limits[member];
    if (value === undefined || value === null) return null;
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  };
  return {
    cidrs: list("cidrs"),
    apps: list("apps"),
    racks: list("racks"),
    trustProfiles: list("trust_profiles"),
    policyKeys: list("policy_keys"),
  };
}

/** What both allow. */
export function narrowedLimits(one: TokenLimits, other: TokenLimits): TokenLimits {
  const both = (left: readonly string[] | null, right: readonly string[] | null): readonly string[] | null =>
    left === null || right === null ? (left ?? right) : left.filter((item) => right.includes(item));
  return {
    cidrs: both(one.cidrs, other.cidrs),
    apps: both(one.apps, other.apps),
    racks: both(one.racks, other.racks),
    trustProfiles: both(one.trustProfiles, other.trustProfiles),
    policyKeys: both(one.policyKeys, other.policyKeys),
  };
}

/** Null when the token may be used for requests of this policy. */
export function policyLimitRefusal(limits: Pick<TokenLimits, "policyKeys"> | null, policyKey: string): Refusal | null {
  const allowed = limits?.policyKeys ?? null;
  if (allowed?.includes(policyKey) ?? true) return null;
  return refuse("token_scope_limit", "This token may not be used for requests of this policy");
}
