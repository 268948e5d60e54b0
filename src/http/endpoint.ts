/** One route as its author writes it: what it reads, what it answers. Both mounts are made from the same definition. */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { JsonValue } from "../core/json.ts";
import type { Refusal } from "../core/refusal.ts";
import type { Method } from "./authorization.ts";
import type { Authorized } from "./authorized.ts";
import { readInput, type Place } from "./input.ts";
import type { Problem } from "./problem.ts";
import { isProblem, problemOfRefusal } from "./problem.ts";

export interface Reply {
  readonly status: number;
  /** Null for an answer without a body (204). */
  readonly body: JsonValue;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Where the body is not plain JSON. */
  readonly type?: string;
}

export type Outcome = Reply | Refusal | Problem;

/** The call as the handler sees it, once the table has let it through. */
export interface Exchange<Query, Body> {
  readonly caller: Authorized;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly body: Body;
  readonly header: (name: string) => string | undefined;
  readonly cookie: (name: string) => string | undefined;
  /** Aborted when the connection is closed. */
  readonly gone: () => AbortSignal;
  /** Path and query as they came, for links to the next page. */
  readonly url: string;
  /** `POST /tasks/{id}/claim` with the id filled in, the same under both mounts. */
  readonly route: string;
  /** Number of the call, as answers and log lines name it. */
  readonly requestId: string;
}

export interface Definition<Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: Method;
  /** Relative to the mount, in Fastify's form. */
  readonly url: string;
  readonly summary: string;
  readonly tag: string;
  readonly query?: Query;
  readonly body?: Body;
  /** Reads forms as well as JSON: the field names are the members. */
  readonly form?: true;
  /** Status → schema of the success bodies, for the API description. */
  readonly answers: Readonly<Record<number, z.ZodType>>;
  handle(exchange: Exchange<z.output<Query>, z.output<Body>>): Promise<Outcome>;
}

/** The call before its query and body were looked at. */
export type RawExchange = Exchange<unknown, unknown>;

/** A definition with its types closed over. */
export interface Endpoint {
  readonly method: Method;
  readonly url: string;
  readonly summary: string;
  readonly tag: string;
  readonly query: z.ZodType | null;
  readonly body: z.ZodType | null;
  readonly form: boolean;
  readonly answers: Readonly<Record<number, z.ZodType>>;
  answer(raw: RawExchange): Promise<Reply | Problem>;
}

/** An endpoint whose answer is not JSON: it writes the reply itself, unless it answers with a problem. */
export interface PageEndpoint {
  readonly method: "GET";
  readonly url: string;
  /** Null where the API description says nothing about it. */
  readonly described: PageDescription | null;
  open(raw: RawExchange, reply: FastifyReply): Promise<Problem | undefined>;
}

export interface PageDescription {
  readonly summary: string;
  readonly tag: string;
  readonly query: z.ZodType;
  /** The media type of the answer. */
  readonly type: string;
}

export function isPage(given: Endpoint | PageEndpoint): given is PageEndpoint {
  return "open" in given;
}

export function endpoint<Query extends z.ZodType = z.ZodUnknown, Body extends z.ZodType = z.ZodUnknown>(
  definition: Definition<Query, Body>,
): Endpoint {
  const { method, url, summary, tag, query, body, answers } = definition;
  return {
    method,
    url,
    summary,
    tag,
    query: query ?? null,
    body: body ?? null,
    form: definition.form ?? false,
    answers,
    async answer(raw) {
      const given = readGiven(query, raw.query, "query");
      if (!given.ok) return given.problem;
      const sent = readGiven(body, raw.body, "body");
      if (!sent.ok) return sent.problem;
      const outcome = await definition.handle({ ...raw, query: given.value, body: sent.value });
      return settled(outcome);
    },
  };
}

function settled(outcome: Outcome): Reply | Problem {
  if ("refusal" in outcome) return problemOfRefusal(outcome);
  return outcome;
}

export function isReply(value: Reply | Problem): value is Reply {
  return !isProblem(value);
}

type Given<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly problem: Problem };

/** A part that the definition does not describe may hold any JSON, and nobody looks at it. */
function readGiven<Schema extends z.ZodType>(
  schema: Schema | undefined,
  value: unknown,
  place: Place,
): Given<z.output<Schema>>;
function readGiven(schema: z.ZodType | undefined, value: unknown, place: Place): Given<unknown> {
  return readInput(schema ?? z.unknown(), value, place);
}
