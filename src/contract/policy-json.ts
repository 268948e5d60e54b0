/**
 * What may stand in a policy document at all, whatever its fields mean (docs/spec/policies.md R-DOC-2):
 * plain JSON, well-formed text without U+0000, numbers within ±2^53, bounded depth and size. The walk is iterative,
 * so that no input can exhaust the stack before it is refused.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonMembers;

export interface JsonMembers {
  readonly [member: string]: Json;
}

export interface JsonFault {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** R-API-7: nesting of containers, and values in total. */
const policyDepthMax = 32;
const policyNodesMax = 10_000;
/** R-API-9. */
const numberMagnitudeMax = 2 ** 53;

interface Visit {
  readonly value: unknown;
  readonly path: readonly (string | number)[];
}

/** The first thing in `root` that a policy document cannot hold, or null. */
export function findJsonFault(root: unknown): JsonFault | null {
  const waiting: Visit[] = [{ value: root, path: [] }];
  let nodes = 1;
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    const message = valueFault(visit);
    if (message !== null) return { path: visit.path, message };
    const children = childrenOf(visit);
    nodes += children.length;
    if (nodes > policyNodesMax) return { path: [], message: `must hold at most ${policyNodesMax} values` };
    waiting.push(...children.reverse());
  }
  return null;
}

function valueFault({ value, path }: Visit): string | null {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "string") return textFault(value);
  if (typeof value === "number") return numberFault(value);
  if (typeof value !== "object") return "must be JSON";
  if (path.length >= policyDepthMax) return `must not be nested deeper than ${policyDepthMax} levels`;
  if (Array.isArray(value)) return null;
  return memberNameFault(Object.keys(value));
}

function memberNameFault(names: readonly string[]): string | null {
  // JSON.parse keeps a member of this name, copying an object does not: it would vanish unseen.
  if (names.includes("__proto__")) return "must not have a member named __proto__";
  for (const name of names) {
    const fault = textFault(name);
    if (fault !== null) return `has a member whose name ${fault}`;
  }
  return null;
}

function numberFault(value: number): string | null {
  if (!Number.isFinite(value)) return "must be a finite number";
  return Math.abs(value) > numberMagnitudeMax ? "must be between -2^53 and 2^53" : null;
}

/** R-API-9; a lone surrogate is what a pair of the `u` flag's grammar leaves over. */
export function textFault(text: string): string | null {
  if (text.includes("\u0000")) return "must not contain U+0000";
  return /\p{Surrogate}/u.test(text) ? "must be well-formed Unicode" : null;
}

function childrenOf({ value, path }: Visit): Visit[] {
  if (Array.isArray(value)) return value.map((item: unknown, index) => ({ value: item, path: [...path, index] }));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([name, member]: [string, unknown]) => ({ value: member, path: [...path, name] }));
}

/** Length in characters (code points), as all text limits are meant. */
export function charactersIn(text: string): number {
  return Array.from(text).length;
}

/**
 * Bytes of the RFC 8785 form. Sorting members does not change the length, and numbers and text are written as
 * `JSON.stringify` writes them, so that its UTF-8 length is the canonical one.
 */
export function canonicalBytesOf(value: Json): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) bytes += utf8BytesOf(character);
  return bytes;
}

/** Of one character: two UTF-16 units are four bytes, one unit is one to three. */
function utf8BytesOf(character: string): number {
  if (character.length === 2) return 4;
  if (character < "\u0080") return 1;
  return character < "\u0800" ? 2 : 3;
}
