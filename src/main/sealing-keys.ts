/** A key that still seals something cannot be dropped: the server would start, and fail at the first who signs in (docs/spec/identity.md R-SEAL-3). */
import type { Pool } from "pg";
import { missingSealingKeys } from "../adapters/postgres/sealed-rows.ts";
import type { Keyring } from "../adapters/sealing/keyring.ts";
import { StartRefused } from "./start-refused.ts";

/** Throws StartRefused with the counts. */
export async function assertSealingKeys(pool: Pool, keyring: Keyring): Promise<void> {
  const missing = await missingSealingKeys(pool, keyring);
  if (missing.length === 0) return;
  const counts = missing.map(({ keyId, count }) => `${keyId} (${String(count)})`).join(", ");
  throw new StartRefused(
    "sealing_key_missing",
    `Secrets in the database are sealed with keys that the keyring does not hold: ${counts}. Add them, or rotate with "countersign secrets rotate" while they are there.`,
  );
}
