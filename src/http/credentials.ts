/** Who calls: a bearer token, else the console's session cookie. Implements docs/spec/api.md R-AUTH-20. */
import type { FastifyRequest } from "fastify";
import { identify, type Principal } from "../app/identify.ts";
import { openSession } from "../app/session.ts";
import { isRefusal } from "../core/refusal.ts";
import type { Caller } from "./authorized.ts";
import { isPrincipalFault, principalOf } from "./principal.ts";
import { problem, problemOfRefusal, type Problem } from "./problem.ts";
import type { ServerOptions } from "./server-options.ts";
import { SESSION_COOKIE } from "./session-cookie.ts";
import { isTokenFault, type VerifiedToken } from "./token-verification/token-verifier.ts";

export async function authenticate(request: FastifyRequest, options: ServerOptions): Promise<Caller | Problem> {
  const token = bearerOf(request.headers.authorization);
  if (token !== null) return callerOfToken(token, options);
  const session = request.cookies[SESSION_COOKIE];
  if (session !== undefined && session !== "") return callerOfSession(session, options);
  return unauthenticated("Missing bearer token");
}

function bearerOf(header: string | undefined): string | null {
  return /^Bearer +(\S.*?) *$/i.exec(header ?? "")?.[1] ?? null;
}

async function callerOfToken(token: string, options: ServerOptions): Promise<Caller | Problem> {
  const verified = await options.verifier.verify(token);
  if (isTokenFault(verified)) return unauthenticated(`Invalid bearer token: ${verified.fault}`);
  const principal = principalOf(verified, options.access);
  if (isPrincipalFault(principal)) return unauthenticated(principal.message, principal.code);
  const actor = await identify(options.app, identified(principal, options.development));
  if (isRefusal(actor)) return problemOfRefusal(actor);
  return {
    kind: actor.machine ? "machine" : "person",
    actor: { ...actor, subject: principal.subject },
    expiresAt: expiryOf(verified),
    sessionToken: null,
  };
}

/** R-AUTH-8: where nobody vouches for `sub`, the person is the user name alone. */
function identified(principal: Principal, development: boolean): Principal {
  return development ? { ...principal, subject: principal.assignee } : principal;
}

function expiryOf({ claims }: VerifiedToken): number | null {
  const seconds = claims["exp"];
  return typeof seconds === "number" ? seconds * 1000 : null;
}

async function callerOfSession(session: string, options: ServerOptions): Promise<Caller | Problem> {
  const open = await openSession(options.app, session);
  if (open === null) return unauthenticated("Your session has ended: sign in again");
  return { kind: "session", actor: open.actor, expiresAt: open.expiresAt, sessionToken: session };
}

function unauthenticated(message: string, code: "unauthenticated" | "no_assignee" = "unauthenticated"): Problem {
  return problem(code, message, { headers: { "WWW-Authenticate": "Bearer" } });
}
