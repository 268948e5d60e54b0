/**
 * Can the sealed secrets be opened? Asked by whoever watches this server: of the keys that the stored values name, and of what
 * was opened in vain lately. Tells of none of them which it is (docs/spec/identity.md R-SEAL-4).
 */
import type { SecretsWatch } from "../http/server-options.ts";
import type { Sealing } from "../ports/sealing.ts";

export interface SecretsWatchOptions {
  /** Keys that seal something and that the keyring does not hold. */
  readonly missingKeys: () => Promise<readonly unknown[]>;
  readonly seals: Pick<Sealing, "unreadable">;
  readonly clock: () => number;
}

/** Anybody may ask; the database is asked this often at most. */
const KEPT_MS = 30_000;
/** Of values that live for minutes a stranger may name a wrong one. */
const LASTING: ReadonlySet<string> = new Set(["factors", "identity_providers"]);

export function createSecretsWatch({ missingKeys, seals, clock }: SecretsWatchOptions): SecretsWatch {
  let known: { readonly at: number; readonly isMissing: boolean } | null = null;
  return {
    async areReadable() {
      if (seals.unreadable().some(({ table }) => LASTING.has(table))) return false;
      const now = clock();
      if (known === null || now - known.at >= KEPT_MS || now < known.at) {
        known = { at: now, isMissing: (await missingKeys()).length > 0 };
      }
      return !known.isMissing;
    },
  };
}
