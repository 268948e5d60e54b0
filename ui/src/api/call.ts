import { organizationHeader } from "./chosen-organization.ts";
import { csrfToken } from "./csrf-token.ts";
import type { Proof } from "./proof.ts";
import { askForProof, proofHeaders } from "./proof.ts";
import type { Json, Read } from "./read.ts";
import { isObject, list, nullable, object, orElse, text } from "./read.ts";
import { observeServerTime } from "./server-clock.ts";

/** A no from the server: a stable code and a sentence. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly trace: string | null;
  /** What to do next, where the server says it besides the sentence. */
  readonly hint: string | null;
  readonly faults: readonly { readonly path: string; readonly message: string }[];
  /** Kinds of proof the server takes for this call; null when it did not say. */
  readonly methods: readonly string[] | null;
  /** What is no longer as it was shown. */
  readonly changed: readonly string[];

  constructor(status: number, problem: Problem) {
    super(
      problem.detail ?? problem.message ?? problem.error ?? problem.title ?? `The server answered ${String(status)}.`,
    );
    this.name = "Refusal";
    this.status = status;
    this.code = problem.code ?? `http_${String(status)}`;
    this.trace = problem.trace ?? problem.request_id;
    this.hint = problem.hint;
    this.faults = problem.errors;
    this.methods = problem.step_up?.methods ?? null;
    this.changed = problem.changed;
  }
}

/** The server did not answer at all; whether a write was recorded is unknown. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The server cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

/** The deploy gate's own answers name their sentence `error`; elsewhere a member of that name may be something else. */
const words: Read<string | null> = (value) => (typeof value === "string" ? value : null);

const readProblem = object({
  title: nullable(text),
  detail: nullable(text),
  code: nullable(text),
  trace: nullable(text),
  message: words,
  error: words,
  hint: words,
  request_id: words,
  errors: orElse(list(object({ path: orElse(text, ""), message: text })), []),
  step_up: nullable(object({ methods: nullable(list(text)) })),
  changed: orElse(list(text), []),
});
type Problem = ReturnType<typeof readProblem>;

const silent: Problem = {
  title: null,
  detail: null,
  code: null,
  trace: null,
  message: null,
  error: null,
  hint: null,
  request_id: null,
  errors: [],
  step_up: null,
  changed: [],
};

export interface Write {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  /** The version that was on the screen; another one is refused. */
  readonly ifMatch?: string;
  /** What a passkey's challenge for this call is bound to besides its address. */
  readonly bound?: Readonly<Record<string, Json>>;
  /** Kinds of proof, where it is known beforehand that one is needed: it is asked for before anything is sent. */
  readonly proveFirst?: readonly string[] | undefined;
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

const proofWanted: readonly string[] = ["mfa_required", "mfa_step_up_required", "step_up_required"];

/** A call that wants a factor is asked about and sent again with the proof; what it carries stays the same. */
async function send(path: string, write?: Write): Promise<Response> {
  const asked = {
    act: `${write?.method ?? "GET"} ${path.replace(/^(?:\/api)?\/v1|\?.*$/g, "")}`,
    bound: write?.bound ?? {},
  };
  const withProof = (proof: Proof): Promise<Response> => attempt(path, write, proof);
  if (write?.proveFirst !== undefined) return askForProof({ ...asked, methods: write.proveFirst }, withProof);
  try {
    return await attempt(path, write, null);
  } catch (failure) {
    if (!(failure instanceof Refusal) || !proofWanted.includes(failure.code)) throw failure;
    return askForProof({ ...asked, methods: failure.methods }, withProof);
  }
}

async function attempt(path: string, write: Write | undefined, proof: Proof | null): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: write?.method ?? "GET",
      headers: headersOf(write, proof),
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

function headersOf(write: Write | undefined, proof: Proof | null): Headers {
  const headers = new Headers({ Accept: "application/json", ...organizationHeader(), ...proofHeaders(proof) });
  const csrf = csrfToken();
  if (write !== undefined) headers.set("X-Requested-With", "countersign");
  if (write !== undefined && csrf !== null) headers.set("X-CSRF-Token", csrf);
  if (write?.body !== undefined) headers.set("Content-Type", "application/json");
  if (write?.ifMatch !== undefined) headers.set("If-Match", write.ifMatch);
  if (write?.idempotencyKey !== undefined) headers.set("Idempotency-Key", write.idempotencyKey);
  return headers;
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
