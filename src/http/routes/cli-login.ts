/** Terminals sign in through the browser of their person (docs/spec/identity.md section 3.1). */
import { createHash } from "node:crypto";
import { z } from "zod";
import { authorizeTerminal, redeemTerminalCode } from "../../app/cli-login.ts";
import {
  authorizeWaiting,
  completePolling,
  POLLING_SECONDS,
  startPolling,
  waitingTerminal,
} from "../../app/cli-login-polling.ts";
import { openSession } from "../../app/open-session.ts";
import type { SignedIn } from "../../app/sign-in.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import {
  authorizeTerminalSchema,
  completePollingSchema,
  pollingCompletedSchema,
  pollingDetailsSchema,
  pollingPendingSchema,
  pollingStartedSchema,
  redeemTerminalSchema,
  terminalAuthorizedSchema,
  terminalSignedInSchema,
  type TerminalSignedIn,
} from "../../contract/auth.ts";
import type { Me } from "../../contract/identity.ts";
import { userCodeFrom, userCodeText } from "../../contract/user-code.ts";
import { wireTime } from "../../contract/wire-time.ts";
import { created, NO_CONTENT, ok } from "../answers.ts";
import { endpoint, type Endpoint, type Exchange, type Outcome, type PageEndpoint } from "../endpoint.ts";
import { browserOf, tooManyQuestions, tooManySignIns } from "../let-in.ts";
import { pathText } from "../path-values.ts";
import { problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { meOut } from "../wire/me-out.ts";

const tag = "sign-in";

export function cliLoginRoutes(options: ServerOptions): readonly Endpoint[] {
  return [authorize(options), redeem(options), ...pollingRoutes(options)];
}

/** Where a terminal sends its person; the page asks them, and changes nothing by being opened (R-SESS-6). */
export function cliLoginPage(): PageEndpoint {
  return {
    method: "GET",
    url: "/auth/cli",
    described: null,
    async open({ url }, reply) {
      const [, query = ""] = url.split("?", 2);
      await reply.redirect(`/app/cli${query === "" ? "" : `?${query}`}`, 302);
      return undefined;
    },
  };
}

const NOBODY: Refusal = refuse("permission_denied", "Only people authorize terminals");

function authorize({ app }: ServerOptions): Endpoint {
  return endpoint({
    method: "POST",
    url: "/auth/cli/authorize",
    summary: "Let a terminal sign in as you",
    tag,
    body: authorizeTerminalSchema,
    answers: { 201: terminalAuthorizedSchema },
    async handle({ caller, body }) {
      const { actor, session } = caller;
      if (actor.person === null || session === null) return NOBODY;
      const { code_challenge: challenge, state, port, client, host } = body;
      const who = { personId: actor.person.id, authorizedBy: session.id };
      const code = await authorizeTerminal(app, { ...who, challenge, client: `${client} on ${host}` });
      if (port === null) return created({ code });
      const query = new URLSearchParams({ code, state });
      return created({ redirect: `http://127.0.0.1:${String(port)}/callback?${query.toString()}` });
    },
  });
}

function redeem(options: ServerOptions): Endpoint {
  const { app } = options;
  return endpoint({
    method: "POST",
    url: "/auth/cli/token",
    summary: "A terminal redeems its code",
    tag,
    body: redeemTerminalSchema,
    answers: { 201: terminalSignedInSchema },
    async handle(exchange) {
      const closed = await tooManySignIns(app, exchange);
      if (closed !== null) return closed;
      const { code, code_verifier: verifier } = exchange.body;
      const signedIn = await redeemTerminalCode(app, { code, verifier, address: exchange.caller.client.address });
      if (isRefusal(signedIn)) return signedIn;
      const answer = await terminalOut(options, signedIn);
      return isRefusal(answer) ? answer : created(answer);
    },
  });
}

async function terminalOut(
  options: ServerOptions,
  { token, session }: SignedIn,
): Promise<(TerminalSignedIn & { readonly me: Me }) | Refusal> {
  const app = options.app.forOrganization(session.orgId);
  const open = await openSession(app, token);
  if (isRefusal(open)) return open;
  const me = await meOut({ kind: "cli_session", app, ...open }, options);
  return { token, expires_at: wireTime(session.expiresAt), me };
}

/** The older pair of calls, and what the page asks between them. */
export function pollingRoutes(options: ServerOptions): readonly Endpoint[] {
  const { app } = options;
  return [
    endpoint({
      method: "POST",
      url: "/auth/cli/start",
      summary: "A terminal of the older kind begins to wait for its person",
      tag,
      answers: { 200: pollingStartedSchema },
      async handle(exchange) {
        const closed = whilePollingIsOff(options) ?? (await tooManySignIns(app, exchange));
        return closed ?? ok(await startOut(options, exchange));
      },
    }),
    endpoint({
      method: "POST",
      url: "/auth/cli/complete",
      summary: "Has its person authorized the terminal?",
      tag,
      body: completePollingSchema,
      answers: { 200: pollingCompletedSchema, 202: pollingPendingSchema },
      async handle(exchange) {
        const closed = whilePollingIsOff(options) ?? (await tooManyQuestions(app, exchange));
        return closed ?? (await completeOut(options, exchange));
      },
    }),
    endpoint({
      method: "GET",
      url: "/auth/cli/waiting/:state",
      summary: "The terminal that waits for you",
      tag,
      answers: { 200: pollingDetailsSchema },
      async handle({ caller, params }) {
        const terminal = await waitingTerminal(app, pathText(params, "state"));
        if (isRefusal(terminal)) return terminal;
        const { address, client, challenge, startedAt } = terminal;
        return ok({
          ...{ user_code: userCode(challenge), address, client, started_at: wireTime(startedAt) },
          same_address: address === caller.client.address,
        });
      },
    }),
    endpoint({
      method: "POST",
      url: "/auth/cli/waiting/:state",
      summary: "Let the terminal that waits sign in as you",
      tag,
      answers: { 204: z.null() },
      async handle({ caller, params }) {
        const closed = whilePollingIsOff(options);
        const { actor, session, client } = caller;
        if (closed !== null || actor.person === null || session === null) return closed ?? NOBODY;
        const who = { personId: actor.person.id, authorizedBy: session.id };
        const about = { ...who, state: pathText(params, "state"), address: client.address };
        return (await authorizeWaiting(app, about)) ?? NO_CONTENT;
      },
    }),
  ];
}

function whilePollingIsOff({ cliPolling }: ServerOptions): Outcome | null {
  if (cliPolling !== "off") return null;
  return problem("cli_polling_disabled", "Terminals sign in with `countersign login` here");
}

async function startOut(
  { app }: ServerOptions,
  exchange: Pick<Exchange<unknown, unknown>, "caller">,
): Promise<z.output<typeof pollingStartedSchema>> {
  const { address } = browserOf(exchange);
  const client = (exchange.caller.client.userAgent ?? "An older terminal").slice(0, 200);
  const { state, verifier, challenge } = await startPolling(app, { address, client });
  return {
    auth_url: `${app.identity.publicUrl}/auth/cli?waiting=${state}`,
    ...{ state, code_verifier: verifier, user_code: userCode(challenge), expires_in: POLLING_SECONDS },
  };
}

async function completeOut(
  options: ServerOptions,
  { body, caller }: Exchange<unknown, z.output<typeof completePollingSchema>>,
): Promise<Outcome> {
  const { state, code_verifier: verifier } = body;
  const completed = await completePolling(options.app, { state, verifier, address: caller.client.address });
  if (completed === "pending") return { status: 202, body: { status: "pending" } };
  if (isRefusal(completed)) return completed;
  const { token, session, enrolled } = completed;
  const out = await terminalOut(options, completed);
  if (isRefusal(out)) return out;
  return ok({
    ...{ token, email: out.me.email, name: out.me.name, expires_at: out.expires_at, session_id: session.id },
    ...{ channel: "cli", device_id: body.device_id ?? null, device_name: body.device_name ?? null },
    ...{ mfa_verified: false, mfa_required: enrolled, enrollment_required: out.me.enrolment_required },
  });
}

function userCode(challenge: string): string {
  return userCodeFrom(createHash("sha256").update(userCodeText(challenge)).digest());
}
