/**
 * Mail over SMTP: a connection per message, encrypted unless the settings say otherwise, and every failure a value.
 * Implements docs/spec/engine.md R-MAIL-1 and the settings `notifier.*` of section 19.
 */
import { createTransport } from "nodemailer";
import type { Mailer, MailAnswer } from "../../ports/mailer.ts";

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  /** Empty: no sign-in. */
  readonly user: string;
  readonly password: string;
  readonly from: string;
  /** STARTTLS is demanded; port 465 begins with TLS. */
  readonly useTls: boolean;
  readonly timeoutMs: number;
  /** Certificate authorities besides those of the system, as PEM. */
  readonly ca?: string;
}

const IMPLICIT_TLS_PORT = 465;
const RESPONSE_MAX = 200;

export function createSmtpMailer(settings: SmtpSettings): Mailer {
  const { host, port, user, password, useTls, timeoutMs, ca } = settings;
  return {
    async send({ messageId, to, subject, text, html }, signal): Promise<MailAnswer> {
      const transport = createTransport({
        ...{ host, port, secure: useTls && port === IMPLICIT_TLS_PORT, requireTLS: useTls, ignoreTLS: !useTls },
        ...(user === "" ? {} : { auth: { user, pass: password } }),
        ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs },
        ...{ disableFileAccess: true, disableUrlAccess: true },
        ...(ca === undefined ? {} : { tls: { ca } }),
      });
      const close = (): void => {
        transport.close();
      };
      signal.addEventListener("abort", close, { once: true });
      try {
        const sent = await transport.sendMail({
          ...{ messageId, subject, text, html },
          // An address as an object: nothing in it is read as a list of addresses.
          ...{ from: settings.from, to: { name: "", address: to } },
          headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
        });
        return { accepted: true, response: cut(sent.response) };
      } catch (error) {
        return refused(error);
      } finally {
        signal.removeEventListener("abort", close);
        transport.close();
      }
    },
  };
}

function refused(error: unknown): MailAnswer {
  const status = memberOf(error, "responseCode");
  const cause = memberOf(error, "code");
  if (cause !== "ETLS" && cause !== "EAUTH" && typeof status === "number") {
    const response = memberOf(error, "response");
    return {
      accepted: false,
      code: `smtp_${String(status)}`,
      message: typeof response === "string" ? cut(response) : "",
    };
  }
  const known = typeof cause === "string" ? (CODES[cause] ?? null) : null;
  const [stable, message] = known ?? ["smtp_failed", "The mail server did not take the message"];
  return { accepted: false, code: stable, message };
}

/** Messages of the library may name the server's inside; its codes do not. */
const CODES: Readonly<Record<string, readonly [string, string]>> = {
  ECONNECTION: ["smtp_unreachable", "The mail server cannot be reached"],
  ECONNREFUSED: ["smtp_unreachable", "The mail server cannot be reached"],
  ESOCKET: ["smtp_unreachable", "The connection to the mail server failed"],
  EDNS: ["smtp_unreachable", "The name of the mail server leads nowhere"],
  ETIMEDOUT: ["smtp_timeout", "The mail server did not answer in time"],
  ETLS: ["smtp_tls", "The mail server offers no encryption that can be trusted"],
  EAUTH: ["smtp_sign_in", "The mail server refused the sign-in"],
  EENVELOPE: ["smtp_address", "The mail server refused an address"],
};

function memberOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function cut(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, RESPONSE_MAX);
}
