/** How far each organization's ledger was told in its chat, one row each (docs/spec/deploy.md R-SLACK-4). */
import type { Pool } from "pg";
import type { ChatTold } from "../../ports/chat-told.ts";
import { sql } from "./named-sql.ts";
import { timestamp } from "./rows.ts";

/** A claim that was not given back was that of a process that ended. */
const CLAIM = sql<{ told_to: string }>(
  "claim_chat_told",
  `insert into chat_told as told (org_id, told_to, lease_until)
   values ($1::uuid, (select size from ledger_head), $3::timestamptz)
   on conflict (org_id) do update set lease_until = excluded.lease_until
     where told.lease_until is null or told.lease_until <= $2::timestamptz
   returning told_to::text as told_to`,
);

const TELL = sql(
  "tell_chat_told",
  "update chat_told set told_to = greatest(told_to, $2::bigint), lease_until = null where org_id = $1::uuid",
);

export function createChatTold(pool: Pool): ChatTold {
  return {
    async claim(orgId, { now, ms }) {
      const { rows } = await CLAIM.run(pool, [orgId, timestamp(now), timestamp(now + ms)]);
      const [row] = rows;
      return row === undefined ? null : Number(row.told_to);
    },
    async tell(orgId, position) {
      await TELL.run(pool, [orgId, position]);
    },
  };
}
