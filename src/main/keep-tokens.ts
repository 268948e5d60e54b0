/**
 * What a running server does about API tokens besides answering: it hears of changes of access wherever they are made, writes
 * down when tokens were last used, warns of those that end soon, and tells the ledger of those whose time is over
 * (docs/spec/identity.md section 7).
 */
import type { Pool } from "pg";
import { watchAccessChanges } from "../adapters/postgres/access-changes.ts";
import { createTokenUses } from "../adapters/postgres/token-uses.ts";
import type { Application } from "../app/application.ts";
import type { TokenDesk } from "../app/token-desk.ts";
import { expireTokens } from "../app/token-expiry.ts";
import { warnOfExpiringTokens } from "../app/token-warnings.ts";
import { startTokenExpiryLoop } from "../worker/token-expiry-loop.ts";
import { startTokenUseLoop } from "../worker/token-use-loop.ts";

export interface KeepTokensOptions {
  readonly database: { readonly connectionString: string };
  readonly pool: Pool;
  readonly app: Application;
  readonly desk: TokenDesk;
  /** Nothing is written in quarantine. */
  readonly guard: { readonly quarantined: boolean };
  readonly onError: (error: unknown) => void;
}

/** Answers how to end it. */
export function keepTokens(options: KeepTokensOptions): () => Promise<void> {
  const { database, pool, app, desk, guard, onError } = options;
  const isPaused = (): boolean => guard.quarantined;
  const changes = watchAccessChanges(database.connectionString, { onError });
  changes.subscribe(() => {
    desk.found.drop();
    app.deploy.settings.drop();
  });
  const uses = startTokenUseLoop({ drain: () => desk.drainUses(), uses: createTokenUses(pool), isPaused, onError });
  const expiries = startTokenExpiryLoop({ round: () => expireTokens(app), isPaused, onError });
  const warnings = startTokenExpiryLoop({ round: () => warnOfExpiringTokens(app), isPaused, onError });
  return async () => {
    await Promise.all([expiries.stop(), warnings.stop(), uses.stop(), changes.close()]);
  };
}
