/** Posts one signed event to somebody's address (docs/spec/engine.md R-HOOK-2 to R-HOOK-7). */
import type { Instant } from "../core/person.ts";

export interface WebhookCall {
  readonly url: string;
  readonly eventId: string;
  /** Signed byte for byte. */
  readonly body: string;
  readonly at: Instant;
  readonly secret: string;
  /** The one before, while both count (R-HOOK-16). */
  readonly previous: string | null;
}

export type WebhookAnswer =
  | {
      readonly status: number;
      /** At most 200 characters. */
      readonly snippet: string;
      readonly retryAfterMs: number | null;
    }
  | { readonly code: string; readonly message: string };

export interface WebhookSender {
  send(call: WebhookCall, signal: AbortSignal): Promise<WebhookAnswer>;
  /** They verify `v1a` signatures; none where those are not sent. */
  readonly keys: readonly { readonly id: string; readonly publicKey: string }[];
}
