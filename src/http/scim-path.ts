/** Where an operation or a filter points: `name.givenName`, `emails[type eq "work"].value`, `members[value eq "…"]` (RFC 7644 section 3.5.2). */

export interface ScimPath {
  /** In lower case: names of attributes have none (RFC 7643 section 2.1). */
  readonly attribute: string;
  readonly condition: ScimCondition | null;
  readonly sub: string | null;
}

export interface ScimCondition {
  readonly attribute: string;
  readonly value: string | boolean;
}

const NAME = "[A-Za-z][A-Za-z0-9_-]{0,63}";
const VALUE = String.raw`"(?:[^"\\]|\\.){0,300}"|true|false`;
const PATH = new RegExp(String.raw`^(${NAME})(?:\[\s*(${NAME})\s+eq\s+(${VALUE})\s*\])?(?:\.(${NAME}))?$`, "i");
const FILTER = new RegExp(String.raw`^\s*(${NAME})\s+eq\s+(${VALUE})\s*$`, "i");
const URN = /^urn:ietf:params:scim:schemas:core:2\.0:(?:User|Group):/i;

/** Null for a path that cannot be read. */
export function parsePath(text: string): ScimPath | null {
  const [, attribute, by, value, sub] = PATH.exec(text.replace(URN, "").trim()) ?? [];
  if (attribute === undefined) return null;
  const condition = by === undefined || value === undefined ? null : conditionOf(by, value);
  if (by !== undefined && condition === null) return null;
  return { attribute: attribute.toLowerCase(), condition, sub: sub?.toLowerCase() ?? null };
}

/** One comparison for equality, which is all that directories ask for; null for anything else. */
export function parseFilter(text: string): ScimCondition | null {
  const [, attribute, value] = FILTER.exec(text.replace(URN, "")) ?? [];
  return attribute === undefined || value === undefined ? null : conditionOf(attribute, value);
}

function conditionOf(attribute: string, text: string): ScimCondition | null {
  const value = valueOf(text);
  return value === null ? null : { attribute: attribute.toLowerCase(), value };
}

function valueOf(text: string): string | boolean | null {
  try {
    const value: unknown = JSON.parse(text.startsWith('"') ? text : text.toLowerCase());
    return typeof value === "string" || typeof value === "boolean" ? value : null;
  } catch {
    return null;
  }
}
