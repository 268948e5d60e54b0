/**
 * What may a credential do? Permissions are `scope:resource:action`, each part a word or `*`. Implements docs/spec/identity.md
 * section 8 (R-AUTHZ-5, R-TOK-4, R-TOK-5).
 */

/** What a granted permission may say; what a route needs never holds `*`. */
export type Permission = string;

const SCOPES: ReadonlySet<string> = new Set([
  "auth",
  "convox",
  "gateway",
  "security",
  "approval",
  "cert",
  "ledger",
  "org",
  "platform",
]);

const PART = /^(?:\*|[a-z][a-z0-9_]{0,63})$/;

/** The deploy family writes hyphens, and has names of its own for reading the ledger. */
const SAME: Readonly<Record<string, Permission>> = {
  "gateway:audit_log:read": "ledger:entry:read",
  "gateway:ledger:read": "ledger:entry:read",
};

/** The permission in its one spelling; null when it is not one (unknown permissions are refused on write). */
export function readPermission(text: string): Permission | null {
  const parts = text.split(":");
  if (parts.length !== 3) return null;
  const [scope = "", resource = "", action = ""] = parts.map((part) => part.replaceAll("-", "_"));
  if (!SCOPES.has(scope) || !PART.test(resource) || !PART.test(action)) return null;
  const permission = `${scope}:${resource}:${action}`;
  return SAME[permission] ?? permission;
}

/** Does one of the granted permissions cover the needed one? */
export function permits(granted: readonly Permission[], needed: Permission): boolean {
  return granted.some((grant) => covers(grant, needed));
}

/** Is everything that `narrow` allows allowed by `wide` as well? */
export function permitsAll(wide: readonly Permission[], narrow: readonly Permission[]): boolean {
  return narrow.every((permission) => permits(wide, permission));
}

/** What both allow: for a token, what it was given and what its owner holds now (R-TOK-4). */
export function intersect(left: readonly Permission[], right: readonly Permission[]): readonly Permission[] {
  const met = left.flatMap((one) => right.flatMap((other) => meet(one, other) ?? []));
  return [...new Set(met)];
}

/** No machine credential holds a permission that ends in one of these, by name or by `*` (R-TOK-5). */
export function decides(permission: Permission): boolean {
  const [scope = "", resource = "", action = ""] = permission.split(":");
  if (action === "approve" || action === "decide" || action === "override") return true;
  if (action !== "*") return false;
  return DECIDABLE.some(
    ([inScope, of]) => (scope === "*" || scope === inScope) && (resource === "*" || resource === of),
  );
}

/** Where permissions to decide exist. */
const DECIDABLE = [
  ["gateway", "deploy_approval_request"],
  ["approval", "task"],
  ["approval", "break_glass"],
  ["cert", "request"],
] as const;

function covers(grant: Permission, needed: Permission): boolean {
  const given = grant.split(":");
  return needed.split(":").every((part, index) => given[index] === "*" || given[index] === part);
}

function meet(one: Permission, other: Permission): Permission | null {
  const rights = other.split(":");
  const parts: string[] = [];
  for (const [index, part] of one.split(":").entries()) {
    const right = rights[index] ?? "";
    if (part !== right && part !== "*" && right !== "*") return null;
    parts.push(part === "*" ? right : part);
  }
  return parts.join(":");
}
