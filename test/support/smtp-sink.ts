/** A real SMTP server that keeps what it is sent, parsed as a reader of mail would. */
import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

export interface ReceivedMail {
  readonly recipients: readonly string[];
  readonly raw: string;
  readonly email: Email;
}

export interface SmtpSink {
  readonly port: number;
  /** In the order of arrival. */
  readonly mails: readonly ReceivedMail[];
  /** Refuses the next messages with this answer; null takes them again. */
  refuse(answer: { readonly code: number; readonly message: string } | null): void;
  close(): Promise<void>;
}

class SmtpRefusal extends Error {
  readonly responseCode: number;
  constructor({ code, message }: { readonly code: number; readonly message: string }) {
    super(message);
    this.responseCode = code;
  }
}

export async function openSmtpSink(options: SMTPServerOptions = {}): Promise<SmtpSink> {
  const mails: ReceivedMail[] = [];
  let refusal: { readonly code: number; readonly message: string } | null = null;
  const server = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ["STARTTLS"], disableReverseLookup: true, logger: false },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks).toString("utf8");
        if (refusal !== null) {
          callback(new SmtpRefusal(refusal));
          return;
        }
        const recipients = session.envelope.rcptTo.map(({ address }) => address);
        PostalMime.parse(raw).then((email) => {
          mails.push({ recipients, raw, email });
          callback();
        }, callback);
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: portOf(server.server.address()),
    mails,
    refuse: (answer) => {
      refusal = answer;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== "object" || address === null) throw new Error("the sink does not listen");
  return address.port;
}
