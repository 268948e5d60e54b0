/**
 * What a PATCH does to a person's attributes, in the spellings that directories use in practice: with or without a path,
 * operations in any letter case, yes and no as words. What is not kept here is ignored. Implements RFC 7644 section 3.5.2.
 */
import { isJsonObject, type JsonValue } from "../core/json.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import {
  scimBoolean,
  scimDisplayNameSchema,
  scimEmailSchema,
  scimEmailsSchema,
  scimExternalIdSchema,
  scimNameSchema,
  scimUserNameSchema,
  type ScimOperation,
} from "../contract/scim.ts";
import type { ScimEmail, ScimName, ScimUserAttributes } from "../app/scim-attributes.ts";
import { parsePath, type ScimPath } from "./scim-path.ts";
import { scimRefusal } from "../app/scim-refusal.ts";

export function patchUser(
  attributes: ScimUserAttributes,
  operations: readonly ScimOperation[],
): ScimUserAttributes | Refusal {
  let patched = attributes;
  for (const { op, path, value = null } of operations) {
    const changed = path === undefined ? patchMembers(patched, op, value) : patchAt(patched, { op, path, value });
    if (isRefusal(changed)) return changed;
    patched = changed;
  }
  return patched;
}

/** Without a path the value names the attributes itself, also as `name.givenName`. */
function patchMembers(
  attributes: ScimUserAttributes,
  op: ScimOperation["op"],
  value: JsonValue,
): ScimUserAttributes | Refusal {
  if (op === "remove") return scimRefusal("noTarget", "What is to be removed needs a path");
  if (!isJsonObject(value)) return scimRefusal("invalidValue", "Without a path the value must be an object");
  let patched = attributes;
  for (const [path, member] of Object.entries(value)) {
    const changed = patchAt(patched, { op, path, value: member });
    if (isRefusal(changed)) return changed;
    patched = changed;
  }
  return patched;
}

interface Change {
  readonly op: ScimOperation["op"];
  readonly path: string;
  readonly value: JsonValue;
}

function patchAt(attributes: ScimUserAttributes, { op, path, value }: Change): ScimUserAttributes | Refusal {
  const at = parsePath(path);
  // Other schemas' attributes are named by their URN; none of them is kept.
  if (at === null)
    return /^urn:/i.test(path) ? attributes : scimRefusal("invalidPath", `The path '${path}' cannot be read`);
  const given = op === "remove" ? null : value;
  switch (at.attribute) {
    case "active":
      return op === "remove" ? attributes : set(attributes, "active", read(scimBoolean, unwrapped(given, "active")));
    case "username":
      return set(attributes, "userName", read(scimUserNameSchema, given));
    case "externalid":
      return set(attributes, "externalId", read(scimExternalIdSchema, given));
    case "displayname":
      return set(attributes, "displayName", read(scimDisplayNameSchema, given));
    case "name":
      return set(attributes, "name", patchedName(attributes.name, at, given));
    case "emails":
      return set(attributes, "emails", patchedEmails(attributes.emails, at, { op, given }));
    default:
      return attributes;
  }
}

type Read<Value> = { readonly value: Value } | Refusal;

function set<Member extends keyof ScimUserAttributes>(
  attributes: ScimUserAttributes,
  member: Member,
  value: Read<ScimUserAttributes[Member]>,
): ScimUserAttributes | Refusal {
  return isRefusal(value) ? value : { ...attributes, [member]: value.value };
}

interface Reader<Value> {
  safeParse(given: unknown): { readonly success: true; readonly data: Value } | { readonly success: false };
}

function read<Value>(schema: Reader<Value>, given: JsonValue): Read<Value> {
  const found = schema.safeParse(given);
  return found.success
    ? { value: found.data }
    : scimRefusal("invalidValue", "The value is not one that the attribute can have");
}

/** Some send `{"active": false}` where the path says `active` already. */
function unwrapped(value: JsonValue, member: string): JsonValue {
  return isJsonObject(value) ? (value[member] ?? null) : value;
}

const NAMELESS: ScimName = { formatted: null, givenName: null, familyName: null };
const NAME_MEMBERS: Readonly<Record<string, keyof ScimName>> = {
  formatted: "formatted",
  givenname: "givenName",
  familyname: "familyName",
};

function patchedName(name: ScimName | null, { sub }: ScimPath, given: JsonValue): Read<ScimName | null> {
  if (sub === null) return given === null ? { value: null } : read(scimNameSchema, merged(name, given));
  const member = NAME_MEMBERS[sub];
  if (member === undefined) return { value: name };
  const value = read(scimDisplayNameSchema, given);
  return isRefusal(value) ? value : { value: { ...(name ?? NAMELESS), [member]: value.value } };
}

function merged(name: ScimName | null, given: JsonValue): JsonValue {
  return isJsonObject(given) ? { ...(name ?? NAMELESS), ...given } : given;
}

function patchedEmails(
  emails: readonly ScimEmail[],
  { condition, sub }: ScimPath,
  { op, given }: { readonly op: ScimOperation["op"]; readonly given: JsonValue },
): Read<readonly ScimEmail[]> {
  if (condition === null) {
    if (op === "remove") return { value: [] };
    const list = read(scimEmailsSchema, Array.isArray(given) ? given : [given]);
    return isRefusal(list) || op === "replace" ? list : { value: joined(emails, list.value) };
  }
  const { attribute, value: wanted } = condition;
  const isMeant = (email: ScimEmail): boolean =>
    attribute === "type"
      ? email.type === wanted
      : attribute === "primary"
        ? email.primary === wanted
        : email.value === wanted;
  const others = emails.filter((email) => !isMeant(email));
  if (op === "remove") return { value: others };
  const known = emails.find(isMeant) ?? { value: "", type: null, primary: attribute === "primary" && wanted === true };
  const typed = attribute === "type" && typeof wanted === "string" ? { ...known, type: wanted } : known;
  const next = read(scimEmailSchema, emailWith(typed, sub, given));
  return isRefusal(next) ? next : { value: joined(others, [next.value]) };
}

function emailWith(known: ScimEmail, sub: string | null, given: JsonValue): JsonValue {
  if (sub === null) return isJsonObject(given) ? { ...known, ...given } : { ...known, value: given };
  return { ...known, [sub]: given };
}

/** Each address once, the later statement counts; one of them is the primary one. */
function joined(before: readonly ScimEmail[], more: readonly ScimEmail[]): readonly ScimEmail[] {
  const primary = more.some((email) => email.primary);
  const kept = before
    .filter((email) => !more.some(({ value }) => value === email.value))
    .map((email) => (primary ? { ...email, primary: false } : email));
  return [...kept, ...more];
}
