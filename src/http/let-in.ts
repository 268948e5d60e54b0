/**
 * What every sign-in shares at the edge: how often one network may try, what is known about the browser, and the answer that
 * gives it its cookie (docs/spec/identity.md R-SESS-1 and section 10).
 */
import type { Application } from "../app/application.ts";
import { openSession } from "../app/open-session.ts";
import { isRefusal, type Refusal } from "../core/refusal.ts";
import type { RateLimit } from "../ports/records.ts";
import type { SessionRecord } from "../ports/identity-records.ts";
import { browserInWords } from "./browser-family.ts";
import { networkOf } from "./client-network.ts";
import type { RawExchange, Reply } from "./endpoint.ts";
import { problem, type Problem } from "./problem.ts";
import type { ServerOptions } from "./server-options.ts";
import { sessionCookie, sessionCookieName } from "./session-cookie.ts";
import { meOut } from "./wire/me-out.ts";

/** Sign-in, setup, invitation, terminal token: per /24 or /64. */
const SIGN_IN: readonly RateLimit[] = [
  { limit: 10, windowSeconds: 60 },
  { limit: 100, windowSeconds: 3_600 },
];

/** Challenges and questions of terminals that wait: they prove nothing, but each costs a row. */
const ASKING: readonly RateLimit[] = [
  { limit: 60, windowSeconds: 60 },
  { limit: 1_000, windowSeconds: 3_600 },
];

type From = Pick<RawExchange, "caller">;

/** Null while the network may still try; nothing is looked at before. */
export function tooManySignIns(app: Application, exchange: From): Promise<Problem | null> {
  return tooMany(app, exchange, { bucket: "sign_in", limits: SIGN_IN });
}

export function tooManyQuestions(app: Application, exchange: From): Promise<Problem | null> {
  return tooMany(app, exchange, { bucket: "sign_in_asking", limits: ASKING });
}

async function tooMany(
  app: Application,
  { caller }: From,
  { bucket, limits }: { readonly bucket: string; readonly limits: readonly RateLimit[] },
): Promise<Problem | null> {
  const wait = await app.rates.count(bucket, networkOf(caller.client.address), limits, app.clock());
  if (wait === null) return null;
  const headers = { "Retry-After": String(wait) };
  return problem("rate_limited", "Too many attempts from this network: wait and try again", { headers });
}

/** What is remembered of a browser: words for its owner, and its address. */
export function browserOf({ caller: { client } }: From): { readonly client: string; readonly address: string } {
  return { client: browserInWords(client.userAgent), address: client.address };
}

/** The session that the browser still sends: it ends with the new one's beginning (session fixation). */
export function formerSession(exchange: Pick<RawExchange, "header">, options: ServerOptions): string | null {
  return cookieIn(exchange, sessionCookieName(options));
}

/** The value of a cookie that the browser sent. */
export function cookieIn({ header }: Pick<RawExchange, "header">, name: string): string | null {
  const pairs = (header("cookie") ?? "").split(";").map((pair) => pair.trim());
  const value = pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  return value === "" ? null : value;
}

export interface Opened {
  readonly token: string;
  readonly session: SessionRecord;
}

/** 201 with `Me` and the session's cookie. */
export async function letIn(
  options: ServerOptions,
  { token, session }: Opened,
  cookies: readonly string[] = [],
): Promise<Reply | Refusal> {
  const app = options.app.forOrganization(session.orgId);
  const open = await openSession(app, token);
  if (isRefusal(open)) return open;
  const body = await meOut({ kind: "web_session", app, ...open }, options);
  const own = sessionCookie(token, session, options.browser, app.clock());
  return { status: 201, body, headers: { "Set-Cookie": [own, ...cookies] } };
}
