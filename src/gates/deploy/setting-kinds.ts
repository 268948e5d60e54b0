/**
 * What can a setting hold? Kinds of values, each with its check of JSON and its reading of a variable's text. Implements the
 * types of docs/spec/deploy.md R-SETTINGS-1 and R-SETTINGS-2.
 */
import { isJsonObject, type JsonValue } from "../../core/json.ts";

/** Why a value is none: the end of "invalid value for X: …". */
export interface SettingFault {
  readonly why: string;
}

/** Says what is wrong with a regular expression, or null; the engine of expressions is not here (deploy R-IMAGE-2). */
export type PatternCheck = (pattern: string) => string | null;

export interface SettingKind<Value extends JsonValue = JsonValue> {
  /** From JSON, as PUT and the database bring it. */
  readonly check: (json: JsonValue, patterns: PatternCheck) => { readonly value: Value } | SettingFault;
  /** From a variable, to JSON that is checked next. */
  readonly parse: (text: string) => JsonValue | undefined;
}

export function isSettingFault(value: object): value is SettingFault {
  return "why" in value;
}

export function flag(): SettingKind<boolean> {
  return {
    check: (json) => (typeof json === "boolean" ? { value: json } : { why: "it is neither true nor false" }),
    parse: (text) => WORDS.get(text.trim().toLowerCase()),
  };
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...(["true", "1", "yes", "on"] as const).map((word) => [word, true] as const),
  ...(["false", "0", "no", "off"] as const).map((word) => [word, false] as const),
]);

export function count(min: number, max: number): SettingKind<number> {
  const why = `it is not a whole number from ${min} to ${max}`;
  return {
    check: (json) =>
      typeof json === "number" && Number.isInteger(json) && json >= min && json <= max ? { value: json } : { why },
    parse: (text) => (/^[0-9]{1,9}$/.test(text.trim()) ? Number(text.trim()) : undefined),
  };
}

export function choice<Word extends string>(words: readonly Word[]): SettingKind<Word> {
  return {
    check: (json) => {
      const value = words.find((word) => word === json);
      return value === undefined ? { why: `it is none of ${words.join(", ")}` } : { value };
    },
    parse: (text) => text,
  };
}

/** `fault` says what is wrong with a text, or null. */
export function text(fault: (value: string) => string | null): SettingKind<string> {
  return {
    check: (json) => {
      if (typeof json !== "string") return { why: "it is not a text" };
      const why = fault(json);
      return why === null ? { value: json } : { why };
    },
    parse: (value) => value,
  };
}

export interface ListRules {
  readonly itemsMax: number;
  readonly fault: (item: string) => string | null;
  /** Items are kept without the blanks around them. */
  readonly trim?: boolean;
}

export function list({ itemsMax, fault, trim = false }: ListRules): SettingKind<readonly string[]> {
  return {
    check: (json) => {
      if (!isTextList(json)) return { why: "it is not a list of texts" };
      if (json.length > itemsMax) return { why: `it has more than ${itemsMax} items` };
      const value = trim ? json.map((item) => item.trim()) : json;
      if (new Set(value).size < value.length) return { why: "an item is listed twice" };
      const faults = value.flatMap((item) => fault(item) ?? []);
      return faults[0] === undefined ? { value } : { why: faults[0] };
    },
    parse: (value) => {
      const trimmed = value.trim();
      if (trimmed.startsWith("[")) return parseJson(trimmed);
      return trimmed === "" ? [] : trimmed.split(",").map((item) => item.trim());
    },
  };
}

export interface MapRules {
  readonly itemsMax: number;
  readonly fault: (key: string, value: string, patterns: PatternCheck) => string | null;
}

export function map({ itemsMax, fault }: MapRules): SettingKind<Readonly<Record<string, string>>> {
  return {
    check: (json, patterns) => {
      if (!isTextMap(json)) return { why: "it is not an object of texts" };
      const pairs = Object.entries(json);
      if (pairs.length > itemsMax) return { why: `it has more than ${itemsMax} members` };
      const faults = pairs.flatMap(([key, value]) => fault(key, value, patterns) ?? []);
      return faults[0] === undefined ? { value: json } : { why: faults[0] };
    },
    parse: (value) => parseJson(value),
  };
}

function isTextList(json: JsonValue): json is readonly string[] {
  return Array.isArray(json) && json.every((item) => typeof item === "string");
}

function isTextMap(json: JsonValue): json is Readonly<Record<string, string>> {
  return isJsonObject(json) && Object.values(json).every((value) => typeof value === "string");
}

function parseJson(value: string): JsonValue | undefined {
  try {
    const json: unknown = JSON.parse(value);
    return isJson(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** What JSON.parse returned is JSON; of it only lists and objects can be meant here. */
function isJson(value: unknown): value is JsonValue {
  return typeof value === "object" && value !== null;
}
