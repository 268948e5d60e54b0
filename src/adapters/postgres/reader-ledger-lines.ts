/** The reading of an organization's entries for audit lists; the ledger's order is that of time, so a time is found by halving. */
import type { JsonValue } from "../../core/json.ts";
import type { LedgerLineReader } from "../../ports/ledger-line-reader.ts";
import { sql } from "./named-sql.ts";
import { read } from "./reader-statement.ts";
import type { Sources } from "./reading-wall.ts";

interface LineRow {
  readonly seq: number;
  readonly text: string;
  readonly hash: string;
  readonly previous_hash: string | null;
  readonly openings: Readonly<Record<string, JsonValue>>;
}

const LINES = sql<LineRow & Record<string, unknown>>(
  "reader_ledger_lines",
  `select entry.seq, entry.text, encode(decode(entry.chain, 'hex'), 'base64') as hash,
     (select encode(decode(before.chain, 'hex'), 'base64') from ledger_entries before where before.seq = entry.seq - 1) as previous_hash,
     (select coalesce(json_object_agg(opening.path, opening.value), '{}'::json)
        from ledger_openings opening where opening.seq = entry.seq) as openings
   from ledger_entries entry
   where entry.org = $1 and entry.seq >= $2::bigint and entry.seq < $3::bigint
   order by entry.seq desc limit $4::integer`,
);

const POSITION_AT = sql<{ position: number }>(
  "reader_ledger_position_at",
  `with recursive span (low, high) as (
     select 0::bigint, (select size from ledger_head)
     union all
     select case when is_before then middle + 1 else low end, case when is_before then high else middle end
     from (select low, high, middle, (select entry.at from ledger_entries entry where entry.seq = middle) < $1 as is_before
       from (select low, high, (low + high) / 2 as middle from span where low < high) halved) compared)
   select low as position from span where low >= high`,
);

const NEWEST = Number.MAX_SAFE_INTEGER;

export function createLedgerLineReader({ installation }: Sources, orgId: string): LedgerLineReader {
  return {
    async ledgerLines({ from, before, limit }) {
      const org = `org_${orgId.replaceAll("-", "")}`;
      const rows = await read(LINES, installation, [org, from, before ?? NEWEST, limit]);
      return rows.map((row) => ({
        ...{ seq: row.seq, text: row.text, hash: row.hash, previousHash: row.previous_hash ?? "" },
        openings: row.openings,
      }));
    },
    async ledgerPositionAt(at) {
      const [row] = await read(POSITION_AT, installation, [at]);
      return row?.position ?? 0;
    },
  };
}
