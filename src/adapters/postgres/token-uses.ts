/** The last uses of API tokens on Postgres: one statement for all of them (docs/spec/identity.md R-TOK-8). */
import type { Pool } from "pg";
import type { TokenUses } from "../../ports/token-uses.ts";
import { sql } from "./named-sql.ts";
import { timestamp } from "./rows.ts";

/** Several processes may have seen the same token: the newest use wins, in whatever order they tell. */
const WRITE_TOKEN_USES = sql(
  "write_token_uses",
  `insert into token_uses as known (token_id, used_at, address)
   select given.token_id, given.used_at, given.address
   from json_to_recordset($1::json) as given(token_id uuid, used_at timestamptz, address text)
   order by given.token_id
   on conflict (token_id) do update set used_at = excluded.used_at, address = excluded.address
   where known.used_at < excluded.used_at`,
);

export function createTokenUses(pool: Pool): TokenUses {
  return {
    async write(uses) {
      if (uses.length === 0) return;
      const rows = uses.map(({ tokenId, usedAt, address }) => ({
        token_id: tokenId,
        used_at: timestamp(usedAt),
        address,
      }));
      await WRITE_TOKEN_USES.run(pool, [JSON.stringify(rows)]);
    },
  };
}
