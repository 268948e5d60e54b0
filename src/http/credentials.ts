/**
 * Who calls: a bearer token (of an identity provider, an API token, a terminal's session, a workload's token), Basic with an
 * API token as password, or the console's session cookie. Implements docs/spec/identity.md section 2 and api.md R-AUTH-20.
 */
import type { FastifyRequest } from "fastify";
import type { Application } from "../app/application.ts";
import { withDeploySettings } from "../app/deploy/narrowed-identity.ts";
import { identify, memberActor, type Principal } from "../app/identify.ts";
import { localSignInRefusal } from "../app/local-sign-in.ts";
import { openSession } from "../app/open-session.ts";
import { presentToken } from "../app/present-token.ts";
import type { Proof } from "../app/proof.ts";
import { hasTokenPrefix } from "../app/token-format.ts";
import { isRefusal } from "../core/refusal.ts";
import type { Caller, CallerClient } from "./authorized.ts";
import { isPrincipalFault, principalOf } from "./principal.ts";
import { problem, problemOfRefusal, type Problem } from "./problem.ts";
import { proofFromSuffix } from "./sent-proof.ts";
import type { ServerOptions } from "./server-options.ts";
import { sessionCookieName } from "./session-cookie.ts";
import { isTokenFault, type VerifiedToken } from "./token-verification/token-verifier.ts";

export interface Authenticated {
  readonly caller: Caller;
  /** A proof that came as the credential's suffix (R-STEP-1). */
  readonly proof: Proof | null;
}

export async function authenticate(
  request: FastifyRequest,
  options: ServerOptions,
  client: CallerClient,
): Promise<Authenticated | Problem> {
  const token = tokenOf(request.headers.authorization);
  const cookie = request.cookies[sessionCookieName(options)] ?? "";
  if (request.headers.authorization !== undefined && cookie !== "") {
    return problem("credential_ambiguous", "Send either the session cookie or an Authorization header, not both");
  }
  if (token !== null) return within(await callerOfToken(token, options, client), request);
  if (request.headers.authorization !== undefined) return unauthenticated("Invalid Authorization header");
  if (cookie === "") return unauthenticated("Missing bearer token");
  const isActivity = request.headers[BACKGROUND] === undefined;
  return within(bare(await callerOfSession(options.app, cookie, { kind: "web_session", isActivity })), request);
}

/** Set by our pages on what they ask by themselves: nobody need sit before them (identity R-SESS-4). */
const BACKGROUND = "x-countersign-background";

const ORGANIZATION = "x-countersign-org";

/** The organization that the call is about, and whether its credentials are let in (R-ORG-2, R-ORG-6). */
async function within(given: Authenticated | Problem, request: FastifyRequest): Promise<Authenticated | Problem> {
  if ("code" in given) return given;
  const chosen = request.headers[ORGANIZATION];
  const caller = typeof chosen === "string" ? await inOrganization(given.caller, chosen) : given.caller;
  if ("code" in caller) return caller;
  const organization = await caller.app.organizations.find(caller.app.orgId);
  if (organization?.status === "active") {
    return { ...given, caller: { ...caller, app: await withDeploySettings(caller.app) } };
  }
  return problem("org_suspended", "The organization is suspended: nothing in it can be used");
}

/** People with roles in several organizations choose; for everybody else another one does not exist. */
async function inOrganization(caller: Caller, chosen: string): Promise<Caller | Problem> {
  const organization = await caller.app.organizations.find(chosen.toLowerCase());
  if (organization?.id === caller.app.orgId) return caller;
  const personId = mayChoose(caller) ? caller.actor.person?.id : undefined;
  if (organization === undefined || personId === undefined) return NO_SUCH_ORGANIZATION;
  const app = caller.app.forOrganization(organization.id);
  const member = await app.reader.person(personId);
  if (member === undefined) return NO_SUCH_ORGANIZATION;
  // A session that this organization's provider did not vouch for is a local one to it (R-LOCAL-1).
  const closed = await localSignInRefusal(app, member.record);
  if (closed !== null) return problemOfRefusal(closed);
  const actor = memberActor(member, caller.actor.credential ?? "");
  return { ...caller, app, actor, roles: member.roles, enrolled: member.enrolled };
}

const NO_SUCH_ORGANIZATION = problem("not_found", "There is no such organization");

/** Tokens belong to one organization, and in development mode nobody is who they say. */
function mayChoose({ session }: Caller): boolean {
  return session !== null && session.method !== "development";
}

/** What is presented, as it came; null when nothing is. */
export function presentedCredential(request: FastifyRequest, options: ServerOptions): string | null {
  const cookie = request.cookies[sessionCookieName(options)];
  return request.headers.authorization ?? (cookie === undefined || cookie === "" ? null : cookie);
}

