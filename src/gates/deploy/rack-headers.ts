/**
 * Which headers go to the rack, and which come back? An allow-list one way, hop-by-hop out the other way. Implements
 * docs/spec/deploy.md R-PROXY-5 and R-PROXY-6.
 */
import { headerInvalid, repeatedHeader } from "./call-refusals.ts";
import type { DeployRefusal } from "./deploy-refusal.ts";

/** As they stood on the wire, in order; values as Latin-1 text, one character per byte. */
export type HeaderPair = readonly [name: string, value: string];

/** Options of rack calls, in the spelling of the rack. */
export const optionHeaders = [
  "Command",
  "Cpu",
  "Cpu-Limit",
  "Disable-Stdin",
  "Entrypoint",
  "Environment",
  "Filter",
  "Follow",
  "Gpu",
  "Gpu-Vendor",
  "Height",
  "Image",
  "Maxlogrequests",
  "Memory",
  "Memory-Limit",
  "Node-Labels",
  "Prefix",
  "Previous",
  "Privileged",
  "Public",
  "Release",
  "Since",
  "System-Critical",
  "Tail",
  "Tty",
  "Use-Service-Volume",
  "Volumes",
  "Width",
] as const;

export type OptionHeader = (typeof optionHeaders)[number];

const PLAIN_HEADERS = [
  "Accept",
  "Accept-Encoding",
  "Content-Type",
  "Content-Length",
  "Range",
  "User-Agent",
  "Version",
] as const;

/** Narrows an upload to the approval of one commit; read by the gate, not forwarded (deploy R-BIND-1). */
const COMMIT_HEADER = "Countersign-Git-Sha";

export interface RackHeaders {
  /** What the rack gets of what the client sent, in order. */
  readonly forwarded: readonly HeaderPair[];
  /** The options among them. */
  readonly options: ReadonlyMap<OptionHeader, string>;
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  readonly commit: string | null;
}

/** Everything that is not listed is dropped; what is listed and sent twice is refused. */
export function readRackHeaders(pairs: readonly HeaderPair[]): RackHeaders | DeployRefusal {
  const seen = new Map<string, string>();
  const forwarded: HeaderPair[] = [];
  for (const [name, value] of pairs) {
    const known = KNOWN.get(name.toLowerCase());
    if (known === undefined) continue;
    if (seen.has(known)) return repeatedHeader(known);
    if (!HEADER_VALUE.test(value)) return headerInvalid(`'${known}' holds a control character`);
    seen.set(known, value);
    if (FORWARDED.has(known)) forwarded.push([known, value]);
  }
  const nominated = tokensOf(pairs, "connection").find((token) => !HARMLESS_CONNECTION.has(token));
  if (nominated !== undefined) return headerInvalid("'Connection' names a header");
  return {
    forwarded,
    options: new Map(optionHeaders.flatMap((name) => pairIn(seen, name))),
    contentType: seen.get("Content-Type") ?? null,
    contentEncoding: seen.get("Content-Encoding") ?? null,
    commit: seen.get(COMMIT_HEADER) ?? null,
  };
}

/** What the client gets of the rack's headers; without a length where the gate changes the body. */
export function headersFromRack(pairs: readonly HeaderPair[], isBodyRewritten: boolean): readonly HeaderPair[] {
  const dropped = new Set([...HOP_BY_HOP, ...tokensOf(pairs, "connection"), "set-cookie"]);
  if (isBodyRewritten) dropped.add("content-length");
  return pairs.filter(([name]) => !dropped.has(name.toLowerCase()));
}

const FORWARDED: ReadonlySet<string> = new Set([...PLAIN_HEADERS, ...optionHeaders]);

/** Lower-case to the spelling in which it is forwarded; also what only the gate reads. */
const KNOWN: ReadonlyMap<string, string> = new Map(
  [...PLAIN_HEADERS, ...optionHeaders, "Content-Encoding", COMMIT_HEADER].map((name) => [name.toLowerCase(), name]),
);

/** RFC 9110 5.5: visible characters, blanks, tabs and bytes above ASCII. */
const HEADER_VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** What clients say about the connection itself; anything else would make a proxy drop a header that was judged. */
const HARMLESS_CONNECTION: ReadonlySet<string> = new Set([
  ...["close", "keep-alive", "upgrade", "te", "trailers", "http2-settings"],
]);

/** RFC 9110 7.6.1, and what older software says besides. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
] as const;

function tokensOf(pairs: readonly HeaderPair[], wanted: string): readonly string[] {
  return pairs
    .filter(([name]) => name.toLowerCase() === wanted)
    .flatMap(([, value]) => value.split(","))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== "");
}

function pairIn<Name extends string>(
  seen: ReadonlyMap<string, string>,
  name: Name,
): readonly (readonly [Name, string])[] {
  const value = seen.get(name);
  return value === undefined ? [] : [[name, value]];
}
