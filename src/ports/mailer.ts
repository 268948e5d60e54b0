/** Sends one mail. The message is whole; whoever sends it adds nothing that people read (docs/spec/engine.md section 15). */

export interface Mail {
  /** The same on every attempt, so that a repeat is recognised (R-MAIL-1). */
  readonly messageId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** `code` is stable; `message` may be shown to administrators and holds no secret. */
export type MailAnswer =
  | { readonly accepted: true; readonly response: string }
  | { readonly accepted: false; readonly code: string; readonly message: string };

export interface Mailer {
  send(mail: Mail, signal: AbortSignal): Promise<MailAnswer>;
}
