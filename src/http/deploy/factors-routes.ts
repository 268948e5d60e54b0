/** Enrolling, verifying and changing one's own factors in the deploy gate's words (docs/spec/deploy.md 11.2, R-MFA-1 to R-MFA-3). */
import { z } from "zod";
import { backupCodesLeft, confirmBackupCodes, offerBackupCodes } from "../../app/backup-codes.ts";
import { newestCeremony } from "../../app/deploy/own-ceremony.ts";
import type { Enrolled } from "../../app/enrol-factor.ts";
import { enrolPasskey, offerPasskeyEnrolment } from "../../app/enrol-passkey.ts";
import { enrolTotp, offerTotp } from "../../app/enrol-totp.ts";
import { noSuchFactor, ownFactors, removeFactor, renameFactor } from "../../app/factor-change.ts";
import type { Prover } from "../../app/factor-throttle.ts";
import { preferMethod } from "../../app/factor-preference.ts";
import { ownDevices, revokeOwnDevice, trustDevice } from "../../app/trusted-device.ts";
import {
  backupCodesOutSchema,
  changeMethodSchema,
  confirmTotpSchema,
  confirmWebauthnSchema,
  deployMfaStatusSchema,
  enrolledMethodSchema,
  preferMethodSchema,
  totpStartedSchema,
  webauthnStartedSchema,
} from "../../contract/deploy-mfa.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { browserFamily } from "../browser-family.ts";
import { endpoint, type Endpoint, type Outcome, type RawExchange, type Reply } from "../endpoint.ts";
import { enrolmentFault, proverOf, UNCACHED } from "../own-prover.ts";
import { pathText } from "../path-values.ts";
import { problem } from "../problem.ts";
import type { ServerOptions } from "../server-options.ts";
import { cookie, sessionCookie } from "../session-cookie.ts";
import { deviceFault } from "./trusting-apart.ts";
import { isCliCapable, mfaStatusOut } from "./mfa-status.ts";
import { numericId, withNumber } from "../../app/deploy/numeric-id.ts";

const tag = "deploy";

export function deployFactorRoutes(options: ServerOptions): readonly Endpoint[] {
  return [
    status(),
    ...authenticators(options),
    ...passkeys(options),
    ...methods(),
    preferring(),
    codes(),
    trusting(options),
    device(),
  ];
}

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

function status(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/auth/mfa/status", summary: "Your factors, and whether you proved one lately", tag },
    answers: { 200: deployMfaStatusSchema },
    handle: ({ caller }) => own(caller, async ({ personId }) => ok(await mfaStatusOut(caller, personId))),
  });
}

/** Codes for somebody who has none that count; those that do stay good until others are confirmed (D38). */
async function firstCodes({ app }: Authorized, who: Prover): Promise<readonly string[]> {
  if ((await backupCodesLeft(app, who.personId)) !== null) return [];
  return (await offerBackupCodes(app, who)).codes;
}

/** Codes that were shown when the enrolment began count once it is confirmed. */
async function confirmFirstCodes({ app }: Authorized, who: Prover): Promise<void> {
  if ((await backupCodesLeft(app, who.personId)) !== null) return;
  const offered = await newestCeremony(app, who, "backup_codes");
  if (offered !== null) await confirmBackupCodes(app, who, offered);
}

