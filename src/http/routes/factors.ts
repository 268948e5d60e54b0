/** One's own factors: which there are, enrolling, changing and removing them (docs/spec/identity.md section 4). */
import { z } from "zod";
import { backupCodesLeft, confirmBackupCodes, offerBackupCodes } from "../../app/backup-codes.ts";
import type { Enrolled } from "../../app/enrol-factor.ts";
import { enrolPasskey, offerPasskeyEnrolment } from "../../app/enrol-passkey.ts";
import { setPassword } from "../../app/enrol-password.ts";
import { enrolTotp, offerTotp } from "../../app/enrol-totp.ts";
import { ownFactors, removeFactor, renameFactor, noSuchFactor } from "../../app/factor-change.ts";
import type { Prover } from "../../app/factor-throttle.ts";
import { openSession } from "../../app/open-session.ts";
import { isId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import {
  backupCodesSchema,
  confirmBackupCodesSchema,
  enrolledSchema,
  enrolPasskeySchema,
  enrolTotpSchema,
  factorSchema,
  factorsSchema,
  passkeyOptionsSchema,
  renameFactorSchema,
  setPasswordSchema,
  totpOptionsSchema,
} from "../../contract/factors.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import { recordsBy } from "../../ports/records.ts";
import { created, NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange, type Reply } from "../endpoint.ts";
import { enrolmentFault, proverOf, UNCACHED } from "../own-prover.ts";
import { pathText } from "../path-values.ts";
import type { ServerOptions } from "../server-options.ts";
import { sessionCookie } from "../session-cookie.ts";
import { factorOut } from "../wire/factor-out.ts";
import { meOut } from "../wire/me-out.ts";

const tag = "self";

export function factorRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    listing(),
    ...passkeys(options),
    ...authenticators(options),
    ...backupCodes(),
    ...changes(),
    password(options),
  ];
}

/** The handler of a person's own thing. */
async function own(caller: Authorized, handle: (who: Prover) => Promise<Outcome>): Promise<Outcome> {
  const who = proverOf(caller);
  return isRefusal(who) ? who : handle(who);
}

/** The same where an existing factor must be proven first. */
function enrolling(
  exchange: Pick<RawExchange, "caller" | "route">,
  handle: (who: Prover) => Promise<Outcome>,
): Promise<Outcome> {
  return own(exchange.caller, async (who) => (await enrolmentFault(exchange, who)) ?? handle(who));
}

function secretly(body: JsonObject): Reply {
  return { ...created(body), headers: UNCACHED };
}

function listing(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/me/factors",
    summary: "Your passkeys and authenticators, and how many backup codes are left",
    tag,
    answers: { 200: factorsSchema },
    handle: ({ caller }) =>
      own(caller, async ({ personId }) => {
        const { app } = caller;
        const [factors, codes, [kept]] = await Promise.all([
          ownFactors(app, personId),
          backupCodesLeft(app, personId),
          app.reader.records(recordsBy("password", "personId", [personId])),
        ]);
        return ok({
          factors: factors.map(factorOut),
          backup_codes: codes === null ? null : { remaining: codes.remaining, created_at: wireTime(codes.createdAt) },
          password_changed_at: wireTimeOrNull(kept?.changedAt ?? null),
        });
      }),
  });
}

function passkeys(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/me/factors/passkey/options",
      summary: "Begin to enrol a passkey",
      tag,
      answers: { 201: passkeyOptionsSchema },
      handle: (exchange) =>
        enrolling(exchange, async (who) => {
          const offered = await offerPasskeyEnrolment(exchange.caller.app, who);
          return isRefusal(offered) ? offered : secretly({ ...offered });
        }),
    }),
    endpoint({
      method: "POST",
      url: "/me/factors/passkey",
      summary: "Enrol the passkey that the browser made",
      tag,
      body: enrolPasskeySchema,
      answers: { 201: enrolledSchema },
      handle: ({ caller, body }) =>
        own(caller, async (who) => {
          const { ceremony, response, name } = body;
          const answer = { ceremony, response, name: name.trim(), inEnrolment: isEnrolling(caller) };
          return enrolled(await enrolPasskey(caller.app, who, answer), caller, options);
        }),
    }),
  ];
}

