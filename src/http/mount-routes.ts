/** Puts endpoints on the server: each behind its row of the authorization table, both mounts from one definition. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { withCircumstances } from "../app/circumstances.ts";
import type { Proof, ProvenFactor } from "../app/proof.ts";
import { proveFactor } from "../app/prove-factor.ts";
import type { RefusalRecorder } from "../app/record-refused-access.ts";
import type { ErrorCode } from "../contract/error-codes.ts";
import { isRefusal } from "../core/refusal.ts";
import { rateHeaders, type ApiRate, type BurstRate, type InvalidCredentials, type RateState } from "./api-rate.ts";
import {
  admissionFault,
  admitAnybody,
  askedOf,
  assuranceProblem,
  authorized,
  isOpenRow,
  missingAssurance,
  type Authorized,
  type Caller,
  type CallerClient,
} from "./authorized.ts";
import type { Row } from "./authorization.ts";
import { authenticate, presentedCredential, type Authenticated } from "./credentials.ts";
import { describeRoute } from "./describe-route.ts";
import { isPage, isReply, type Endpoint, type PageEndpoint, type RawExchange, type Reply } from "./endpoint.ts";
import { isProblem, problem, problemOfRefusal, statusOf, type Problem } from "./problem.ts";
import { Refused } from "./refused.ts";
import { sentProof, withoutProof } from "./sent-proof.ts";
import { familyOf, problemOf, sendProblem } from "./send-problem.ts";
import type { ServerOptions } from "./server-options.ts";
import { foreignSignIn, foreignWrite } from "./session-cookie.ts";

export interface Mounting {
  readonly options: ServerOptions;
  readonly table: readonly Row[];
  readonly writeRate: ApiRate;
  /** Of the deploy gate's API; null without a limit. */
  readonly deployRate: BurstRate | null;
  readonly invalid: InvalidCredentials;
  readonly refusals: RefusalRecorder;
}