function authenticators(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/enroll/totp/start", summary: "Begin to enrol an authenticator", tag },
      answers: { 200: totpStartedSchema },
      handle: (exchange) =>
        enrolling(exchange, async (who) => {
          const { caller } = exchange;
          const offered = await offerTotp(caller.app, who);
          if (isRefusal(offered)) return offered;
          const backupCodes = [...(await firstCodes(caller, who))];
          const { ceremony, secret, uri } = offered;
          const body = { method_id: numericId(ceremony), secret, uri, backup_codes: backupCodes };
          return { ...ok(body), headers: UNCACHED };
        }),
    }),
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/enroll/totp/confirm", summary: "Confirm it with a code that it shows", tag },
      body: confirmTotpSchema,
      answers: { 200: deployMfaStatusSchema },
      handle: ({ caller, body }) =>
        own(caller, async (who) => {
          const asked = deviceFault(body);
          if (asked !== null) return asked;
          const ceremony = await newestCeremony(caller.app, who, "enrol_totp", body.method_id);
          if (ceremony === null) return enrolmentOver();
          const answer = { ceremony, code: body.code, name: nameOf(body.label, "Authenticator") };
          const enrolled = await enrolTotp(caller.app, who, { ...answer, inEnrolment: isEnrolling(caller) });
          return confirmed(enrolled, { caller, who, options }, ({ renewed }) => {
            const { app, permissions } = caller;
            const now = { app, permissions, enrolled: true, session: renewed?.session ?? caller.session };
            return mfaStatusOut(now, who.personId);
          });
        }),
    }),
  ];
}

function passkeys(options: ServerOptions): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/enroll/webauthn/start", summary: "Begin to enrol a passkey", tag },
      answers: { 200: webauthnStartedSchema },
      handle: (exchange) =>
        enrolling(exchange, async (who) => {
          const { caller } = exchange;
          const offered = await offerPasskeyEnrolment(caller.app, who);
          if (isRefusal(offered)) return offered;
          const backupCodes = [...(await firstCodes(caller, who))];
          const { ceremony, options: publicKey } = offered;
          // Browsers of the older pages read the options below `publicKey`.
          const body = { method_id: numericId(ceremony), public_key_options: { publicKey }, backup_codes: backupCodes };
          return { ...ok(body), headers: UNCACHED };
        }),
    }),
    endpoint({
      ...{ method: "POST", url: "/auth/mfa/enroll/webauthn/confirm", summary: "Enrol the passkey that was made", tag },
      body: confirmWebauthnSchema,
      answers: { 200: enrolledMethodSchema },
      handle: ({ caller, body }) =>
        own(caller, async (who) => {
          const ceremony = await newestCeremony(caller.app, who, "enrol_passkey", body.method_id);
          if (ceremony === null) return enrolmentOver();
          const answer = { ceremony, response: body.credential, name: nameOf(body.label, "Passkey") };
          const enrolled = await enrolPasskey(caller.app, who, { ...answer, inEnrolment: isEnrolling(caller) });
          return confirmed(enrolled, { caller, who, options }, ({ factor }) =>
            Promise.resolve({ status: "confirmed", method_id: numericId(factor.id) }),
          );
        }),
    }),
  ];
}

function nameOf(label: string | null | undefined, otherwise: string): string {
  const name = (label ?? "").replaceAll(/\p{Cc}/gu, " ").trim();
  return name === "" ? otherwise : name;
}

function isEnrolling({ session }: Authorized): boolean {
  return session?.kind === "enrolment";
}

function enrolmentOver(): Refusal {
  return refuse("not_found", "this enrolment was confirmed before, or its time is over: begin again");
}

interface Confirming {
  readonly caller: Authorized;
  readonly who: Prover;
  readonly options: ServerOptions;
}

async function confirmed(
  enrolled: Enrolled | Refusal,
  { caller, who, options: { browser } }: Confirming,
  bodyOf: (enrolled: Enrolled) => Promise<Reply["body"]>,
): Promise<Outcome> {
  if (isRefusal(enrolled)) return enrolled;
  await confirmFirstCodes(caller, who);
  const { renewed } = enrolled;
  const answer = ok(await bodyOf(enrolled));
  if (renewed === null) return answer;
  const cookie = sessionCookie(renewed.token, renewed.session, browser, caller.app.clock());
  return { ...answer, headers: { "Set-Cookie": cookie } };
}

