/** Who is signed in; signing in where nobody proves who they are; signing out (docs/spec/identity.md section 3). */
import { z } from "zod";
import { startDevelopmentSession } from "../../app/development-session.ts";
import { signOut } from "../../app/own-sessions.ts";
import { isRefusal } from "../../core/refusal.ts";
import { developmentPersonSchema, developmentSessionSchema, meSchema } from "../../contract/identity.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { endpoint, type Endpoint, type Exchange, type Outcome } from "../endpoint.ts";
import { browserOf, letIn } from "../let-in.ts";
import { problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { clearedCookie } from "../session-cookie.ts";
import { DEVELOPMENT_ISSUER } from "../token-verification/development-verifier.ts";
import { meOut } from "../wire/me-out.ts";

const tag = "session";

export function sessionRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/me",
      summary: "Who you are here",
      tag,
      answers: { 200: meSchema },
      handle: async ({ caller }) => ok(await meOut(caller, options)),
    }),
    endpoint({
      method: "DELETE",
      url: "/session",
      summary: "Sign out",
      tag,
      answers: { 204: z.null() },
      async handle({ caller }) {
        if (caller.session !== null) await signOut(caller.app, caller.session);
        return { ...NO_CONTENT, headers: { "Set-Cookie": clearedCookie("cs_session", options.browser) } };
      },
    }),
    ...(options.development ? developmentRoutes(options) : []),
  ];
}

function developmentRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/dev/people",
      summary: "People to try things out as (development mode)",
      tag,
      answers: { 200: z.array(developmentPersonSchema) },
      handle: () =>
        Promise.resolve(
          ok(options.developmentPeople.map(({ assignee, name, roles }) => ({ assignee, name, roles: [...roles] }))),
        ),
    }),
    endpoint({
      method: "POST",
      url: "/dev/session",
      summary: "Sign in as anybody (development mode)",
      tag,
      body: developmentSessionSchema,
      answers: { 201: meSchema },
      handle: (exchange) => signInAsAnybody(options, exchange),
    }),
  ];
}

async function signInAsAnybody(
  options: ServerOptions,
  exchange: Exchange<unknown, z.output<typeof developmentSessionSchema>>,
): Promise<Outcome> {
  const { assignee: typed, name, roles } = exchange.body;
  const assignee = typed.trim();
  const principal = {
    ...{ issuer: DEVELOPMENT_ISSUER, subject: assignee, assignee, name: name?.trim() ?? null, email: null },
    ...{ clientId: null, machine: false, roles },
  };
  if (options.ledger.quarantined)
    return problem("quarantined", "The server is in read-only quarantine: nobody can sign in");
  const started = await startDevelopmentSession(options.app, { principal, ...browserOf(exchange) });
  if (isRefusal(started)) return started;
  return letIn(options, { token: started.token, session: started.record });
}
