/** Housekeeping on Postgres: in steps small enough that nobody waits behind them. */
import type { Pool } from "pg";
import type { Housekeeping } from "../../ports/housekeeping.ts";
import { sql } from "./named-sql.ts";
import { timestamp } from "./rows.ts";

const AT_ONCE = 1_000;

const FORGET_ANSWERS = sql(
  "forget_answers",
  `delete from idempotency_keys where (scope, key) in (
     select scope, key from idempotency_keys where created_at < $1 order by created_at limit ${String(AT_ONCE)})`,
);

export function createHousekeeping(pool: Pool): Housekeeping {
  return {
    async forgetAnswers(before): Promise<number> {
      const { rowCount } = await FORGET_ANSWERS.run(pool, [timestamp(before)]);
      return rowCount ?? 0;
    },
  };
}
