/**
 * Mail over Postmark's HTTP API, for servers that may not speak SMTP outwards: one call per message, and every failure a value.
 * Implements docs/spec/deploy.md R-MAIL-1. Links are sent as they are: nobody counts who followed them.
 */
import { z } from "zod";
import type { Mailer, MailAnswer } from "../../ports/mailer.ts";
import type { ProviderAnswer, ProviderExchange } from "../../ports/provider-exchange.ts";

export interface PostmarkSettings {
  /** `https://api.postmarkapp.com`. */
  readonly url: string;
  /** Of one server at Postmark. */
  readonly token: string;
  readonly from: string;
  /** `outbound`, unless the server has a stream of its own for this. */
  readonly stream: string;
  readonly timeoutMs: number;
}

const BYTES_MAX = 64 * 1024;
const RESPONSE_MAX = 200;

const answered = z.object({ ErrorCode: z.number().int(), Message: z.string(), MessageID: z.string().optional() });

export function createPostmarkMailer(settings: PostmarkSettings, exchange: ProviderExchange): Mailer {
  const { url, token, from, stream, timeoutMs } = settings;
  return {
    async send({ messageId, to, subject, text, html }, signal): Promise<MailAnswer> {
      const answer = await exchange({
        ...{ method: "POST", url: `${url.replace(/\/+$/, "")}/email`, timeoutMs, bytesMax: BYTES_MAX, signal },
        headers: {
          ...{ accept: "application/json", "content-type": "application/json", "user-agent": "countersign" },
          "x-postmark-server-token": token,
        },
        body: JSON.stringify({
          ...{ From: from, To: to, Subject: subject, TextBody: text, HtmlBody: html, MessageStream: stream },
          ...{ TrackOpens: false, TrackLinks: "None" },
          Headers: [
            { Name: "Message-ID", Value: messageId },
            // Without it Postmark gives the message a name of its own, and a repeat would not be recognised.
            { Name: "X-PM-KeepID", Value: "true" },
            { Name: "Auto-Submitted", Value: "auto-generated" },
            { Name: "X-Auto-Response-Suppress", Value: "All" },
          ],
        }),
      });
      if ("unreachable" in answer) {
        return refused("postmark_unreachable", `Postmark cannot be reached: ${answer.unreachable}`);
      }
      return readAnswer(answer);
    },
  };
}

function readAnswer({ status, body }: ProviderAnswer): MailAnswer {
  const read = answered.safeParse(body);
  if (status === 401) return refused("postmark_sign_in", "Postmark refused the server token");
  if (!read.success) return refused(`postmark_${String(status)}`, `Postmark answered ${String(status)}`);
  const { ErrorCode: code, Message: message, MessageID: id = "" } = read.data;
  if (status === 200 && code === 0) return { accepted: true, response: cut(`${message} ${id}`) };
  return refused(`postmark_${String(code)}`, cut(message));
}

function refused(code: string, message: string): MailAnswer {
  return { accepted: false, code, message };
}

function cut(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").slice(0, RESPONSE_MAX);
}
