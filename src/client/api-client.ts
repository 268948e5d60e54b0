/**
 * A client of our own API for programs: JSON in, JSON out, refusals as errors with their code. It neither retries nor
 * follows redirects; a proof of a factor is sent as a header (docs/spec/identity.md section 2).
 */
import { ApiRefusal, Unreachable, type ProblemAnswer } from "./api-refusal.ts";

export interface ApiClientOptions {
  /** Of the installation, with or without a slash at the end. */
  readonly url: string;
  readonly token: string | null;
  /** What this program says of itself. */
  readonly userAgent: string;
  /** Id or slug of the organization to act in; null for one's own. */
  readonly organization?: string | null;
  /** The platform's, unless said otherwise. */
  readonly fetch?: typeof fetch;
}

export type ApiMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface ApiCall {
  readonly method: ApiMethod;
  /** Below `/v1`, with its query: `/people?q=ana`. */
  readonly path: string;
  readonly body?: unknown;
  /** A code of the authenticator, or a backup code. */
  readonly code?: string | null;
}

export interface ApiClient {
  readonly url: string;
  /** The answer's JSON; null for an answer without a body. Throws ApiRefusal or Unreachable. */
  call(call: ApiCall): Promise<unknown>;
  /** Every item of a list that is handed out page by page: bare lists with a Link header, or `{items, next}`. */
  list(path: string): Promise<readonly unknown[]>;
}

const TIMEOUT_MS = 60_000;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const url = options.url.replace(/\/+$/, "");
  const ask = options.fetch ?? fetch;

  async function send(call: ApiCall): Promise<Response> {
    let response: Response;
    try {
      response = await ask(`${url}/v1${call.path}`, {
        ...{ method: call.method, headers: headersOf(options, call), redirect: "error" },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
    } catch (cause) {
      throw new Unreachable(`${url} does not answer: is the address right, and does the server run?`, { cause });
    }
    if (!response.ok) throw new ApiRefusal(await problemOf(response));
    return response;
  }

  return {
    url,
    async call(call) {
      return jsonOf(await send(call));
    },
    async list(path) {
      const items: unknown[] = [];
      let next: string | null = path;
      while (next !== null) {
        const response = await send({ method: "GET", path: next });
        const page = pageOf(await jsonOf(response), response.headers.get("link"));
        items.push(...page.items);
        next = page.cursor === null ? null : withCursor(path, page.cursor);
      }
      return items;
    },
  };
}

function headersOf({ token, userAgent, organization }: ApiClientOptions, { body, code }: ApiCall): Headers {
  const headers = new Headers({ Accept: "application/json", "User-Agent": userAgent });
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (organization !== undefined && organization !== null) headers.set("X-Countersign-Org", organization);
  if (code !== undefined && code !== null) headers.set(headerOfCode(code), code.trim());
  return headers;
}

/** Six digits are the authenticator's. */
function headerOfCode(code: string): string {
  return /^\d{6}$/.test(code.replaceAll(" ", "")) ? "X-Mfa-Totp" : "X-Mfa-Backup-Code";
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === "") return null;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new Unreachable(`${response.url} does not speak JSON: is this the address of Countersign?`, { cause });
  }
}

async function problemOf(response: Response): Promise<ProblemAnswer> {
  const value = await readJson(response);
  const { status } = response;
  const wait = Number(response.headers.get("retry-after") ?? "");
  return {
    status,
    code: textIn(value, "code") ?? `http_${String(status)}`,
    detail: textIn(value, "detail") ?? textIn(value, "title") ?? `The server answered ${String(status)}.`,
    trace: textIn(value, "trace"),
    faults: faultsIn(value),
    retryAfter: Number.isSafeInteger(wait) && wait > 0 ? wait : null,
  };
}

/** Whatever stands before the server may answer in its own words. */
async function readJson(response: Response): Promise<unknown> {
  try {
    const value: unknown = JSON.parse(await response.text());
    return value;
  } catch {
    return null;
  }
}

function faultsIn(value: unknown): ProblemAnswer["faults"] {
  const errors = memberOf(value, "errors");
  if (!Array.isArray(errors)) return [];
  return errors.map((fault: unknown) => ({
    path: textIn(fault, "path") ?? "",
    message: textIn(fault, "message") ?? "is not valid",
  }));
}

interface Page {
  readonly items: readonly unknown[];
  readonly cursor: string | null;
}

function pageOf(value: unknown, link: string | null): Page {
  if (Array.isArray(value)) return { items: value, cursor: cursorIn(link) };
  const items = memberOf(value, "items");
  return { items: Array.isArray(items) ? items : [], cursor: textIn(value, "next") };
}

function cursorIn(link: string | null): string | null {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  return target === undefined ? null : new URL(target, "http://same.origin").searchParams.get("cursor");
}

function withCursor(path: string, cursor: string): string {
  const [bare = "", query = ""] = path.split("?", 2);
  const search = new URLSearchParams(query);
  search.set("cursor", cursor);
  return `${bare}?${search.toString()}`;
}

export function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Null where there is no text. */
export function textIn(value: unknown, name: string): string | null {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : null;
}
