/** The reading of an organization's entries for audit lists; the ledger's order is that of time, so a time is found by halving. */
import type { JsonValue } from "../../core/json.ts";
import type { LedgerLine, LedgerLineReader, MadeKind } from "../../ports/ledger-line-reader.ts";
import { sql, type NamedSql } from "./named-sql.ts";
import { read } from "./reader-statement.ts";
import type { Sources } from "./reading-wall.ts";

interface LineRow {
  readonly seq: number;
  readonly text: string;
  readonly hash: string;
  readonly previous_hash: string | null;
  readonly openings: Readonly<Record<string, JsonValue>>;
}

const COLUMNS = `entry.seq, entry.text, encode(decode(entry.chain, 'hex'), 'base64') as hash,
     (select encode(decode(before.chain, 'hex'), 'base64') from ledger_entries before where before.seq = entry.seq - 1) as previous_hash,
     (select coalesce(json_object_agg(opening.path, opening.value), '{}'::json)
        from ledger_openings opening where opening.seq = entry.seq) as openings`;

const LINES = sql<LineRow & Record<string, unknown>>(
  "reader_ledger_lines",
  `select ${COLUMNS}
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

interface MadeRow extends LineRow {
  readonly [column: string]: unknown;
  readonly name: string;
}

/** `made` are the openings that name what was made; the conditions are those of the indexes of migration 0024. */
function makingOf(name: string, made: string, kinds: string): NamedSql<MadeRow> {
  return sql<MadeRow>(
    name,
    `select made.name, ${COLUMNS}
     from (
       select distinct on (found.name) found.name, found.seq
       from (${made}) found
       join ledger_entries of_making on of_making.seq = found.seq
       where of_making.org = $1 and of_making.kind in (${kinds})
       order by found.name, found.seq desc) made
     join ledger_entries entry on entry.seq = made.seq`,
  );
}

function namedIn(path: string): string {
  return `select opening.value #>> '{}' as name, opening.seq from ledger_openings opening
    where opening.path = '${path}' and opening.value #>> '{}' = any($2::text[]) and exists (
      select 1 from ledger_openings ctx where ctx.seq = opening.seq and ctx.path = '/ctx' and ctx.value ->> 'scope' = $3)`;
}

const APPS = `select opening.value ->> 'app' as name, opening.seq from ledger_openings opening
  where opening.path = '/ctx' and opening.value ->> 'action' = 'app.create' and opening.value ->> 'app' = any($2::text[])
    and opening.value ->> 'scope' = $3`;

const MAKING: Readonly<Record<MadeKind, NamedSql<MadeRow>>> = {
  app: makingOf("reader_ledger_apps_made", APPS, "'deploy.app_changed'"),
  build: makingOf("reader_ledger_builds_made", namedIn("/build"), "'deploy.build_created'"),
  // A build makes a release of its own.
  release: makingOf(
    "reader_ledger_releases_made",
    namedIn("/release"),
    "'deploy.release_created', 'deploy.build_created'",
  ),
};

const NEWEST = Number.MAX_SAFE_INTEGER;

export function createLedgerLineReader({ installation }: Sources, orgId: string): LedgerLineReader {
  return {
    async ledgerLines({ from, before, limit }) {
      const rows = await read(LINES, installation, [orgName(orgId), from, before ?? NEWEST, limit]);
      return rows.map(lineOf);
    },
    async ledgerPositionAt(at) {
      const [row] = await read(POSITION_AT, installation, [at]);
      return row?.position ?? 0;
    },
    async ledgerLinesOfMaking({ kind, names, scope }) {
      if (names.length === 0) return [];
      const rows = await read(MAKING[kind], installation, [orgName(orgId), names, scope]);
      return rows.map((row) => ({ name: row.name, line: lineOf(row) }));
    },
  };
}

function orgName(orgId: string): string {
  return `org_${orgId.replaceAll("-", "")}`;
}

function lineOf(row: LineRow): LedgerLine {
  const { seq, text, hash, openings } = row;
  return { seq, text, hash, previousHash: row.previous_hash ?? "", openings };
}