/** The token of Bearer, or the password of Basic: an API token as the rack's own clients send it. */
function tokenOf(header: string | undefined): string | null {
  const bearer = /^Bearer +(\S.*?) *$/i.exec(header ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header ?? "")?.[1];
  if (basic === undefined) return null;
  const text = Buffer.from(basic, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? null : text.slice(colon + 1);
}

/** A session of ours and nothing else: 32 bytes in base64url, with or without a proof behind a dot. */
const SESSION_SECRET = /^[A-Za-z0-9_-]{43}$/;

async function callerOfToken(
  presented: string,
  options: ServerOptions,
  client: CallerClient,
): Promise<Authenticated | Problem> {
  if (hasTokenPrefix(presented)) {
    return bare(await callerOfApiToken(presented, options, client));
  }
  const { token, proof } = proofFromSuffix(presented);
  if (SESSION_SECRET.test(token)) {
    const caller = await callerOfSession(options.app, token, { kind: "cli_session", isActivity: true });
    return "code" in caller ? caller : { caller, proof };
  }
  const workload = await options.workloadCaller?.(presented);
  if (workload !== undefined && workload !== null) return bare(workload);
  return bare(await callerOfJwt(presented, options));
}

function bare(caller: Caller | Problem): Authenticated | Problem {
  return "code" in caller ? caller : { caller, proof: null };
}

async function callerOfApiToken(
  token: string,
  options: ServerOptions,
  { address }: CallerClient,
): Promise<Caller | Problem> {
  const presented = await presentToken(options.app, token, { desk: options.tokens, address });
  if (isRefusal(presented)) return challenged(problemOfRefusal(presented));
  const { actor, orgId, limits, expiresAt, singleUse, workload } = presented;
  const app = options.app.forOrganization(orgId);
  const rest = { session: null, sessionToken: null, enrolled: false };
  const once = singleUse === null ? {} : { singleUse, ...(workload === null ? {} : { workload }) };
  return { kind: "api_token", actor, roles: [], app, expiresAt, limits, ...rest, ...once };
}

async function callerOfJwt(token: string, options: ServerOptions): Promise<Caller | Problem> {
  const verified = await options.verifier.verify(token);
  if (isTokenFault(verified)) {
    return unauthenticated(`Invalid bearer token: ${verified.fault}`, verified.code ?? "token_invalid");
  }
  const principal = principalOf(verified, options.access);
  if (isPrincipalFault(principal)) return unauthenticated(principal.message, principal.code);
  const actor = await identify(options.app, identified(principal, options.development));
  if (isRefusal(actor)) return problemOfRefusal(actor);
  return {
    kind: actor.machine ? "machine_jwt" : "person_jwt",
    actor: { ...actor, subject: principal.subject },
    roles: principal.roles,
    app: options.app,
    expiresAt: secondsIn(verified, "exp"),
    signedInAt: secondsIn(verified, "auth_time"),
    ...{ session: null, sessionToken: null, enrolled: false, limits: null },
  };
}

/** R-AUTH-8: where nobody vouches for `sub`, the person is the user name alone. */
function identified(principal: Principal, development: boolean): Principal {
  return development ? { ...principal, subject: principal.assignee } : principal;
}

/** A time of the token's, in epoch milliseconds; null when it does not say. */
function secondsIn({ claims }: VerifiedToken, claim: "exp" | "auth_time"): number | null {
  const seconds = claims[claim];
  return typeof seconds === "number" ? seconds * 1000 : null;
}

/** A terminal's session is no browser's, and the other way round: neither cookie nor header serves for the other. */
async function callerOfSession(
  app: Application,
  sessionToken: string,
  { kind, isActivity }: { readonly kind: "web_session" | "cli_session"; readonly isActivity: boolean },
): Promise<Caller | Problem> {
  const open = await openSession(app, sessionToken, { isActivity });
  if (isRefusal(open)) return challenged(problemOfRefusal(open));
  const { actor, session, enrolled, roles } = open;
  if ((session.kind === "cli") !== (kind === "cli_session"))
    return unauthenticated("Your session has ended: sign in again");
  const own = app.forOrganization(session.orgId);
  return { kind, actor, roles, app: own, expiresAt: session.expiresAt, session, sessionToken, enrolled, limits: null };
}

type CredentialFault = "unauthenticated" | "token_invalid" | "audience_not_allowed" | "no_assignee";

function unauthenticated(message: string, code: CredentialFault = "unauthenticated"): Problem {
  return challenged(problem(code, message));
}

function challenged(given: Problem): Problem {
  return { ...given, headers: { ...given.headers, "WWW-Authenticate": "Bearer" } };
}
