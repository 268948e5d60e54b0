/** Over what mail is sent, from the configuration: Postmark's API where it is given a token, else SMTP (docs/spec/deploy.md R-MAIL-1). */
import { createGuardedFetch } from "../adapters/outbound/guarded-fetch.ts";
import { createProviderExchange } from "../adapters/outbound/provider-exchange.ts";
import { createPostmarkMailer } from "../adapters/postmark/postmark-mailer.ts";
import { createSmtpMailer } from "../adapters/smtp/smtp-mailer.ts";
import type { Mailer } from "../ports/mailer.ts";
import type { Config } from "./config-schema.ts";

export const MAIL_TIMEOUT_MS = 30_000;

/** A token says that mail is wanted, as it did in rack-gateway. */
export function isMailSent({ awe: { notifier } }: Config): boolean {
  return notifier.enabled || notifier.postmark_token !== "";
}

export function mailTransport({ awe: { notifier, outbound } }: Config, development: boolean): Mailer {
  const timeoutMs = MAIL_TIMEOUT_MS;
  const from = notifier.from_address;
  if (notifier.postmark_token !== "") {
    const { postmark_token: token, postmark_url: url, postmark_stream: stream } = notifier;
    const { allow, allow_http: allowHttp } = outbound;
    const fetch = createGuardedFetch({ allow, allowHttp, development, timeoutMs });
    return createPostmarkMailer({ url, token, from, stream, timeoutMs }, createProviderExchange(fetch));
  }
  return createSmtpMailer({
    ...{ host: notifier.smtp_host, port: notifier.smtp_port, user: notifier.smtp_user, from },
    ...{ password: notifier.smtp_password, useTls: notifier.use_tls, timeoutMs },
  });
}
