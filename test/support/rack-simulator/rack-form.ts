/**
 * Which values does a call carry? As a Go program with `net/http` reads them, on purpose with all its ways: the body before the
 * query, the query before a multipart body, header as a last resort (deploy R-RACKSIM-1, row "values").
 */
import type { RecordedCall } from "./recorded-call.ts";

/** What `ParseForm` reads of a body; a longer one counts as unreadable. */
export const FORM_BYTES_MAX = 10_485_760;

const METHODS_WITH_FORM: readonly string[] = ["POST", "PUT", "PATCH"];

export class RackForm {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #query: ReadonlyMap<string, readonly string[]>;
  readonly #call: RecordedCall;

  constructor(call: RecordedCall, body: Buffer | null) {
    this.#call = call;
    this.#query = gathered(pairsIn(call.query));
    const [type = "", ...parameters] = (call.header("content-type") ?? "").split(";");
    const isRead = METHODS_WITH_FORM.includes(call.method) && body !== null && body.length <= FORM_BYTES_MAX;
    const text = isRead ? body.toString("latin1") : "";
    const kind = type.trim().toLowerCase();
    const fromBody = kind === "application/x-www-form-urlencoded" ? pairsIn(fromLatin1(text)) : [];
    const fromParts = kind === "multipart/form-data" ? partsIn(text, parameters.join(";")) : [];
    this.#values = gathered([...fromBody, ...pairsIn(call.query), ...fromParts]);
  }

  /** `url`, `image`, `name`, `command` and the like: form, else header; empty when neither has it. */
  value(name: string): string {
    const [first = ""] = this.#values.get(name) ?? [];
    return first === "" ? (this.#call.header(name) ?? "") : first;
  }

  /** An option marked form: the first value of body or query. */
  option(name: string): string | null {
    return this.#values.get(name)?.[0] ?? null;
  }

  /** An option marked query. */
  queryOption(name: string): string | null {
    return this.#query.get(name)?.[0] ?? null;
  }

  flag(name: string): boolean {
    return this.option(name) === "true";
  }

  list(name: string): readonly string[] {
    return this.option(name)?.split(",") ?? [];
  }

  /** `k=v&k=v` within one value. */
  map(name: string): Readonly<Record<string, string>> | null {
    const text = this.option(name);
    return text === null
      ? null
      : Object.fromEntries([...gathered(pairsIn(text))].map(([key, [first = ""]]) => [key, first]));
  }
}

type Pair = readonly [string, string];

function gathered(pairs: readonly Pair[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const before = values.get(name);
    if (before === undefined) values.set(name, [value]);
    else before.push(value);
  }
  return values;
}

/** Pairs that cannot be read are left out, and the others count. */
function pairsIn(text: string): readonly Pair[] {
  const pairs: Pair[] = [];
  for (const part of text.split("&")) {
    if (part === "" || part.includes(";")) continue;
    const at = part.indexOf("=");
    const name = unescaped(at < 0 ? part : part.slice(0, at));
    const value = unescaped(at < 0 ? "" : part.slice(at + 1));
    if (name !== null && value !== null) pairs.push([name, value]);
  }
  return pairs;
}

function unescaped(text: string): string | null {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return null;
  const bytes: Buffer[] = [];
  for (const piece of text.replaceAll("+", " ").split(/(%[0-9A-Fa-f]{2})/)) {
    bytes.push(piece.startsWith("%") ? Buffer.from(piece.slice(1), "hex") : Buffer.from(piece));
  }
  return Buffer.concat(bytes).toString("utf8");
}

/** The values of a multipart body; parts with a file name are no values. */
function partsIn(text: string, parameters: string): readonly Pair[] {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(parameters) ?? [];
  const boundary = quoted ?? plain;
  if (boundary === undefined) return [];
  const pairs: Pair[] = [];
  for (const part of `\r\n${text}`.split(`\r\n--${boundary}`).slice(1)) {
    const end = part.indexOf("\r\n\r\n");
    if (part.startsWith("--") || end < 0) continue;
    const head = part.slice(0, end);
    const [, name] = /content-disposition:[^\r\n]*\bname="([^"]*)"/i.exec(head) ?? [];
    if (name !== undefined && !/filename=/i.test(head)) pairs.push([fromLatin1(name), fromLatin1(part.slice(end + 4))]);
  }
  return pairs;
}

function fromLatin1(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