export function mountRoute(server: FastifyInstance, given: Endpoint | PageEndpoint, mounting: Mounting): void {
  const row = rowOf(given, mounting.table);
  // Without a row the route gets no hook, and the check at the end of building stops the start.
  if (row === undefined) {
    server.route({ method: given.method, url: given.url, handler: (_request, reply) => reply.code(404).send() });
    return;
  }
  const arrived = new WeakMap<FastifyRequest, Arrival>();
  const admitted = new WeakMap<FastifyRequest, Authorized>();
  server.route({
    method: given.method,
    url: given.url,
    schema: describeRoute(given, familyOf(server.prefix), row),
    onRequest: async (request, reply) => {
      arrived.set(request, await arrive(request, reply, row, mounting));
    },
    // The proof of a factor may stand in the body.
    preHandler: async (request) => {
      const arrival = arrived.get(request);
      if (arrival === undefined) throw new Error("a call came past the authorization table");
      readForm(request, !isPage(given) && given.form);
      admitted.set(request, await prove(request, row, { arrival, prefix: server.prefix, mounting }));
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

/** A caller that may call this route, before it is known what they proved. */
interface Arrival {
  /** Null on routes that ask for no credential. */
  readonly authenticated: Authenticated | null;
  readonly client: CallerClient;
}

/** In the order of R-AUTHZ-2: credential, where the call comes from, kind, permission, enrolment, rate. */
async function arrive(request: FastifyRequest, reply: FastifyReply, row: Row, mounting: Mounting): Promise<Arrival> {
  const { options } = mounting;
  const client = { address: request.ip, userAgent: request.headers["user-agent"] ?? null };
  if (isOpenRow(row)) {
    const foreign = row.method === "GET" ? null : foreignSignIn(request, options);
    if (foreign !== null) throw new Refused(foreign);
    return { authenticated: null, client };
  }
  const authenticated = await recognize(request, client, mounting);
  const { caller } = authenticated;
  const foreign = row.method !== "GET" && caller.kind === "web_session" ? foreignWrite(request, caller, options) : null;
  const fault = foreign ?? admissionFault(row, caller);
  if (fault !== null) {
    const told = { code: fault.code, route: `${row.method} ${patternOf(request, row)}`, address: client.address };
    if (TOLD.has(fault.code)) await mounting.refusals.record(caller.app, caller.actor, told);
    throw new Refused(fault);
  }
  countRate(caller, reply, { row, mounting });
  return { authenticated, client };
}

/** Whoever guesses is told to wait before anything is looked up (docs/spec/identity.md R-AUTHZ-2). */
async function recognize(
  request: FastifyRequest,
  client: CallerClient,
  { options, invalid }: Mounting,
): Promise<Authenticated> {
  const credential = presentedCredential(request, options);
  const wait = credential === null ? null : invalid.wait(client.address, credential);
  if (wait !== null) throw new Refused(tooMany(wait));
  const authenticated = await authenticate(request, options, client);
  if (!isProblem(authenticated)) {
    if (credential !== null) invalid.accepted(credential);
    return authenticated;
  }
  if (credential !== null && statusOf(authenticated) === 401) invalid.refused(client.address, credential);
  throw new Refused(authenticated);
}

function tooMany(seconds: number): Problem {
  return problem("rate_limited", "Too many calls: wait and try again", { headers: { "Retry-After": String(seconds) } });
}

/** What a credential reached for and may not have; that somebody has yet to enrol is no such thing. */
const TOLD: ReadonlySet<ErrorCode> = new Set([
  "machine",
  "forbidden",
  "permission_denied",
  "credential_kind_not_allowed",
  "csrf_invalid",
]);

/** The route's own pattern, never the path as it came: that may hold anything. */
function patternOf({ routeOptions }: FastifyRequest, row: Row): string {
  return (routeOptions.url ?? row.url).replaceAll(/:([a-z_]+)/g, "{$1}");
}

interface Proving {
  readonly arrival: Arrival;
  readonly prefix: string;
  readonly mounting: Mounting;
}

/** What the table asks to be proven in this call or shortly before. */
async function prove(
  request: FastifyRequest,
  row: Row,
  { arrival: { authenticated, client }, prefix, mounting: { options } }: Proving,
): Promise<Authorized> {
  const place = { route: `${row.method} ${patternOf(request, row)}`, scope: rackScope(request, row, options) };
  const call = { ...client, ...place, requestId: request.id };
  if (authenticated === null) return admittedOr(admitAnybody(row, withCircumstances(options.app, call), client));
  const caller = { ...authenticated.caller, app: withCircumstances(authenticated.caller.app, call) };
  const sent = sentProof(request, authenticated.proof);
  if (sent !== null && isProblem(sent)) throw new Refused(sent);
  const proof = await provenFactor(row, caller, { sent, act: actOf(request, prefix) });
  return authorized(row, caller, { client, sentProof: sent, proof, readScope: caller.app.settings.readScope });
}

/** The path's rack, else the default one (deploy R-RACK-2). */
function rackScope({ params }: FastifyRequest, { mount }: Row, { app }: ServerOptions): string | null {
  if (mount !== "deploy") return null;
  return app.deploy.racks.find(textMembers(params)["rack"] ?? null)?.info.name ?? null;
}

/** A proof that is sent is looked at wherever the table could ask for one; null where none is needed. */
async function provenFactor(
  row: Row,
  caller: Caller,
  { sent, act }: { readonly sent: Proof | null; readonly act: string },
): Promise<ProvenFactor | null> {
  const missing = missingAssurance(row, caller, caller.app.clock());
  const isAsked = askedOf(row, caller) === "step_up" || missing === "fresh";
  const personId = caller.actor.person?.id;
  if (!isAsked || sent === null || personId === undefined) {
    if (missing !== null) throw new Refused(assuranceProblem(missing));
    return null;
  }
  const proof = await proveFactor(caller.app, { personId, sessionId: caller.session?.id ?? null }, act, sent);
  if (isRefusal(proof)) throw new Refused(problemOfRefusal(proof));
  return proof;
}

/** A form becomes its fields where the route reads forms, and is refused everywhere else. */
function readForm(request: FastifyRequest, allowed: boolean): void {
  if (!(request.body instanceof URLSearchParams)) return;
  const fields = [...request.body];
  const names = new Set(fields.map(([name]) => name));
  if (!allowed) throw new Refused(problem("unsupported_type", "The body must be JSON: Content-Type application/json"));
  if (names.size < fields.length) throw new Refused(problem("invalid_input", "A field of the form is given twice"));
  request.body = Object.fromEntries(fields);
}

/** What a proof is bound to: the method and the path of this family's API, the rack's included where one is named (R-STEP-2). */
function actOf(request: FastifyRequest, prefix: string): string {
  const [path = ""] = request.url.split("?", 1);
  if (prefix.includes(":")) return `${request.method} ${path}`;
  return `${request.method} ${path.slice(prefix.length)}`;
}

function admittedOr(answer: Authorized | Problem): Authorized {
  if ("code" in answer) throw new Refused(answer);
  return answer;
}

function countRate(
  caller: Caller,
  reply: FastifyReply,
  { row, mounting }: { readonly row: Row; readonly mounting: Mounting },
): void {
  const { deployRate, writeRate } = mounting;
  if (row.mount === "deploy" && deployRate !== null) countCall(caller, reply, deployRate);
  else if (row.method !== "GET") countWrite(caller, reply, writeRate);
}

/** People count alone, although many share the client of one front end; the tokens of a machine count as one. */
function countWrite({ actor, app }: Caller, reply: FastifyReply, writeRate: ApiRate): void {
  const name = actor.machine ? (actor.clientId ?? actor.subject) : actor.subject;
  const state = writeRate.count(JSON.stringify([app.orgId, actor.issuer, actor.machine, name]));
  if (state !== null) tellRate(state, reply);
}

/** Reads as well: each credential by itself (docs/spec/identity.md section 10). */
function countCall({ actor, app }: Caller, reply: FastifyReply, rate: BurstRate): void {
  tellRate(rate.count(JSON.stringify([app.orgId, actor.issuer, actor.subject, actor.credential])), reply);
}

function tellRate(state: RateState, reply: FastifyReply): void {
  reply.headers(rateHeaders(state));
  if (state.exceeded) throw new Refused(tooMany(state.resetSeconds));
}

function exchangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  { caller, prefix }: { readonly caller: Authorized; readonly prefix: string },
): RawExchange {
  return {
    caller,
    params: textMembers(request.params),
    query: request.query,
    body: withoutProof(request.body),
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    cookie: (name) => request.cookies[name],
    gone: () => closedSignal(reply),
    url: request.url,
    route: actOf(request, prefix),
    requestId: request.id,
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
  reply.code(answer.status);
  for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
  if (answer.status === 204) return reply.send();
  return reply.type(answer.type ?? "application/json; charset=utf-8").send(JSON.stringify(answer.body));
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
