/**
 * What may a single value in an entry look like? The closed vocabulary from which the schema of every kind is built.
 * Implements docs/spec/ledger.md R-LED-1, R-LED-2 and R-PRIV-1: there is no form for free text, a name, an address or a
 * host, so such a value has nowhere to go but into a commitment.
 */
import { isHash } from "./hex.ts";

/** A form is a test and the words that finish the sentence "… must be …". */
interface MemberForm {
  readonly is: (value: unknown) => boolean;
  readonly says: string;
}

const TIME = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** `YYYY-MM-DDTHH:MM:SS.sssZ` of a day that exists: 24 characters, so that text order is time order. */
export function isLedgerTime(value: unknown): boolean {
  if (typeof value !== "string") return false;
  const parts = TIME.exec(value);
  return parts !== null && isDay(Number(parts[1]), Number(parts[2]), Number(parts[3]));
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  if (month === 2) return day <= (isLeapYear(year) ? 29 : 28);
  return day <= ([4, 6, 9, 11].includes(month) ? 30 : 31);
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function pattern(expression: RegExp, says: string): MemberForm {
  return { is: (value) => typeof value === "string" && expression.test(value), says };
}

/** An id: one of the prefixes and the 32 lower-case hex digits of a UUID (R-LED-1). */
function id(...prefixes: readonly string[]): MemberForm {
  const names = prefixes.join("|");
  return pattern(
    new RegExp(`^(?:${names})_[0-9a-f]{32}$`),
    `${prefixes.join("_… or ")}_… with 32 lower-case hex digits`,
  );
}

function integer(least: number, says: string): MemberForm {
  return { is: (value) => Number.isSafeInteger(value) && Number(value) >= least && !Object.is(value, -0), says };
}

export const MEMBER_FORMS = {
  // Ids
  org: id("org"),
  request: id("req"),
  person: id("usr"),
  machine: id("mch"),
  party: id("usr", "mch"),
  actor: pattern(
    /^(?:(?:usr|mch)_[0-9a-f]{32}|sys_[a-z][a-z0-9_]{0,31})$/,
    "usr_… or mch_… with 32 lower-case hex digits, or sys_ and a component",
  ),
  credential: id("ses", "tok", "wid", "crt", "acc"),
  session: id("ses"),
  token: id("tok"),
  factor: id("fac"),
  task: id("task"),
  grant: id("grant"),
  /** Of things that no rule elsewhere names: seats, delegations, effects, views, statements, incidents … */
  id: pattern(/^[a-z]{2,16}_[0-9a-f]{32}$/, "a prefix, an underscore and 32 lower-case hex digits"),
  // Digests and keys
  hash: { is: isHash, says: "64 lower-case hex digits" },
  digest: pattern(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 lower-case hex digits"),
  commitment: pattern(/^c1:[0-9a-f]{64}$/, "a commitment (c1: and 64 lower-case hex digits)"),
  base64: pattern(/^[A-Za-z0-9+/]{1,8192}={0,2}$/, "base64 of at most 8192 characters"),
  base64url: pattern(/^[A-Za-z0-9_-]{1,8192}$/, "base64url of at most 8192 characters"),
  uuid: pattern(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "a UUID"),
  vkey: pattern(/^[^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{1,200}={0,2}$/, "a verifier key (name+id+key)"),
  /** The public address of the installation without its scheme, which names the ledger (docs/spec/ledger.md section 2). */
  origin: pattern(
    /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?(?:\/[A-Za-z0-9._~-]+)*$/,
    "an origin such as approvals.example.com/v1/ledger",
  ),
  // Words of our own: enumerations and names from configuration, never words a person typed about a person
  code: pattern(/^(?=.{1,64}$)[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/, "a code such as quorum_unreachable"),
  action: pattern(/^(?=.{1,128}$)[a-z][a-z0-9_-]*(?::[a-z0-9_-]+){0,7}$/, "an action such as convox:release:promote"),
  /** What a credential may do; `*` stands for every resource or action. */
  permission: pattern(
    /^[a-z]{1,32}(?::(?:\*|[a-z][a-z0-9_]{0,63})){2}$/,
    "a permission such as approval:request:create",
  ),
  key: pattern(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, "a configured key such as deploy.production"),
  statementType: pattern(/^countersign\/decision$/, '"countersign/decision"'),
  route: pattern(/^(?:[A-Z]{3,7} )?\/[A-Za-z0-9._~:{}*/-]{0,255}$/, "a route pattern such as GET /v1/requests/{id}"),
  version: pattern(/^\d{1,5}\.\d{1,5}\.\d{1,5}(?:-[a-z0-9.]{1,32})?$/, "a version such as 1.4.0"),
  // Numbers, times, truth
  integer: integer(Number.MIN_SAFE_INTEGER, "an integer"),
  count: integer(0, "an integer from 0 up"),
  ordinal: integer(1, "an integer from 1 up"),
  time: { is: isLedgerTime, says: "a UTC time such as 2026-11-20T09:00:00.000Z" },
  boolean: { is: (value: unknown) => typeof value === "boolean", says: "true or false" },
} as const satisfies Readonly<Record<string, MemberForm>>;

export type MemberFormName = keyof typeof MEMBER_FORMS;
