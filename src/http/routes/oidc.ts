/** Signing in with an identity provider, linking another identity, and the provider's logout (docs/spec/identity.md section 3). */
import type { FastifyReply } from "fastify";
import { z } from "zod";
import { finishOidc, type OidcReturned } from "../../app/oidc-callback.ts";
import { endProviderSessions } from "../../app/oidc-logout.ts";
import { LOGIN_SECONDS, startOidc, type OidcStart } from "../../app/oidc-start.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import { logoutTokenSchema, oidcStartedSchema, startOidcSchema } from "../../contract/identity-providers.ts";
import { Unavailable } from "../../ports/unavailable.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint, type Outcome, type PageEndpoint, type RawExchange } from "../endpoint.ts";
import { browserOf, cookieIn, formerSession, tooManySignIns } from "../let-in.ts";
import { pathText } from "../path-values.ts";
import type { ServerOptions } from "../server-options.ts";
import { clearedCookie, cookie, cookieName, sessionCookie } from "../session-cookie.ts";

const tag = "sign-in";

/** Of our own API. */
export function oidcRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/auth/oidc/:provider/start",
      summary: "Begin to sign in with an identity provider",
      tag,
      body: startOidcSchema,
      answers: { 201: oidcStartedSchema },
      async handle(exchange) {
        const tooMany = await tooManySignIns(options.app, exchange);
        if (tooMany !== null) return tooMany;
        const { params, body } = exchange;
        return started(options, {
          ...{ providerId: pathText(params, "provider"), returnTo: body.return_to ?? null, link: null },
        });
      },
    }),
    endpoint({
      method: "POST",
      url: "/me/identities/:provider/start",
      summary: "Begin to link another identity to yourself",
      tag,
      body: startOidcSchema,
      answers: { 201: oidcStartedSchema },
      handle({ params, body, caller: { actor, session } }) {
        const person = actor.person;
        const link = person === null || session === null ? null : { personId: person.id, sessionId: session.id };
        if (link === null) throw new Error("only a person's session links identities (this is a bug)");
        return started(options, {
          ...{ providerId: pathText(params, "provider"), returnTo: body.return_to ?? null, link },
        });
      },
    }),
  ];
}

/** At the root: the addresses that providers call or send browsers to. */
export function oidcPages(options: ServerOptions): readonly (Endpoint | PageEndpoint)[] {
  return [
    callbackPage(options, "/auth/oidc/:provider/callback"),
    callbackPage(options, "/oidc/callback"),
    callbackPage(options, "/auth/web/callback"),
    endpoint({
      method: "POST",
      url: "/auth/oidc/:provider/backchannel-logout",
      summary: "An identity provider ends its sessions here",
      tag,
      form: true,
      body: logoutTokenSchema,
      answers: { 200: z.object({ ended: z.int() }) },
      async handle({ params, body }) {
        const answer = await endProviderSessions(options.app, pathText(params, "provider"), body.logout_token);
        return isRefusal(answer) ? answer : ok({ ended: answer.ended });
      },
    }),
  ];
}

async function started(options: ServerOptions, asked: OidcStart): Promise<Outcome> {
  const answer = await startOidc(options.app, asked);
  if (isRefusal(answer)) return answer;
  const login = cookie("cs_login", answer.cookie, LOGIN_SECONDS, options.browser);
  return { status: 201, body: { url: answer.url }, headers: { "Set-Cookie": login } };
}

function callbackPage(options: ServerOptions, url: string): PageEndpoint {
  return {
    method: "GET",
    url,
    described: null,
    async open(exchange, reply) {
      leave(options, reply, await returned(options, exchange));
      return undefined;
    },
  };
}

/** Whatever goes wrong is shown by the sign-in page: a person, not a program, looks at the answer. */
async function returned(options: ServerOptions, exchange: RawExchange): Promise<OidcReturned | string> {
  const { path, query } = parts(exchange.url);
  try {
    const answer: OidcReturned | Refusal = await finishOidc(options.app, {
      ...{ path, query, ...browserOf(exchange) },
      cookie: cookieIn(exchange, cookieName("cs_login", options.browser)),
      sessionToken: formerSession(exchange, options),
    });
    return isRefusal(answer) ? answer.refusal : answer;
  } catch (error) {
    if (error instanceof Unavailable) return error.code;
    throw error;
  }
}

function parts(url: string): { readonly path: string; readonly query: string } {
  const at = url.indexOf("?");
  return at < 0 ? { path: url, query: "" } : { path: url.slice(0, at), query: url.slice(at + 1) };
}

/** The login cookie has served, whatever came of it. */
function leave(options: ServerOptions, reply: FastifyReply, outcome: OidcReturned | string): void {
  const spent = clearedCookie("cs_login", options.browser);
  if (typeof outcome === "string") {
    reply.header("Set-Cookie", spent).redirect(`/app/sign-in?refused=${encodeURIComponent(outcome)}`, 303);
    return;
  }
  const { signedIn, returnTo } = outcome;
  const session =
    signedIn === null ? [] : [sessionCookie(signedIn.token, signedIn.session, options.browser, options.app.clock())];
  reply.header("Set-Cookie", [spent, ...session]).redirect(returnTo, 303);
}
