/**
 * What may a token do now? Implements docs/spec/identity.md R-TOK-4 and R-TOK-5: what it was given, what its maker held then and
 * what its owners hold now, and never a decision.
 */
import { decides, intersect, permits, permitsAll, type Permission } from "../core/permission.ts";

/** Whoever may release may let a machine do it with an approval: that is less (R-TOK-4). */
const RELEASE: Permission = "convox:release:promote";
const RELEASE_WITH_APPROVAL: Permission = "convox:deploy:deploy_with_approval";

/** A person's permissions as they bound a token. */
export function lendable(permissions: readonly Permission[]): readonly Permission[] {
  return permits(permissions, RELEASE) ? [...permissions, RELEASE_WITH_APPROVAL] : permissions;
}

export interface TokenBounds {
  readonly scopes: readonly Permission[];
  /** As `lendable` gave them when the token was made. */
  readonly creatorPermissions: readonly Permission[];
  /** What each active owner holds now; null for a service account, which nobody caps. */
  readonly owners: readonly (readonly Permission[])[] | null;
}

export function tokenPermissions({ scopes, creatorPermissions, owners }: TokenBounds): readonly Permission[] {
  const given = intersect(scopes, creatorPermissions);
  const now = owners === null ? given : intersect(given, owners.flatMap(lendable));
  return now.filter((permission) => !decides(permission));
}

/** The scopes that this person cannot give away. */
export function beyond(scopes: readonly Permission[], permissions: readonly Permission[]): readonly Permission[] {
  const held = lendable(permissions);
  return scopes.filter((scope) => !permitsAll(held, [scope]));
}
