/** Faults whose messages are written for the person at the terminal. */
import { SigningKeyFault } from "../adapters/data-directory/signing-key.ts";
import { EmbeddedPostgresFault } from "../adapters/embedded-postgres/embedded-postgres-fault.ts";
import { DatabaseUnavailable, DatabaseUnusable } from "../adapters/postgres/database-fault.ts";
import { KeyringFault } from "../adapters/sealing/keyring.ts";
import { Unavailable } from "../ports/unavailable.ts";

/** The sentence of a fault that somebody can act on; null for a bug, whose trace matters more. */
export function faultSentence(error: unknown): string | null {
  const isTold =
    error instanceof DatabaseUnavailable ||
    error instanceof DatabaseUnusable ||
    error instanceof EmbeddedPostgresFault ||
    error instanceof SigningKeyFault ||
    error instanceof KeyringFault ||
    error instanceof Unavailable;
  return isTold ? error.message : null;
}
