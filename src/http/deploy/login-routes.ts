/**
 * Signing in by the paths that the deploy gate's older clients know: the polling pair of terminals, and the addresses of the
 * browser's sign-in, which lead to the console's own pages (docs/spec/deploy.md 11.2, R-LOGIN-1 to R-LOGIN-3).
 */
import { z } from "zod";
import { numericId } from "../../app/deploy/numeric-id.ts";
import { returnPath } from "../../app/oidc-return-path.ts";
import { signOut } from "../../app/own-sessions.ts";
import { isJsonObject } from "../../core/json.ts";
import { NO_CONTENT } from "../answers.ts";
import { endpoint, isReply, type Endpoint, type PageEndpoint, type Reply } from "../endpoint.ts";
import type { Problem } from "../problem.ts";
import { pollingRoutes } from "../routes/cli-login.ts";
import type { ServerOptions } from "../server-options.ts";
import { clearedCookie } from "../session-cookie.ts";
import { signOutPage } from "./sign-out-page.ts";
import { deployTerminalFactor } from "./terminal-factor-route.ts";

const tag = "deploy";

export function deployLoginRoutes(options: ServerOptions): readonly (Endpoint | PageEndpoint)[] {
  return [
    ...pollingRoutes(options)
      .filter(({ url }) => url === "/auth/cli/start" || url === "/auth/cli/complete")
      .map(withNumericSession),
    logout(options),
    signOutPage(),
    askedWithoutBody(),
    deployTerminalFactor(options),
    ...PAGES.map(([url, to]) => page(url, to)),
  ];
}

/** Older clients read the session's id as a number. */
function withNumericSession(given: Endpoint): Endpoint {
  return { ...given, tag, answer: async (raw) => numbered(await given.answer(raw)) };
}

function numbered(answer: Reply | Problem): Reply | Problem {
  if (!isReply(answer) || !isJsonObject(answer.body)) return answer;
  const { session_id: id } = answer.body;
  return typeof id === "string" ? { ...answer, body: { ...answer.body, session_id: numericId(id) } } : answer;
}

function logout({ browser }: ServerOptions): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/auth/web/logout", summary: "Sign out", tag },
    answers: { 204: z.null() },
    async handle({ caller }) {
      if (caller.session !== null) await signOut(caller.app, caller.session);
      return { ...NO_CONTENT, headers: { "Set-Cookie": clearedCookie("cs_session", browser) } };
    },
  });
}

/** Opening one of them changes nothing: what is to be done is asked on the page (R-SESS-6, D37). */
const PAGES: readonly (readonly [string, (query: URLSearchParams) => string])[] = [
  ["/auth/web/login", signInPage],
  ["/auth/web/callback", (query) => `/auth/web/callback?${query.toString()}`],
  ["/auth/cli/callback", (query) => `/app/cli?${query.toString()}`],
  ["/auth/cli/mfa", (query) => `/app/cli?${query.toString()}`],
];

function signInPage(query: URLSearchParams): string {
  return `/app/sign-in?${new URLSearchParams({ next: returnTo(query).slice("/app".length) }).toString()}`;
}

/** Whoever asks where a link leads, without following it. */
function askedWithoutBody(): Endpoint {
  return endpoint({
    ...{ method: "HEAD", url: "/auth/web/login", summary: "Where signing in begins", tag },
    answers: { 302: z.null() },
    handle({ url }) {
      const [, query = ""] = url.split("?", 2);
      return Promise.resolve({
        ...{ status: 302, body: null, headers: { Location: signInPage(new URLSearchParams(query)) } },
      });
    },
  });
}

/** A path of this installation and nothing else. */
function returnTo(query: URLSearchParams): string {
  return returnPath(query.get("returnTo"));
}

function page(url: string, target: (query: URLSearchParams) => string): PageEndpoint {
  return {
    ...{ method: "GET", url, described: null },
    async open(exchange, reply) {
      const [, query = ""] = exchange.url.split("?", 2);
      await reply.redirect(target(new URLSearchParams(query)), 302);
      return undefined;
    },
  };
}
