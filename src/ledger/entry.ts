/**
 * What is an entry, and which bytes is it? Implements docs/spec/ledger.md R-LED-1 to R-LED-4: eleven members, closed forms,
 * one canonical text. `parseEntry` judges what is stored; `encodeEntry` writes what will be.
 */
import { canonicalJson, isWellFormed } from "./canonical-json.ts";
import type { JsonObject } from "./canonical-json.ts";
import { isRecord } from "./kind-schema.ts";
import { checkEntryData, isLedgerKind } from "./kinds.ts";
import { LedgerBug } from "./ledger-bug.ts";
import { MEMBER_FORMS } from "./member-form.ts";
import type { MemberFormName } from "./member-form.ts";
import { exceedsUtf8 } from "./utf8.ts";

/** R-LED-3: what the length prefix of an entry bundle can say. */
export const ENTRY_BYTES_MAX = 65_535;

/** R-LED-2: the entry is level 1, its `data` level 2. */
const ENTRY_DEPTH_MAX = 6;

export interface EntryResource {
  readonly digest: string;
  readonly gate: string;
}

export interface EntryFields {
  readonly v: 1;
  readonly seq: number;
  readonly at: string;
  readonly org: string | null;
  readonly kind: string;
  readonly actor: string | null;
  readonly credential: string | null;
  readonly resource: EntryResource | null;
  readonly request: string | null;
  readonly data: JsonObject;
  readonly prev: string;
}

export type ParsedEntry =
  { readonly ok: true; readonly entry: EntryFields } | { readonly ok: false; readonly finding: string };

const TOO_LARGE = `the entry is larger than ${ENTRY_BYTES_MAX} bytes`;
const KIND = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*\.[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const KIND_LENGTH_MAX = 64;

/** Null, or what is wrong as one sentence. */
type FieldCheck = (value: unknown) => string | null;

const FIELD_CHECKS: readonly (readonly [name: keyof EntryFields, check: FieldCheck])[] = [
  ["v", (value) => (value === 1 ? null : "v must be 1")],
  ["seq", mustBe("seq", "count")],
  ["at", mustBe("at", "time")],
  ["org", mustBeOrNull("org", "org")],
  ["kind", (value) => (isKindName(value) ? null : "kind must be area.event in lower case, at most 64 characters")],
  ["actor", mustBeOrNull("actor", "actor")],
  ["credential", mustBeOrNull("credential", "credential")],
  ["resource", resourceProblem],
  ["request", mustBeOrNull("request", "request")],
  ["data", (value) => (isRecord(value) ? null : "data must be an object")],
  ["prev", mustBe("prev", "hash")],
];

/** The canonical text of an entry. What does not fit the form is a bug: nothing from outside gets this far unchecked. */
export function encodeEntry(fields: EntryFields): string {
  const problem = entryProblem(fields);
  if (problem !== null) throw new LedgerBug(`an entry cannot be written: ${problem}`);
  const text = canonicalText(fields);
  if (exceedsUtf8(text, ENTRY_BYTES_MAX)) throw new LedgerBug(TOO_LARGE);
  return text;
}

/** The entry that a stored text is, or why it is none. Kinds this version does not know pass as opaque (R-KIND-1). */
export function parseEntry(text: string): ParsedEntry {
  if (exceedsUtf8(text, ENTRY_BYTES_MAX)) return { ok: false, finding: TOO_LARGE };
  const value = parseJson(text);
  if (!isEntry(value)) return { ok: false, finding: String(entryProblem(value)) };
  if (canonicalText(value) !== text) return { ok: false, finding: "the text is not the canonical form of its entry" };
  return { ok: true, entry: value };
}

function isEntry(value: unknown): value is EntryFields {
  return entryProblem(value) === null;
}

/** R-LED-1 and R-LED-2: exactly the eleven members, each in its form, and the data its kind promises. */
function entryProblem(value: unknown): string | null {
  if (!isRecord(value)) return "the entry is not a JSON object";
  for (const [name, check] of FIELD_CHECKS) {
    if (!Object.hasOwn(value, name)) return `${name} is missing`;
    const problem = check(value[name]);
    if (problem !== null) return problem;
  }
  if (Object.keys(value).length > FIELD_CHECKS.length) return "the entry has a member beyond the eleven";
  return dataProblem(String(value["kind"]), value["data"]);
}

function dataProblem(kind: string, data: unknown): string | null {
  return isLedgerKind(kind) ? checkEntryData(kind, data) : opaqueProblem(data, 2);
}

/** R-LED-2 for data without a schema: no fractions, no unpaired surrogates, not too deep. */
function opaqueProblem(value: unknown, depth: number): string | null {
  if (typeof value === "number") {
    return MEMBER_FORMS.integer.is(value) ? null : "data holds a number that is no integer";
  }
  if (typeof value === "string") return isWellFormed(value) ? null : "data holds a lone surrogate";
  if (typeof value !== "object" || value === null) return null;
  if (depth > ENTRY_DEPTH_MAX) return `the entry is nested deeper than ${ENTRY_DEPTH_MAX} levels`;
  for (const [name, member] of Object.entries(value)) {
    const problem = opaqueProblem(name, depth) ?? opaqueProblem(member, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** RFC 8785 with the known member order written out, which is what the hot path of every commit can afford. */
function canonicalText(fields: EntryFields): string {
  const { resource } = fields;
  const resourceText = resource === null ? "null" : `{"digest":"${resource.digest}","gate":"${resource.gate}"}`;
  return (
    `{"actor":${stringOrNull(fields.actor)},"at":"${fields.at}","credential":${stringOrNull(fields.credential)}` +
    `,"data":${canonicalJson(fields.data)},"kind":"${fields.kind}","org":${stringOrNull(fields.org)}` +
    `,"prev":"${fields.prev}","request":${stringOrNull(fields.request)},"resource":${resourceText}` +
    `,"seq":${fields.seq},"v":1}`
  );
}

function stringOrNull(text: string | null): string {
  return text === null ? "null" : `"${text}"`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function mustBe(name: string, form: MemberFormName): FieldCheck {
  const { is, says } = MEMBER_FORMS[form];
  return (value) => (is(value) ? null : `${name} must be ${says}`);
}

function mustBeOrNull(name: string, form: MemberFormName): FieldCheck {
  const { is, says } = MEMBER_FORMS[form];
  return (value) => (value === null || is(value) ? null : `${name} must be ${says}, or null`);
}

function resourceProblem(value: unknown): string | null {
  if (value === null) return null;
  if (!isRecord(value)) return "resource must be an object or null";
  if (!MEMBER_FORMS.digest.is(value["digest"])) return `resource.digest must be ${MEMBER_FORMS.digest.says}`;
  if (!MEMBER_FORMS.code.is(value["gate"])) return "resource.gate must be the name of a gate";
  return Object.keys(value).length === 2 ? null : "resource has a member beyond digest and gate";
}

function isKindName(value: unknown): boolean {
  return typeof value === "string" && value.length <= KIND_LENGTH_MAX && KIND.test(value);
}
