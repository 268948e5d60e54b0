/**
 * How is a value written down so that everybody hashes the same bytes? RFC 8785 (JSON Canonicalization Scheme).
 * Implements docs/spec/ledger.md R-LED-3. One pass that also refuses what JSON cannot say, so that nothing is dropped or
 * replaced silently on its way into a hash.
 */
import { LedgerBug } from "./ledger-bug.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [member: string]: JsonValue;
}

/** The value has no canonical form: a lone surrogate, a number that is not finite, something that is not JSON. */
export class CanonicalJsonError extends LedgerBug {
  override readonly name = "CanonicalJsonError";
}

/** Far above any real document; keeps a hostile one from exhausting the stack. */
const DEPTH_MAX = 500;

/** With the `u` flag a surrogate matches only where it stands alone. */
const LONE_SURROGATE = /[\ud800-\udfff]/u;
const NEEDS_ESCAPE = /[\u0000-\u001f"\\\ud800-\udfff]/;

export function canonicalJson(value: JsonValue): string {
  return writeValue(value, 1);
}

/** True for text that is valid Unicode, which is all that UTF-8 can hold (R-LED-2). */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

// `unknown` because a value that lies about its type is exactly what this must catch.
function writeValue(value: unknown, depth: number): string {
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return writeNested(value, depth);
    case "bigint":
    case "function":
    case "symbol":
    case "undefined":
      throw new CanonicalJsonError(`JSON has no ${typeof value}`);
  }
}

function canonicalString(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  if (!isWellFormed(text)) throw new CanonicalJsonError("a string holds a lone surrogate");
  // RFC 8785 section 3.2.2.2 is defined as what ECMAScript does here.
  return JSON.stringify(text);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new CanonicalJsonError("a number is not finite");
  // RFC 8785 section 3.2.2.3 is ECMAScript's own number form; this also writes -0 as 0.
  return String(value);
}

function writeNested(value: object | null, depth: number): string {
  if (value === null) return "null";
  if (depth > DEPTH_MAX) throw new CanonicalJsonError(`a value is nested deeper than ${DEPTH_MAX} levels`);
  if (Array.isArray(value)) return writeArray(value, depth);
  if (!isPlainObject(value)) throw new CanonicalJsonError("only plain objects are JSON");
  return writeObject(value, depth);
}

/** A Date or a Map would be written as something else than what it holds. */
function isPlainObject(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function writeArray(values: readonly unknown[], depth: number): string {
  let text = "[";
  let separator = "";
  // A hole in the array comes as undefined and is refused.
  for (const value of values) {
    text += separator + writeValue(value, depth + 1);
    separator = ",";
  }
  return `${text}]`;
}

function writeObject(value: Readonly<Record<string, unknown>>, depth: number): string {
  let text = "{";
  let separator = "";
  // The default order of sort is by UTF-16 code unit, which is the order RFC 8785 section 3.2.3 asks for.
  for (const name of Object.keys(value).sort()) {
    text += `${separator}${canonicalString(name)}:${writeValue(value[name], depth + 1)}`;
    separator = ",";
  }
  return `${text}}`;
}
