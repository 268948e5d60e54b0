/**
 * How do Postgres values arrive in TypeScript? Without loss, always in the same form: times are ISO text in UTC with microseconds,
 * numeric stays text, int8 is a number only when it is exact, json and jsonb are parsed, date is text.
 */
import { TypeOverrides } from "pg";

/** Object identifiers of pg_type: fixed by Postgres for ever. */
const OID = {
  int8: 20,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  interval: 1186,
  int8Array: 1016,
  timestampArray: 1115,
  dateArray: 1182,
  timestamptzArray: 1185,
  numericArray: 1231,
} as const;

/** Parsers for one connection or pool; nothing global is changed, so other users of `pg` in the process are not affected. */
export function valueParsers(): TypeOverrides {
  const parsers = new TypeOverrides();
  parsers.setTypeParser(OID.int8, parseInteger);
  parsers.setTypeParser(OID.timestamptz, parseInstant);
  for (const oid of [OID.date, OID.timestamp, OID.interval]) parsers.setTypeParser(oid, (text) => text);
  parsers.setTypeParser(OID.int8Array, (text) => parseEach(text, parseInteger));
  parsers.setTypeParser(OID.timestamptzArray, (text) => parseEach(text, parseInstant));
  for (const oid of [OID.dateArray, OID.timestampArray, OID.numericArray]) {
    parsers.setTypeParser(oid, (text) => parseEach(text, (element) => element));
  }
  return parsers;
}

/** An int8 beyond 2^53 would silently change its value as a number: better no row than a wrong one. */
function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`The bigint ${text} does not fit into a number exactly`);
  return value;
}

const INSTANT = /^(\d{4,6}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00(?::?00)?$/;

/** `2026-11-20 08:54:40.25+00` becomes `2026-11-20T08:54:40.250000Z`. The session's TimeZone is UTC, so the offset is always +00. */
function parseInstant(text: string): string {
  const match = INSTANT.exec(text);
  if (match === null) throw new RangeError(`The timestamp ${text} is not a finite UTC time`);
  const [, day = "", time = "", fraction = ""] = match;
  return `${day}T${time}.${fraction.padEnd(6, "0")}Z`;
}

/** Numbers and times hold no comma, brace or quote, so their one-dimensional array literals need no real parser. */
function parseEach<Value>(text: string, parse: (element: string) => Value): readonly (Value | null)[] {
  const inner = /^\{([^{}]*)\}$/.exec(text)?.[1];
  if (inner === undefined) throw new RangeError(`The array ${text} is not a plain list`);
  if (inner === "") return [];
  return inner.split(",").map((element) => (element === "NULL" ? null : parse(element.replaceAll('"', ""))));
}
