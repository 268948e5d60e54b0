/** With whose secret calls to a caller's address are signed (docs/spec/engine.md R-HOOK-15 to R-HOOK-18). */
import type { Instant } from "../core/person.ts";

export interface WebhookSecretRecord {
  readonly id: string;
  readonly orgId: string;
  /** What requests name as `callback_secret_id`. */
  readonly name: string;
  /** One active line of secrets each. */
  readonly callerService: string;
  readonly status: "active" | "revoked";
  /** Sealed; null once revoked. */
  readonly secret: string | null;
  /** Sealed: the one before the last rotation. */
  readonly previous: string | null;
  /** From when on `secret` signs; until then `previous` does. */
  readonly effectiveAt: Instant;
  /** Until when `previous` signs beside `secret`. */
  readonly previousUntil: Instant | null;
  /** Who may name it: `sub` or `azp`; null for anybody. */
  readonly allowedCallers: readonly string[] | null;
  /** Prefixes of addresses that it may sign for; null for any. */
  readonly allowedUrls: readonly string[] | null;
  readonly createdAt: Instant;
  readonly revokedAt: Instant | null;
}
