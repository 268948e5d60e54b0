/** Puts endpoints on the server: each behind its row of the authorization table, both mounts from one definition. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { admit, admitAnybody, isOpenRow, type Authorized } from "./authorized.ts";
import type { Row } from "./authorization.ts";
import { authenticate } from "./credentials.ts";
import { describeRoute } from "./describe-route.ts";
import { isPage, isReply, type Endpoint, type PageEndpoint, type RawExchange, type Reply } from "./endpoint.ts";
import { isProblem, problem, type Problem } from "./problem.ts";
import { Refused } from "./refused.ts";
import { familyOf, problemOf, sendProblem } from "./send-problem.ts";
import type { ServerOptions } from "./server-options.ts";
import { foreignSignIn, foreignWrite } from "./session-cookie.ts";
import type { WriteRate } from "./write-rate.ts";

export interface Mounting {
  readonly options: ServerOptions;
  readonly table: readonly Row[];
  readonly writeRate: WriteRate;
}

export function mountRoute(server: FastifyInstance, given: Endpoint | PageEndpoint, mounting: Mounting): void {
  const row = rowOf(given, mounting.table);
  // Without a row the route gets no hook, and the check at the end of building stops the start.
  if (row === undefined) {
    server.route({ method: given.method, url: given.url, handler: (_request, reply) => reply.code(404).send() });
    return;
  }
  const admitted = new WeakMap<FastifyRequest, Authorized>();
  server.route({
    method: given.method,
    url: given.url,
    schema: describeRoute(given, familyOf(server.prefix), row),
    onRequest: async (request) => {
      admitted.set(request, await authorize(request, row, mounting));
    },
    handler: async (request, reply) => {
      const caller = admitted.get(request);
      if (caller === undefined) throw new Error("a call came past the authorization table");
      const exchange = exchangeOf(request, reply, { caller, prefix: server.prefix });
      const call: Call = { request, reply, options: mounting.options };
      if (isPage(given)) return sendPage(given, exchange, call);
      return sendAnswer(await given.answer(exchange), call);
    },
  });
}

function rowOf(given: Endpoint | PageEndpoint, table: readonly Row[]): Row | undefined {
  return table.find((row) => row.method === given.method && row.url === given.url);
}

/** In the order of R-AUTHZ-2: credential, its kind, where the call comes from, permission, rate. */
async function authorize(request: FastifyRequest, row: Row, { options, writeRate }: Mounting): Promise<Authorized> {
  if (isOpenRow(row)) {
    const foreign = row.method === "GET" ? null : foreignSignIn(request);
    return admittedOr(foreign ?? admitAnybody(row));
  }
  const caller = await authenticate(request, options);
  if (isProblem(caller)) throw new Refused(caller);
  if (row.method !== "GET" && caller.kind === "session") {
    const foreign = foreignWrite(request);
    if (foreign !== null) throw new Refused(foreign);
  }
  const authorized = admittedOr(admit(row, caller, options.app.settings.readScope));
  if (row.method !== "GET") countWrite(authorized, writeRate);
  return authorized;
}

function admittedOr(answer: Authorized | Problem): Authorized {
  if ("code" in answer) throw new Refused(answer);
  return answer;
}

/** People count alone, although many share the client of one front end; the tokens of a machine count as one. */
function countWrite({ actor }: Authorized, writeRate: WriteRate): void {
  const name = actor.machine ? (actor.clientId ?? actor.subject) : actor.subject;
  const wait = writeRate.countWrite(JSON.stringify([actor.issuer, actor.machine, name]));
  if (wait === null) return;
  const headers = { "Retry-After": String(wait) };
  throw new Refused(problem("rate_limited", "Too many calls: wait and try again", { headers }));
}

function exchangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, prefix }: { readonly caller: Authorized; readonly prefix: string },
): RawExchange {
  const [path = ""] = request.url.split("?", 1);
  return {
    caller,
    params: textMembers(request.params),
    query: request.query,
    body: request.body,
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    gone: () => closedSignal(reply),
    url: request.url,
    route: `${request.method} ${path.slice(prefix.length)}`,
  };
}

function textMembers(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, text]: [string, unknown]) =>
      typeof text === "string" ? [[name, text]] : [],
    ),
  );
}

function closedSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (reply.raw.destroyed) controller.abort();
  reply.raw.once("close", () => {
    controller.abort();
  });
  return controller.signal;
}

interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly options: ServerOptions;
}

function sendAnswer(answer: Reply | Problem, { request, reply, options }: Call): FastifyReply {
  if (!isReply(answer)) return sendProblem(answer, request, reply, options);
  reply.code(answer.status).headers(answer.headers ?? {});
  if (answer.status === 204) return reply.send();
  return reply.type("application/json; charset=utf-8").send(JSON.stringify(answer.body));
}

/** A page that began to answer can only be cut off when something fails. */
async function sendPage(
  page: PageEndpoint,
  exchange: RawExchange,
  { request, reply, options }: Call,
): Promise<FastifyReply> {
  let refused: Problem | undefined;
  try {
    refused = await page.open(exchange, reply);
  } catch (error) {
    if (!reply.raw.headersSent) throw error;
    problemOf(error, request);
    reply.raw.destroy();
    return reply;
  }
  return refused === undefined ? reply : sendProblem(refused, request, reply, options);
}
