/** The console's cookies, and the proof that a write comes from the console's own pages (docs/spec/identity.md R-SESS-1, R-SESS-5). */
import { timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { SessionRecord } from "../ports/identity-records.ts";
import { problem, type Problem } from "./problem.ts";

/** What cookies and origins depend on. */
export interface BrowserSettings {
  /** Where people reach this installation: scheme, host and port. */
  readonly origin: string;
  /** base64url of the HMAC that a page of ours sends with each write. */
  readonly csrfToken: (sessionId: string) => string;
}

type CookieName = "cs_session" | "cs_login" | "cs_device";

/** Over TLS the name itself promises that no other host or path set the cookie; plain HTTP is for this machine alone. */
export function cookieName(name: CookieName, { origin }: BrowserSettings): string {
  return origin.startsWith("https:") ? `__Host-${name}` : name;
}

export function cookie(name: CookieName, value: string, lifeSeconds: number, settings: BrowserSettings): string {
  const secure = settings.origin.startsWith("https:") ? "; Secure" : "";
  const life = `Max-Age=${String(lifeSeconds)}`;
  return `${cookieName(name, settings)}=${value}; ${life}; Path=/; HttpOnly; SameSite=Lax${secure}`;
}

export function clearedCookie(name: CookieName, settings: BrowserSettings): string {
  return cookie(name, "", 0, settings);
}

export function sessionCookieName(options: { readonly browser: BrowserSettings }): string {
  return cookieName("cs_session", options.browser);
}

export function sessionCookie(token: string, session: SessionRecord, settings: BrowserSettings, now: number): string {
  return cookie("cs_session", token, Math.max(1, Math.floor((session.expiresAt - now) / 1_000)), settings);
}

const FOREIGN = problem("csrf_invalid", "A browser session may write only from this server's own pages");

/** A browser says where a call comes from; only a page of ours knows the session's token. */
export function foreignWrite(
  request: FastifyRequest,
  { session }: { readonly session: SessionRecord | null },
  { browser }: { readonly browser: BrowserSettings },
): Problem | null {
  // Browsers name the page's origin with every write; what does not is no page of ours.
  if (request.headers.origin === undefined || comesFromElsewhere(request, browser)) return FOREIGN;
  const sent = request.headers["x-csrf-token"];
  if (session === null || typeof sent !== "string") return FOREIGN;
  return isSame(sent, browser.csrfToken(session.id)) ? null : FOREIGN;
}

/** Signing in has no session to abuse yet, but must not be done from another site either. */
export function foreignSignIn(
  request: FastifyRequest,
  { browser }: { readonly browser: BrowserSettings },
): Problem | null {
  return comesFromElsewhere(request, browser) ? FOREIGN : null;
}

function comesFromElsewhere({ headers }: FastifyRequest, { origin: own }: BrowserSettings): boolean {
  const { "sec-fetch-site": site, origin, host } = headers;
  if (site !== undefined && site !== "same-origin") return true;
  return origin !== undefined && !isOwnOrigin(origin, own, host);
}

/** On this machine the server answers under several names and ports: there the page's own host is the origin. */
function isOwnOrigin(origin: string, own: string, host: string | undefined): boolean {
  if (origin === own) return true;
  return isLoopbackOrigin(own) && isLoopbackOrigin(origin) && origin === `http://${host ?? ""}`;
}

function isLoopbackOrigin(origin: string): boolean {
  return /^http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(origin);
}

function isSame(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
