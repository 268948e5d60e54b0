/**
 * Who calls the rack proxy? Command-line clients by a header, the console by its session; the first refusal answers. Implements
 * docs/spec/deploy.md R-PROXY-1, R-PROXY-2 and R-PROXY-3 step 2.
 */
import type { FastifyRequest } from "fastify";
import { isProblem, statusOf } from "../problem.ts";
import type { InvalidCredentials } from "../api-rate.ts";
import { authenticate, type Authenticated } from "../credentials.ts";
import type { ServerOptions } from "../server-options.ts";
import { foreignWrite, sessionCookieName } from "../session-cookie.ts";
import type { ProxyExchange } from "./proxy-exchange.ts";
import { notAuthenticated, proxyRefusal, ProxyRefused, refusalOfProblem } from "./proxy-refusal.ts";

/** The original's cookie. */
const FORMER_COOKIE = "session_token";

export interface EntryParts {
  readonly options: ServerOptions;
  readonly invalid: InvalidCredentials;
}

export async function enter(exchange: ProxyExchange, parts: EntryParts): Promise<Authenticated> {
  const { request, address } = exchange;
  const { options, invalid } = parts;
  if (!exchange.isConsole) checkHeader(request, options);
  const credential = request.headers.authorization ?? request.cookies[sessionCookieName(options)] ?? null;
  const wait = credential === null ? null : invalid.wait(address, credential);
  if (wait !== null) {
    const headers = { "Retry-After": String(wait) };
    throw new ProxyRefused(proxyRefusal(429, "rate_limited", "too many attempts - try again later", { headers }));
  }
  const authenticated = await recognized(exchange, parts);
  if (!isProblem(authenticated)) {
    if (credential !== null) invalid.accepted(credential);
    if (exchange.isConsole) checkConsole(exchange, authenticated, options);
    return authenticated;
  }
  if (credential !== null && statusOf(authenticated) === 401) invalid.refused(address, credential);
  throw new ProxyRefused(refusalOfProblem(authenticated));
}

function recognized(exchange: ProxyExchange, { options }: EntryParts): ReturnType<typeof authenticate> {
  const { request, address, userAgent } = exchange;
  return authenticate(request, options, { address, userAgent });
}

/** Texts that the original's clients show (R-PROXY-1). */
function checkHeader({ headers, cookies }: FastifyRequest, options: ServerOptions): void {
  const isCookie = [sessionCookieName(options), FORMER_COOKIE].some((name) => (cookies[name] ?? "") !== "");
  if (isCookie) {
    throw new ProxyRefused(notAuthenticated("browser session cookies are not permitted for CLI routes"));
  }
  const { authorization } = headers;
  if (authorization === undefined || authorization.trim() === "") {
    throw new ProxyRefused(notAuthenticated("CLI authentication required - provide Authorization header"));
  }
  if (!/^(?:bearer|basic) /i.test(authorization)) {
    throw new ProxyRefused(notAuthenticated("invalid authorization type for CLI access"));
  }
}

/** The console's calls come from its own pages, with its own session. */
function checkConsole({ method, request }: ProxyExchange, { caller }: Authenticated, options: ServerOptions): void {
  const foreign = method === "GET" || method === "HEAD" ? null : foreignWrite(request, caller, options);
  if (foreign !== null) throw new ProxyRefused(refusalOfProblem(foreign));
}
