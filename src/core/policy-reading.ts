/**
 * How one member of a policy document becomes a value the engine can use, or a problem with its place in the document.
 * Knows nothing of what the members mean: `policy-document.ts` does (docs/spec/policies.md R-DOC-3).
 */
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { PolicyProblem } from "./policy.ts";

/** What a member must look like: `read` gives undefined for a value that does not. */
export interface Shape<Value> {
  readonly expected: string;
  readonly read: (value: JsonValue) => Value | undefined;
}

/** One object of the document, where it stands, and the list that problems found in it go to. */
export interface Part {
  readonly members: JsonObject;
  /** Empty for the document itself. */
  readonly path: string;
  readonly problems: PolicyProblem[];
}

export function memberPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

/** Own members only, so that no name reaches `Object.prototype`. */
export function memberOf(members: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** The member, or `absent` where the document leaves it out; a misshapen one is a problem and reads as `absent`. */
export function readMember<Value>(part: Part, name: string, shape: Shape<Value>, absent: NoInfer<Value>): Value {
  const given = memberOf(part.members, name);
  if (given === undefined) return absent;
  const value = shape.read(given);
  if (value !== undefined) return value;
  badShape(part, name, shape.expected);
  return absent;
}

/** As `readMember`, for members that have no default: absence is a problem too. */
export function readNeeded<Value>(part: Part, name: string, shape: Shape<Value>, instead: NoInfer<Value>): Value {
  if (memberOf(part.members, name) !== undefined) return readMember(part, name, shape, instead);
  badShape(part, name, shape.expected);
  return instead;
}

function badShape(part: Part, name: string, expected: string): void {
  const path = memberPath(part.path, name);
  part.problems.push({ code: "bad_shape", severity: "error", path, message: `${path} must be ${expected}` });
}

/** The objects of a list, each as a part of its own; anything else in the list is a problem. */
export function readParts(part: Part, name: string, itemsMax: number): Part[] {
  const list: Shape<readonly JsonValue[]> = {
    expected: `a list of at most ${itemsMax} objects`,
    read: (value) => (isList(value) && value.length <= itemsMax ? value : undefined),
  };
  return readMember(part, name, list, []).flatMap((item, index) => {
    const path = `${memberPath(part.path, name)}[${index}]`;
    if (isJsonObject(item)) return [{ members: item, path, problems: part.problems }];
    part.problems.push({ code: "bad_shape", severity: "error", path, message: `${path} must be an object` });
    return [];
  });
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

export const flag: Shape<boolean> = {
  expected: "true or false",
  read: (value) => (typeof value === "boolean" ? value : undefined),
};

export const members: Shape<JsonObject> = {
  expected: "an object",
  read: (value) => (isJsonObject(value) ? value : undefined),
};

export function wholeNumber(min: number, max: number): Shape<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    read: (value) =>
      typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
  };
}

/** Characters are code points. */
export function textOf(min: number, max: number): Shape<string> {
  return {
    expected: `text of ${min} to ${max} characters`,
    read: (value) => {
      if (typeof value !== "string" || value.length < min) return undefined;
      return value.length <= max || Array.from(value).length <= max ? value : undefined;
    },
  };
}

/** Text that names somebody or something: blanks alone would name nobody. */
export function nameOf(max: number): Shape<string> {
  const text = textOf(1, max);
  return {
    expected: text.expected,
    read: (value) => (typeof value === "string" && value.trim() === "" ? undefined : text.read(value)),
  };
}

export function oneOf<const Word extends string>(words: readonly Word[]): Shape<Word> {
  return {
    expected: `one of ${words.join(", ")}`,
    read: (value) => words.find((word) => word === value),
  };
}

/** A list whose every item has this shape. */
export function listOf<Value>(shape: Shape<Value>, itemsMax: number): Shape<readonly Value[]> {
  return {
    expected: `a list of at most ${itemsMax} items, each ${shape.expected}`,
    read: (value) => {
      if (!isList(value) || value.length > itemsMax) return undefined;
      const items = value.map((item) => shape.read(item)).filter((item) => item !== undefined);
      return items.length === value.length ? items : undefined;
    },
  };
}

export function orNull<Value>(shape: Shape<Value>): Shape<Value | null> {
  return {
    expected: `${shape.expected}, or null`,
    read: (value) => (value === null ? null : shape.read(value)),
  };
}
