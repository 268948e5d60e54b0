/**
 * What has the ledger recorded of these requests? The same question inside of a transaction and outside: whether a grant is
 * supported by what was recorded (docs/spec/ledger.md R-VER-4). Of a grant's uses the newest alone, because there may be many.
 */
import type { QueryResultRow } from "pg";
import type { RequestId } from "../../core/ids.ts";
import { parseEntry, type EntryFields } from "../../ledger/entry.ts";
import { sql } from "./named-sql.ts";

interface RecordedRow extends QueryResultRow {
  readonly request: string;
  readonly text: string;
}

export const RECORDED_ENTRIES = sql<RecordedRow>(
  "recorded_entries",
  `select recorded.request, recorded.text from (
     select entry.request, entry.seq, entry.text from ledger_entries entry
     where entry.request = any($1::text[]) and entry.kind <> 'grant.used'
     union all
     select newest.request, newest.seq, newest.text from unnest($1::text[]) as asked (request), lateral (
       select entry.request, entry.seq, entry.text from ledger_entries entry
       where entry.request = asked.request and entry.kind = 'grant.used' order by entry.seq desc limit 1
     ) newest
   ) recorded order by recorded.seq`,
);

/** As the ledger names requests. */
export function recordedName(id: RequestId): string {
  return `req_${id.replaceAll("-", "")}`;
}

/** By the ledger's name of the request; null where an entry cannot be read, so that nothing can rest on it. */
export function recordedByRequest(rows: readonly RecordedRow[]): ReadonlyMap<string, readonly EntryFields[] | null> {
  const found = new Map<string, readonly EntryFields[] | null>();
  for (const { request, text } of rows) {
    const before = found.get(request);
    const parsed = parseEntry(text);
    const isReadable = before !== null && parsed.ok && parsed.entry.request === request;
    found.set(request, isReadable ? [...(before ?? []), parsed.entry] : null);
  }
  return found;
}
