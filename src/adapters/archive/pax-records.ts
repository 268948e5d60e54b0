/** What does a PAX header say? `LENGTH KEY=VALUE\n`, again and again, with the keys that are known to be harmless (deploy R-MANIFEST-2). */
import { badForm } from "./archive-refused.ts";
import { utf8 } from "./tar-header.ts";

export interface PaxRecords {
  readonly path?: string;
  readonly linkpath?: string;
  readonly size?: number;
}

/** `own` belongs to the next entry, `global` to all that follow: it may only comment. */
export function paxRecords(body: Buffer, kind: "own" | "global", where: string): PaxRecords {
  const found = new Map<string, Buffer>();
  let at = 0;
  while (at < body.length) {
    const record = recordAt(body, at, where);
    if (found.has(record.key)) throw badForm(where, `its PAX key ${record.key} comes twice`);
    if (!isAllowed(record.key, kind)) throw badForm(where, `its PAX key ${record.key} is not allowed`);
    found.set(record.key, record.value);
    at = record.end;
  }
  const path = found.get("path");
  const linkpath = found.get("linkpath");
  const size = found.get("size");
  return {
    ...(path === undefined ? {} : { path: wholeText(path, "path", where) }),
    ...(linkpath === undefined ? {} : { linkpath: wholeText(linkpath, "linkpath", where) }),
    ...(size === undefined ? {} : { size: wholeNumber(size, where) }),
  };
}

const OWN_KEYS: ReadonlySet<string> = new Set([
  ...["path", "linkpath", "size", "mtime", "atime", "ctime"],
  ...["uid", "gid", "uname", "gname", "comment"],
]);

function isAllowed(key: string, kind: "own" | "global"): boolean {
  if (kind === "global") return key === "comment";
  return OWN_KEYS.has(key) || /^SCHILY\.xattr\../s.test(key);
}

interface PaxRecord {
  readonly key: string;
  readonly value: Buffer;
  readonly end: number;
}

const LENGTH_DIGITS_MAX = 9;

function recordAt(body: Buffer, at: number, where: string): PaxRecord {
  const blank = body.indexOf(" ", at, "latin1");
  const digits = blank === -1 || blank - at > LENGTH_DIGITS_MAX ? "" : body.toString("latin1", at, blank);
  const end = /^[1-9][0-9]*$/.test(digits) ? at + Number(digits) : Infinity;
  if (end > body.length || end <= blank + 1 || body[end - 1] !== 0x0a)
    throw badForm(where, "its PAX header is damaged");
  const record = body.subarray(blank + 1, end - 1);
  const equals = record.indexOf("=", 0, "latin1");
  if (equals < 1) throw badForm(where, "its PAX header is damaged");
  return { key: utf8(record.subarray(0, equals), where), value: record.subarray(equals + 1), end };
}

function wholeText(value: Buffer, key: string, where: string): string {
  if (value.length === 0) throw badForm(where, `its PAX key ${key} is empty`);
  if (value.includes(0)) throw badForm(where, `its PAX key ${key} has a NUL in it`);
  return utf8(value, where);
}

function wholeNumber(value: Buffer, where: string): number {
  const digits = value.toString("latin1");
  if (!/^(0|[1-9][0-9]{0,15})$/.test(digits)) throw badForm(where, "its PAX size is not a number");
  return Number(digits);
}
