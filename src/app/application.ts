/** What every use case is given. Built once, in src/main. */
import type { Settings } from "../core/facts.ts";
import type { CommandStore } from "../ports/command-store.ts";
import type { Reader } from "../ports/reader.ts";
import type { Sha256 } from "../ledger/sha256.ts";

export interface Application {
  readonly store: CommandStore;
  readonly reader: Reader;
  readonly settings: ApplicationSettings;
  /** The organization that this installation's people and policies belong to. */
  readonly orgId: string;
  readonly sha256: Sha256;
  /** Cryptographically random bytes. */
  readonly random: (length: number) => Uint8Array;
  readonly clock: () => number;
}

export interface ApplicationSettings extends Settings {
  readonly delegationMaxDays: number;
  /** Who reads what others ask for: those who take part, or everybody with a valid token (R-AUTH-31). */
  readonly readScope: "participants" | "authenticated";
}
