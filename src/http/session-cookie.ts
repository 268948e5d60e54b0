/** The console's session cookie, and the proof that a write comes from the console's own pages (docs/spec/api.md R-BROWSER-1, R-BROWSER-2). */
import type { FastifyRequest } from "fastify";
import { problem, type Problem } from "./problem.ts";

export const SESSION_COOKIE = "countersign_session";

export function sessionCookie(token: string, lifeSeconds: number, secure: boolean): string {
  return `${SESSION_COOKIE}=${token}; Max-Age=${String(lifeSeconds)}; ${attributes(secure)}`;
}

export function clearedSessionCookie(secure: boolean): string {
  return `${SESSION_COOKIE}=; Max-Age=0; ${attributes(secure)}`;
}

/** Not readable by scripts, not sent by other sites' forms. */
function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}

const FOREIGN = problem("csrf_invalid", "A browser session may write only from this server's own pages");

/**
 * A browser says where a call comes from, and a page cannot forge it. Whatever says nothing must at least send a header
 * that no foreign page can send without asking first.
 */
export function foreignWrite(request: FastifyRequest): Problem | null {
  const { "sec-fetch-site": site, origin, host, "x-requested-with": requestedWith } = request.headers;
  if (site !== undefined) return site === "same-origin" ? null : FOREIGN;
  if (origin !== undefined) return isOwnOrigin(origin, host) ? null : FOREIGN;
  return requestedWith === "countersign" ? null : FOREIGN;
}

/** Signing in has no session to abuse yet, but must not be done from another site either. */
export function foreignSignIn(request: FastifyRequest): Problem | null {
  const { "sec-fetch-site": site, origin } = request.headers;
  return site === undefined && origin === undefined ? null : foreignWrite(request);
}

/** Ports that go without saying are left out on both sides. */
function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: theirs } = new URL(origin);
  const ours = `${protocol}//${host}`;
  return URL.canParse(ours) && new URL(ours).host === theirs;
}
