/** Which handler does which kind of effect, from the configuration (docs/spec/effects.md). */
import { createGuardedFetch } from "../adapters/outbound/guarded-fetch.ts";
import { webhookSigningKey } from "../adapters/webhook/sign-webhook.ts";
import { createWebhookSender } from "../adapters/webhook/webhook-sender.ts";
import type { Application } from "../app/application.ts";
import { sendWebhook } from "../app/effects/send-webhook.ts";
import { sendMail } from "../app/effects/send-mail.ts";
import type { EffectSchedule } from "../ports/effects.ts";
import type { Mailer } from "../ports/mailer.ts";
import type { WebhookSender } from "../ports/webhook-sender.ts";
import type { Config } from "./config-schema.ts";
import type { EffectWorks } from "./keep-effects.ts";
import { isMailSent, MAIL_TIMEOUT_MS, mailTransport } from "./mail-transport.ts";
import { productVersion } from "./product-version.ts";

const SECOND = 1_000;

/** Mail that is switched off has no handler; none is decided either. */
export function effectWorks(config: Config, app: Application, sender: WebhookSender): EffectWorks {
  const mail = mailParts(config, app);
  const { awe } = config;
  const { include_data: includeData, timeout_seconds: seconds } = awe.webhook;
  return {
    webhook: {
      handle: sendWebhook({ app, sender, includeData }),
      schedule: { ...webhookRetries(awe), timeoutMs: seconds * SECOND },
    },
    ...(mail === null ? {} : { mail: { handle: sendMail({ app, ...mail }), schedule: mail.schedule } }),
  };
}

const ANSWER_BYTES = 64 * 1024;

/** What sends events to callers' addresses; their answers are read as far as 64 KiB (R-HOOK-7). */
export function webhookSenderOf(
  { awe: { webhook, outbound } }: Config,
  { development, serverKey }: { readonly development: boolean; readonly serverKey: Uint8Array },
): WebhookSender {
  return createWebhookSender({
    fetch: createGuardedFetch({
      ...{ allow: outbound.allow, allowHttp: outbound.allow_http, development },
      ...{ timeoutMs: webhook.timeout_seconds * SECOND, bytesMax: ANSWER_BYTES, cutAnswers: true },
    }),
    userAgent: `countersign/${productVersion()}`,
    standardKey: webhook.standard_headers ? webhookSigningKey(serverKey) : null,
  });
}

export interface MailParts {
  readonly mailer: Mailer;
  /** Where links lead, without a slash at the end. */
  readonly baseUrl: string;
  readonly schedule: EffectSchedule;
}

/** Null while no mail is sent. */
export function mailParts(config: Config, app: Application): MailParts | null {
  const { awe } = config;
  const { notifier } = awe;
  if (!isMailSent(config)) return null;
  const mailer = mailTransport(config, app.identity.development);
  const baseUrl = notifier.base_url === "" ? app.identity.publicUrl : notifier.base_url.replace(/\/+$/, "");
  return { mailer, baseUrl, schedule: mailSchedule(awe) };
}

/** Faults of the mail server are met as those of receivers of webhooks are (R-MAIL-1). */
function mailSchedule(awe: Config["awe"]): EffectSchedule {
  return { ...webhookRetries(awe), timeoutMs: MAIL_TIMEOUT_MS + SECOND };
}

function webhookRetries({ webhook }: Config["awe"]): Omit<EffectSchedule, "timeoutMs"> {
  return { waitsMs: webhook.backoff_seconds.map((seconds) => seconds * SECOND), attemptsMax: webhook.max_attempts };
}
