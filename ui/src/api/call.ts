import type { Read } from "./read.ts";
import { isObject, list, nullable, object, orElse, text } from "./read.ts";
import { observeServerTime } from "./server-clock.ts";

/** A no from the server: a stable code and a sentence. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly trace: string | null;
  readonly faults: readonly { readonly path: string; readonly message: string }[];

  constructor(status: number, problem: Problem) {
    super(problem.detail ?? problem.title ?? `The server answered ${String(status)}.`);
    this.name = "Refusal";
    this.status = status;
    this.code = problem.code ?? `http_${String(status)}`;
    this.trace = problem.trace;
    this.faults = problem.errors;
  }
}

/** The server did not answer at all; whether a write was recorded is unknown. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

const readProblem = object({
  title: nullable(text),
  detail: nullable(text),
  code: nullable(text),
  trace: nullable(text),
  errors: orElse(list(object({ path: orElse(text, ""), message: text })), []),
});
type Problem = ReturnType<typeof readProblem>;

const silent: Problem = { title: null, detail: null, code: null, trace: null, errors: [] };

export interface Write {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly idempotencyKey?: string;
}

export interface Page<T> {
  readonly items: T;
  readonly nextCursor: string | null;
}

export async function call<T>(read: Read<T>, path: string, write?: Write): Promise<T> {
  const response = await send(path, write);
  return read(await body(response), "");
}

/** A bare list whose next page is named by the Link header. */
export async function callPage<T>(read: Read<T>, path: string): Promise<Page<T>> {
  const response = await send(path);
  return { items: read(await body(response), ""), nextCursor: nextCursor(response.headers.get("Link")) };
}

export function nextCursor(link: string | null): string | null {
  const target = /<([^>]*)>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  return target === undefined ? null : new URL(target, "http://same.origin").searchParams.get("cursor");
}

/** Only members with a value are sent. */
export function query(members: Readonly<Record<string, string | number | null | undefined>>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(members)) {
    if (value !== undefined && value !== null && value !== "") search.set(key, String(value));
  }
  const written = search.toString();
  return written === "" ? "" : `?${written}`;
}

async function send(path: string, write?: Write): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (write !== undefined) headers.set("X-Requested-With", "countersign");
  if (write?.body !== undefined) headers.set("Content-Type", "application/json");
  if (write?.idempotencyKey !== undefined) headers.set("Idempotency-Key", write.idempotencyKey);
  let response: Response;
  try {
    response = await fetch(path, {
      method: write?.method ?? "GET",
      headers,
      credentials: "same-origin",
      ...(write?.body === undefined ? {} : { body: JSON.stringify(write.body) }),
    });
  } catch (cause) {
    throw new Unreachable(cause);
  }
  observeServerTime(response.headers.get("Date"));
  if (!response.ok) throw new Refusal(response.status, await problemOf(response));
  return response;
}

async function body(response: Response): Promise<unknown> {
  return response.status === 204 ? null : response.json();
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const answer: unknown = await response.json();
    return isObject(answer) ? readProblem(answer, "") : silent;
  } catch {
    return silent;
  }
}
