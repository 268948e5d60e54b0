/** Who is signed in; signing in where tokens are not verified; signing out (docs/spec/api.md section 4). */
import { z } from "zod";
import { endSession, startSession } from "../../app/session.ts";
import type { Actor } from "../../core/person.ts";
import { isRefusal } from "../../core/refusal.ts";
import { developmentPersonSchema, developmentSessionSchema, meSchema, type Me } from "../../contract/identity.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { clearedSessionCookie, sessionCookie } from "../session-cookie.ts";
import { DEVELOPMENT_ISSUER } from "../token-verification/development-verifier.ts";

const tag = "session";

export function sessionRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/me",
      summary: "Who you are here",
      tag,
      answers: { 200: meSchema },
      handle: ({ caller }) => Promise.resolve(ok(me(caller.actor, options))),
    }),
    endpoint({
      method: "DELETE",
      url: "/session",
      summary: "Sign out",
      tag,
      answers: { 204: z.null() },
      async handle({ caller }) {
        if (caller.sessionToken !== null) await endSession(options.app, caller.sessionToken);
        return { ...NO_CONTENT, headers: { "Set-Cookie": clearedSessionCookie(!options.development) } };
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
      handle: ({ body }) => signIn(options, body),
    }),
  ];
}

async function signIn(options: ServerOptions, body: z.output<typeof developmentSessionSchema>): Promise<Outcome> {
  const assignee = body.assignee.trim();
  const principal = {
    issuer: DEVELOPMENT_ISSUER,
    subject: assignee,
    assignee,
    name: body.name?.trim() ?? null,
    email: null,
    clientId: null,
    machine: false,
    roles: body.roles,
  };
  if (options.ledger.quarantined)
    return problem("quarantined", "The server is in read-only quarantine: nobody can sign in");
  const started = await startSession(options.app, principal, { ttlSeconds: options.limits.sessionSeconds });
  if (isRefusal(started)) return started;
  const cookie = sessionCookie(started.token, options.limits.sessionSeconds, !options.development);
  return { status: 201, body: me(started.actor, options), headers: { "Set-Cookie": cookie } };
}

function me(actor: Actor, { development, ledger }: ServerOptions): Me {
  return {
    person_id: actor.person?.id ?? null,
    assignee: actor.assignee,
    name: actor.displayName === actor.assignee ? null : actor.displayName,
    email: actor.email,
    roles: [...(actor.admin ? (["AWE_ADMIN"] as const) : []), ...(actor.viewer ? (["AWE_VIEWER"] as const) : [])],
    mode: development ? "development" : "production",
    quarantined: ledger.quarantined,
  };
}
