/** Signing in without an identity provider, and the one-time links that lead there (docs/spec/identity.md section 3). */
import type { z } from "zod";
import { acceptInvitation } from "../../app/accept-invitation.ts";
import { firstRun, type EnrolmentOpened } from "../../app/first-run.ts";
import { requiresProvider } from "../../app/local-sign-in.ts";
import { recoverAccount } from "../../app/recover-account.ts";
import { needsSetup } from "../../app/setup-link.ts";
import { offerPasskeys, signInWithPasskey } from "../../app/sign-in-passkey.ts";
import { signInWithPassword } from "../../app/sign-in-password.ts";
import { organizationsOf } from "../../app/who-am-i.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import {
  acceptInvitationSchema,
  authOptionsSchema,
  ceremonyOptionsSchema,
  passkeySignInSchema,
  passwordSignInSchema,
  recoverSchema,
  setupSchema,
  type AuthOptions,
} from "../../contract/auth.ts";
import { meSchema } from "../../contract/identity.ts";
import { recordsBy } from "../../ports/records.ts";
import { created, ok } from "../answers.ts";
import { browserFamily } from "../browser-family.ts";
import { networkOf } from "../client-network.ts";
import { endpoint, type Endpoint, type Exchange, type Outcome } from "../endpoint.ts";
import { browserOf, cookieIn, formerSession, letIn, tooManyQuestions, tooManySignIns } from "../let-in.ts";
import { problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { cookie, cookieName } from "../session-cookie.ts";

const tag = "sign-in";
const DAY_SECONDS = 86_400;

export function authRoutes(options: ServerOptions): readonly Endpoint[] {
  return [whatIsPossible(options), ...linkRoutes(options), ...passkeyRoutes(options), passwordRoute(options)];
}

function whatIsPossible(options: ServerOptions): Endpoint {
  return endpoint({
    method: "GET",
    url: "/auth/options",
    summary: "How one can sign in here",
    tag,
    answers: { 200: authOptionsSchema },
    handle: async () => ok(await signInOptions(options)),
  });
}

async function signInOptions({ app, development }: ServerOptions): Promise<AuthOptions> {
  const [isNew, [organization], providers, isClosed] = await Promise.all([
    needsSetup(app),
    organizationsOf(app),
    app.reader.records(recordsBy("identityProvider", "orgId", [app.orgId])),
    requiresProvider(app),
  ]);
  const offered = providers.filter(({ enabled, deletedAt }) => enabled && deletedAt === null);
  return {
    mode: development ? "development" : "production",
    setup_required: isNew && !development,
    organization: isNew ? null : (organization?.name ?? null),
    methods: { passkey: !isClosed, password: !isClosed },
    providers: offered.map(({ id, name }) => ({ id, name })),
  };
}

/** Sent by POST alone: nothing that follows links or looks ahead can use a link up (R-LOCAL-5, R-SESS-6). */
function linkRoutes(options: ServerOptions): readonly Endpoint[] {
  const { app } = options;
  return [
    endpoint({
      method: "POST",
      url: "/setup",
      summary: "The first administrator comes in by the setup link",
      tag,
      body: setupSchema,
      answers: { 201: meSchema },
      handle: (exchange) =>
        byLink(options, exchange, () => firstRun(app, { ...exchange.body, ...browserOf(exchange) })),
    }),
    endpoint({
      method: "POST",
      url: "/auth/invitations/accept",
      summary: "Somebody who was invited comes in",
      tag,
      body: acceptInvitationSchema,
      answers: { 201: meSchema },
      handle: (exchange) =>
        byLink(options, exchange, () => {
          const { token, name = null, login = null } = exchange.body;
          return acceptInvitation(app, { token, name, login, ...browserOf(exchange) });
        }),
    }),
    endpoint({
      method: "POST",
      url: "/auth/recover",
      summary: "Somebody comes back by a recovery link",
      tag,
      body: recoverSchema,
      answers: { 201: meSchema },
      handle: (exchange) =>
        byLink(options, exchange, () => recoverAccount(app, { ...exchange.body, ...browserOf(exchange) })),
    }),
  ];
}

async function byLink(
  options: ServerOptions,
  exchange: Pick<Exchange<unknown, unknown>, "caller">,
  open: () => Promise<EnrolmentOpened | Refusal>,
): Promise<Outcome> {
  const closed = whileClosed(options) ?? (await tooManySignIns(options.app, exchange));
  if (closed !== null) return closed;
  const opened = await open();
  return isRefusal(opened) ? opened : letIn(options, opened);
}

function whileClosed({ ledger }: ServerOptions): Outcome | null {
  if (!ledger.quarantined) return null;
  return problem("quarantined", "The server is in read-only quarantine: nobody can sign in");
}

function passkeyRoutes(options: ServerOptions): readonly Endpoint[] {
  const { app } = options;
  return [
    endpoint({
      method: "POST",
      url: "/auth/passkey/options",
      summary: "A challenge for any passkey of this server",
      tag,
      answers: { 201: ceremonyOptionsSchema },
      async handle(exchange) {
        const closed = whileClosed(options) ?? (await tooManyQuestions(app, exchange));
        if (closed !== null) return closed;
        const { ceremony, options: asked } = await offerPasskeys(app);
        return created({ ceremony, options: asked });
      },
    }),
    endpoint({
      method: "POST",
      url: "/auth/passkey",
      summary: "Sign in with a passkey",
      tag,
      body: passkeySignInSchema,
      answers: { 201: meSchema },
      async handle(exchange) {
        const closed = whileClosed(options) ?? (await tooManySignIns(app, exchange));
        if (closed !== null) return closed;
        const about = { ...exchange.body, ...browserOf(exchange), replaces: formerSession(exchange, options) };
        const signedIn = await signInWithPasskey(app, about);
        return isRefusal(signedIn) ? signedIn : letIn(options, signedIn);
      },
    }),
  ];
}

function passwordRoute(options: ServerOptions): Endpoint {
  return endpoint({
    method: "POST",
    url: "/auth/password",
    summary: "Sign in with login, password and a second factor",
    tag,
    body: passwordSignInSchema,
    answers: { 201: meSchema },
    handle: (exchange) => byPassword(options, exchange),
  });
}

type PasswordExchange = Exchange<unknown, z.output<typeof passwordSignInSchema>>;

async function byPassword(options: ServerOptions, exchange: PasswordExchange): Promise<Outcome> {
  const { app, browser } = options;
  const closed = whileClosed(options) ?? (await tooManySignIns(app, exchange));
  if (closed !== null) return closed;
  const { login, password, code = null, remember_device: rememberDevice } = exchange.body;
  const { client } = exchange.caller;
  const signedIn = await signInWithPassword(app, {
    ...{ login, password, code, rememberDevice, ...browserOf(exchange) },
    device: cookieIn(exchange, cookieName("cs_device", browser)),
    browser: browserFamily(client.userAgent),
    network: networkOf(client.address),
    replaces: formerSession(exchange, options),
  });
  if (isRefusal(signedIn)) return signedIn;
  const { deviceToken } = signedIn;
  const life = app.identity.trustedDeviceDays * DAY_SECONDS;
  return letIn(options, signedIn, deviceToken === null ? [] : [cookie("cs_device", deviceToken, life, browser)]);
}
