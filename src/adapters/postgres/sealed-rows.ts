/**
 * Which keys seal what stands in the database? What a rotation must rewrite, and what a start needs (docs/spec/identity.md
 * R-SEAL-3). Sealed values that live for minutes (sign-ins and enrolments under way) end by themselves and are not listed.
 */
import type { Pool, QueryResultRow } from "pg";
import { sql } from "./named-sql.ts";

/** The kinds of records with a sealed member. */
export type SealedKind = "factor" | "identityProvider" | "chatIntegration" | "webhookSecret";

export const SEALED_KINDS: readonly SealedKind[] = ["factor", "identityProvider", "chatIntegration", "webhookSecret"];

export interface SealingKeyUse {
  readonly keyId: string;
  readonly count: number;
}

interface UseRow extends QueryResultRow {
  readonly key_id: string;
  readonly count: string;
}

/** The second part of `s1.<key id>.<nonce>.<ciphertext>`. */
const KEYS_IN_USE = sql<UseRow>(
  "sealing_keys_in_use",
  `select split_part(sealed, '.', 2) as key_id, count(*) as count from (
     select secret as sealed from factors where secret is not null
     union all select client_secret from identity_providers where client_secret is not null
     union all select bot_token from chat_integrations where bot_token is not null
     union all select secret from webhook_secrets where secret is not null
     union all select previous from webhook_secrets where previous is not null
   ) as values group by 1 order by 1`,
);

export async function sealingKeysInUse(pool: Pool): Promise<readonly SealingKeyUse[]> {
  const { rows } = await KEYS_IN_USE.run(pool, []);
  return rows.map(({ key_id: keyId, count }) => ({ keyId, count: Number(count) }));
}

/** Those that the keyring does not hold: while there are any, secrets cannot be opened. */
export async function missingSealingKeys(
  pool: Pool,
  { keys }: { readonly keys: ReadonlyMap<string, unknown> },
): Promise<readonly SealingKeyUse[]> {
  return (await sealingKeysInUse(pool)).filter(({ keyId }) => !keys.has(keyId));
}

interface IdRow extends QueryResultRow {
  readonly id: string;
}

const SEALED_OTHERWISE: Readonly<Record<SealedKind, ReturnType<typeof sql<IdRow>>>> = {
  factor: sql<IdRow>(
    "factors_sealed_otherwise",
    `select id from factors where secret is not null and split_part(secret, '.', 2) <> $1 and id > $2::uuid
     order by id limit $3`,
  ),
  identityProvider: sql<IdRow>(
    "identity_providers_sealed_otherwise",
    `select id from identity_providers where client_secret is not null and split_part(client_secret, '.', 2) <> $1
       and id > $2::uuid order by id limit $3`,
  ),
  // One per organization, whose id is theirs.
  chatIntegration: sql<IdRow>(
    "chat_integrations_sealed_otherwise",
    `select org_id as id from chat_integrations where bot_token is not null and split_part(bot_token, '.', 2) <> $1
       and org_id > $2::uuid order by org_id limit $3`,
  ),
  webhookSecret: sql<IdRow>(
    "webhook_secrets_sealed_otherwise",
    `select id from webhook_secrets where (split_part(secret, '.', 2) <> $1 or split_part(previous, '.', 2) <> $1)
       and id > $2::uuid order by id limit $3`,
  ),
};

const BEFORE_ALL = "00000000-0000-0000-0000-000000000000";

/** The ids of records that another key than this one seals, after the one given. */
export async function sealedOtherwise(
  pool: Pool,
  kind: SealedKind,
  { keyId, after, limit }: { readonly keyId: string; readonly after: string | null; readonly limit: number },
): Promise<readonly string[]> {
  const { rows } = await SEALED_OTHERWISE[kind].run(pool, [keyId, after ?? BEFORE_ALL, limit]);
  return rows.map(({ id }) => id);
}