function authenticators(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/me/factors/totp/options",
      summary: "Begin to enrol an authenticator: a secret to scan",
      tag,
      answers: { 201: totpOptionsSchema },
      handle: (exchange) =>
        enrolling(exchange, async (who) => {
          const offered = await offerTotp(exchange.caller.app, who);
          return isRefusal(offered) ? offered : secretly({ ...offered });
        }),
    }),
    endpoint({
      method: "POST",
      url: "/me/factors/totp",
      summary: "Confirm the authenticator with a code that it shows",
      tag,
      body: enrolTotpSchema,
      answers: { 201: enrolledSchema },
      handle: ({ caller, body }) =>
        own(caller, async (who) => {
          const answer = { ...body, name: body.name.trim(), inEnrolment: isEnrolling(caller) };
          return enrolled(await enrolTotp(caller.app, who, answer), caller, options);
        }),
    }),
  ];
}

function isEnrolling({ session }: Authorized): boolean {
  return session?.kind === "enrolment";
}

async function enrolled(
  answer: Enrolled | Refusal,
  { app }: Authorized,
  options: ServerOptions,
): Promise<Reply | Refusal> {
  if (isRefusal(answer)) return answer;
  const factor = factorOut(answer.factor);
  if (answer.renewed === null) return created({ ...factor });
  const open = await openSession(app, answer.renewed.token);
  if (isRefusal(open)) return open;
  const me = await meOut({ kind: "web_session", app, ...open }, options);
  return { ...created({ ...factor, me }), headers: renewedCookie(answer.renewed, app, options) };
}

function renewedCookie(
  { token, session }: NonNullable<Enrolled["renewed"]>,
  app: Authorized["app"],
  { browser }: ServerOptions,
): NonNullable<Reply["headers"]> {
  return { "Set-Cookie": sessionCookie(token, session, browser, app.clock()) };
}

function backupCodes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "POST",
      url: "/me/backup-codes",
      summary: "Ten new backup codes, shown once; they count when they are confirmed",
      tag,
      answers: { 201: backupCodesSchema },
      handle: (exchange) =>
        enrolling(exchange, async (who) => {
          const { ceremony, codes } = await offerBackupCodes(exchange.caller.app, who);
          return secretly({ ceremony, codes: [...codes] });
        }),
    }),
    endpoint({
      method: "POST",
      url: "/me/backup-codes/confirm",
      summary: "Say that the new backup codes are stored: from here on they count, and the old ones do not",
      tag,
      body: confirmBackupCodesSchema,
      answers: { 204: z.null() },
      handle: ({ caller, body }) =>
        own(caller, async (who) => (await confirmBackupCodes(caller.app, who, body.ceremony)) ?? NO_CONTENT),
    }),
  ];
}

function changes(): readonly Endpoint[] {
  return [
    endpoint({
      method: "PATCH",
      url: "/me/factors/:id",
      summary: "Rename a factor",
      tag,
      body: renameFactorSchema,
      answers: { 200: factorSchema },
      handle: ({ caller, body, params }) =>
        own(caller, async (who) => {
          const id = factorIdIn(params);
          if (id === null) return noSuchFactor();
          const renamed = await renameFactor(caller.app, who, { id, name: body.name.trim() });
          return isRefusal(renamed) ? renamed : ok({ ...factorOut(renamed) });
        }),
    }),
    endpoint({
      method: "DELETE",
      url: "/me/factors/:id",
      summary: "Remove a factor",
      tag,
      answers: { 204: z.null() },
      handle: ({ caller, params }) =>
        own(caller, async (who) => {
          const id = factorIdIn(params);
          return id === null ? noSuchFactor() : ((await removeFactor(caller.app, who, id)) ?? NO_CONTENT);
        }),
    }),
  ];
}

/** What cannot be an id names nothing. */
function factorIdIn(params: RawExchange["params"]): string | null {
  const id = pathText(params, "id").toLowerCase();
  return isId(id) ? id : null;
}

function password(options: ServerOptions): Endpoint {
  return endpoint({
    method: "PUT",
    url: "/me/password",
    summary: "Set or change your password; your other sessions end",
    tag,
    body: setPasswordSchema,
    answers: { 204: z.null() },
    handle: (exchange) =>
      enrolling(exchange, async (who) => {
        const { app } = exchange.caller;
        const given = { password: exchange.body.password, inEnrolment: isEnrolling(exchange.caller) };
        const set = await setPassword(app, who, given);
        if (isRefusal(set)) return set;
        return set.renewed === null ? NO_CONTENT : { ...NO_CONTENT, headers: renewedCookie(set.renewed, app, options) };
      }),
  });
}