function methods(): readonly Endpoint[] {
  return [
    endpoint({
      ...{ method: "PUT", url: "/auth/mfa/methods/:id", summary: "Rename a factor", tag },
      body: changeMethodSchema,
      answers: { 200: deployMfaStatusSchema },
      handle: ({ caller, body, params }) =>
        own(caller, async (who) => {
          const factor = withNumber(await ownFactors(caller.app, who.personId), pathText(params, "id"));
          if (factor === undefined) return noSuchFactor();
          if ((body.cli_capable ?? isCliCapable(factor)) !== isCliCapable(factor)) {
            return problem("invalid_input", "cli_capable follows from the kind of factor and is not set");
          }
          const about = { id: factor.id, name: nameOf(body.label, factor.name) };
          const renamed = await renameFactor(caller.app, who, about);
          return isRefusal(renamed) ? renamed : ok(await mfaStatusOut(caller, who.personId));
        }),
    }),
    endpoint({
      ...{ method: "DELETE", url: "/auth/mfa/methods/:id", summary: "Remove a factor; the last one stays", tag },
      answers: { 204: z.null() },
      handle: ({ caller, params }) =>
        own(caller, async (who) => {
          const factor = withNumber(await ownFactors(caller.app, who.personId), pathText(params, "id"));
          if (factor === undefined) return noSuchFactor();
          return (await removeFactor(caller.app, who, factor.id)) ?? NO_CONTENT;
        }),
    }),
  ];
}

function preferring(): Endpoint {
  return endpoint({
    ...{ method: "PUT", url: "/auth/mfa/preferred-method", summary: "Which factor to ask you for first", tag },
    body: preferMethodSchema,
    answers: { 200: deployMfaStatusSchema },
    handle: ({ caller, body }) =>
      own(caller, async (who) => {
        await preferMethod(caller.app, who, body.preferred_method);
        return ok(await mfaStatusOut(caller, who.personId));
      }),
  });
}

const DAY_SECONDS = 86_400;

function trusting({ browser }: ServerOptions): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/auth/mfa/trusted-devices/trust", summary: "Trust this browser at sign-in", tag },
    answers: { 200: deployMfaStatusSchema },
    handle: ({ caller }) =>
      own(caller, async ({ personId }) => {
        const { app, client } = caller;
        const token = await trustDevice(app, personId, browserFamily(client.userAgent));
        const given = cookie("cs_device", token, app.identity.trustedDeviceDays * DAY_SECONDS, browser);
        return { ...ok(await mfaStatusOut(caller, personId)), headers: { "Set-Cookie": given } };
      }),
  });
}

/** Nothing here says that codes are stored: the earlier ones stay good until one of the new ones is used (D38, identity R-FACT-5). */
function codes(): Endpoint {
  return endpoint({
    ...{
      method: "POST",
      url: "/auth/mfa/backup-codes/regenerate",
      summary: "New backup codes; the old ones end with the first use of a new one",
      tag,
    },
    answers: { 200: backupCodesOutSchema },
    handle: ({ caller }) =>
      own(caller, async (who) => {
        const { app } = caller;
        const isFirst = (await backupCodesLeft(app, who.personId)) === null;
        const offered = await offerBackupCodes(app, who, isFirst ? "word" : "use");
        const refused = isFirst ? await confirmBackupCodes(app, who, offered.ceremony) : null;
        return refused ?? { ...ok({ backup_codes: [...offered.codes] }), headers: UNCACHED };
      }),
  });
}

function device(): Endpoint {
  return endpoint({
    ...{ method: "DELETE", url: "/auth/mfa/trusted-devices/:id", summary: "Trust a browser no longer", tag },
    answers: { 204: z.null() },
    handle: ({ caller, params }) =>
      own(caller, async ({ personId }) => {
        const trusted = withNumber(await ownDevices(caller.app, personId), pathText(params, "id"));
        if (trusted === undefined) return refuse("not_found", "trusted device not found");
        return (await revokeOwnDevice(caller.app, personId, trusted.id)) ?? NO_CONTENT;
      }),
  });
}
