/**
 * Is this the data its kind promises? A schema is plain data; one small checker reads it.
 * Implements docs/spec/ledger.md R-LED-2 and R-KIND-1: schemas are closed, members marked `?` may be absent, all others are
 * present, null stands only where the schema says that it may.
 */
import { LedgerBug } from "./ledger-bug.ts";
import { MEMBER_FORMS } from "./member-form.ts";
import type { MemberFormName } from "./member-form.ts";

/** `time` must be there and be a time; `time|null` may also say "does not apply". */
export type ScalarSchema = MemberFormName | `${MemberFormName}|null`;

export type MemberSchema =
  ScalarSchema | { readonly list: MemberSchema } | { readonly members: KindSchema; readonly orNull?: true };

/** Member name to schema; a name that ends in `?` may be absent. */
// eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- a Record cannot refer to itself
export interface KindSchema {
  readonly [member: string]: MemberSchema;
}

/** Bounds what one list can hold; 65,535 bytes bound the entry anyway. */
const LIST_ITEMS_MAX = 2_000;

/** Null when `value` fits; else the path of the first member that does not and what is wrong, as one sentence. */
export type DataCheck = (value: unknown, path: string) => string | null;

export function compileSchema(schema: KindSchema): DataCheck {
  const members = Object.entries(schema).map(([name, member]) => ({
    name: name.endsWith("?") ? name.slice(0, -1) : name,
    isOptional: name.endsWith("?"),
    check: compileMember(member),
  }));
  const names = new Set(members.map((member) => member.name));
  return (value, path) => {
    if (!isRecord(value)) return `${path} must be an object`;
    for (const { name, isOptional, check } of members) {
      if (Object.hasOwn(value, name)) {
        const problem = check(value[name], `${path}.${name}`);
        if (problem !== null) return problem;
      } else if (!isOptional) return `${path}.${name} is missing`;
    }
    const stranger = Object.keys(value).find((name) => !names.has(name));
    return stranger === undefined ? null : `${path} has an unknown member ${JSON.stringify(stranger)}`;
  };
}

function compileMember(schema: MemberSchema): DataCheck {
  if (typeof schema === "string") return compileScalar(schema);
  if ("list" in schema) return compileList(compileMember(schema.list));
  const check = compileSchema(schema.members);
  return schema.orNull === true ? (value, path) => (value === null ? null : check(value, path)) : check;
}

function compileScalar(schema: ScalarSchema): DataCheck {
  const isNullable = schema.endsWith("|null");
  const form = formNamed(schema);
  const sentence = `must be ${form.says}${isNullable ? " or null" : ""}`;
  return (value, path) => ((isNullable && value === null) || form.is(value) ? null : `${path} ${sentence}`);
}

function compileList(check: DataCheck): DataCheck {
  return (value, path) => {
    if (!Array.isArray(value)) return `${path} must be a list`;
    if (value.length > LIST_ITEMS_MAX) return `${path} has more than ${LIST_ITEMS_MAX} items`;
    for (const [index, item] of value.entries()) {
      const problem = check(item, `${path}[${index}]`);
      if (problem !== null) return problem;
    }
    return null;
  };
}

function formNamed(schema: ScalarSchema): (typeof MEMBER_FORMS)[MemberFormName] {
  const name = schema.replace(/\|null$/, "");
  if (!isFormName(name)) throw new LedgerBug(`no form is called ${name}`);
  return MEMBER_FORMS[name];
}

function isFormName(name: string): name is MemberFormName {
  return Object.hasOwn(MEMBER_FORMS, name);
}

/** True for `{…}`; arrays and null are not. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
