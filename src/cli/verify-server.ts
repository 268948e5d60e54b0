/**
 * Verifies the ledger of a running server from what it exports, trusting nothing but the arithmetic: every entry's form, order
 * and chain, the tree over all of them, and the checkpoint that they must give.
 */
import { createHash } from "node:crypto";
import { parseEntry } from "../ledger/entry.ts";
import { chainHash } from "../ledger/hash.ts";
import { openCheckpoint, parseCheckpoint } from "../ledger/note.ts";
import { startVerification, type Finding, type StoredEntry, type Verification } from "../ledger/verify.ts";

export interface VerifyServerOptions {
  readonly url: string;
  /** A bearer token of somebody who may read the ledger; not needed in development mode. */
  readonly token?: string;
  readonly vkey?: string;
  readonly onProgress: (checked: number) => void;
}

export interface VerifiedServer {
  readonly origin: string;
  readonly size: number;
  readonly root: string;
  readonly checkpoint: number | null;
  readonly vkey: string | null;
  readonly findings: readonly Finding[];
  readonly findingCount: number;
}

/** The server cannot be reached, or does not give its ledger away; the message says why. */
export class CannotVerifyServer extends Error {
  override readonly name = "CannotVerifyServer";
}

const sha256 = (data: Uint8Array): Uint8Array => createHash("sha256").update(data).digest();

export async function verifyServer(options: VerifyServerOptions): Promise<VerifiedServer> {
  const base = options.url.replace(/\/+$/, "");
  const authorization = await authorizationFor(base, options.token);
  const note = await (await call(`${base}/v1/ledger/checkpoint`, authorization)).text();
  const signed = parseCheckpoint(note);
  if (signed === null) throw new CannotVerifyServer("The server's checkpoint cannot be read.");
  const verification = startVerification(signed.origin, "genesis", sha256);
  verification.expectCheckpoint(signed.size, signed.root);
  const response = await call(`${base}/v1/ledger/export?format=ndjson`, authorization);
  const { trailer, vkey } = await readExport(response, verification, options.onProgress);
  const known = options.vkey ?? vkey;
  const extra: Finding[] = [];
  if (known === null || openCheckpoint(note, signed.origin, known) === null) {
    extra.push({ kind: "checkpoint", seq: null, detail: "the checkpoint is not signed by this ledger's key" });
  }
  const head = verification.head();
  if (trailer === null || trailer !== head.size) {
    extra.push({
      kind: "sequence",
      seq: null,
      detail: `the export ended after ${head.size} entries, before its last line`,
    });
  }
  const findings = [...verification.finish(head), ...extra];
  return {
    ...{ origin: signed.origin, size: head.size, root: head.root, checkpoint: signed.size, vkey: known, findings },
    findingCount: verification.findingCount() + extra.length,
  };
}

async function readExport(
  response: Response,
  verification: Verification,
  onProgress: (checked: number) => void,
): Promise<{ readonly trailer: number | null; readonly vkey: string | null }> {
  if (response.body === null) throw new CannotVerifyServer("The server sent no entries.");
  let vkey: string | null = null;
  let seq = 0;
  for await (const line of linesOf(response.body)) {
    const value = parseLine(line);
    if ("count" in value) return { trailer: typeof value["count"] === "number" ? value["count"] : null, vkey };
    const { bytes, leaf } = value;
    if (typeof bytes !== "string" || typeof leaf !== "string")
      throw new CannotVerifyServer("The export is not readable.");
    if (seq === 0) vkey = vkeyIn(bytes);
    verification.check(storedEntry(seq, bytes, leaf));
    seq += 1;
    if (seq % 1_000 === 0) onProgress(seq);
  }
  return { trailer: null, vkey };
}

/** An entry has at most 65,535 bytes; escaped as JSON it cannot become longer than this. */
const LINE_MAX = 1_000_000;

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (rest + decoder.decode(part.value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_MAX)
      throw new CannotVerifyServer("The export is not readable: one of its lines never ends.");
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** An export has no columns besides the bytes, so those derived from them cannot differ. */
function storedEntry(seq: number, text: string, leaf: string): StoredEntry {
  const parsed = parseEntry(text);
  const fields = parsed.ok
    ? parsed.entry
    : { kind: "", org: null, actor: null, credential: null, request: null, resource: null, at: "" };
  const { kind, org, actor, credential, request, resource, at } = fields;
  const resourceDigest = resource?.digest ?? null;
  return { seq, text, leaf, chain: chainHash(text, sha256), kind, org, actor, credential, request, resourceDigest, at };
}

function vkeyIn(text: string): string | null {
  const parsed = parseEntry(text);
  const vkey = parsed.ok ? parsed.entry.data["vkey"] : null;
  return typeof vkey === "string" ? vkey : null;
}

function parseLine(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value));
  } catch {
    // Told below, like every line that is no object.
  }
  throw new CannotVerifyServer("The export is not readable: it is not lines of JSON.");
}

/** A development server believes unsigned tokens; any other needs a real one. */
async function authorizationFor(base: string, token: string | undefined): Promise<string> {
  if (token !== undefined) return `Bearer ${token}`;
  const probe = await call(`${base}/healthz`, null);
  if (probe.headers.get("x-countersign-mode") !== "development") {
    throw new CannotVerifyServer(
      "This server wants to know who asks: give the token of somebody with AWE_ADMIN as --token.",
    );
  }
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: "countersign-verify", realm_access: { roles: ["AWE_ADMIN"] } };
  return `Bearer ${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

async function call(url: string, authorization: string | null): Promise<Response> {
  const response = await fetch(url, { headers: authorization === null ? {} : { authorization } }).catch(
    (error: unknown) => {
      throw new CannotVerifyServer(`${url} cannot be reached: ${reason(error)}.`);
    },
  );
  if (!response.ok)
    throw new CannotVerifyServer(`${url} answered ${String(response.status)}: ${await told(response)}.`);
  return response;
}

/** What a problem says in words; other servers have other bodies. */
async function told(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body !== "object" || body === null || !("detail" in body)) return "it does not look like Countersign";
  return String(body.detail);
}

function reason(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : "no reason given";
}
