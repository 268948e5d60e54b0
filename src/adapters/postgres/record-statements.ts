/** Reading and writing records: one statement per kind and question, however many records. */
import type { QueryResultRow } from "pg";
import type { RecordKind, RecordQuery, Records } from "../../ports/records.ts";
import { sql, type NamedSql } from "./named-sql.ts";
import type { Asked } from "./reading-wall.ts";
import {
  columnOf,
  foundBy,
  RECORD_TABLES,
  recordKey,
  recordRow,
  selectList,
  upsertText,
  type TableShape,
} from "./record-tables.ts";

const selects = new Map<string, NamedSql<QueryResultRow>>();

function selectBy(kind: RecordKind, by: string): NamedSql<QueryResultRow> {
  const name = `records_${columnOf(kind)}_by_${columnOf(by)}`;
  const known = selects.get(name);
  if (known !== undefined) return known;
  const table: TableShape = RECORD_TABLES[kind];
  const order = table.key.map((member) => `t."${columnOf(member)}"`).join(", ");
  const text = `select ${selectList(table)} from ${table.table} t where ${foundBy(table, by)} order by ${order}`;
  const made = sql(name, text);
  selects.set(name, made);
  return made;
}

/** The records found, in the order of their keys. */
export async function selectRecords<Kind extends RecordKind>(
  on: Asked,
  { kind, by, values }: RecordQuery<Kind>,
): Promise<readonly Records[Kind][]> {
  if (values.length === 0) return [];
  const { rows } = await selectBy(kind, by).run(on, [[...new Set(values)]]);
  return rows.filter(recordOf(kind));
}

/** Every record of a kind of which there are few. */
export async function selectAll<Kind extends "organization">(on: Asked, kind: Kind): Promise<readonly Records[Kind][]> {
  const table: TableShape = RECORD_TABLES[kind];
  const { rows } = await everyOrganization(table).run(on);
  return rows.filter(recordOf(kind));
}

function everyOrganization(table: TableShape): NamedSql<QueryResultRow> {
  const name = `records_all_${table.table}`;
  const known = selects.get(name);
  if (known !== undefined) return known;
  const made = sql(name, `select ${selectList(table)} from ${table.table} t`);
  selects.set(name, made);
  return made;
}

/** The column list says what a row is; its key is looked at, so that a statement of another kind is noticed. */
export function recordOf<Kind extends RecordKind>(
  kind: Kind,
): (row: QueryResultRow) => row is Records[Kind] & QueryResultRow {
  const { key }: TableShape = RECORD_TABLES[kind];
  return (row): row is Records[Kind] & QueryResultRow => key.every((member) => member in row);
}

/** Records of one kind under their key, with the entry that describes each; null for those beside the ledger. */
export type RecordRows = Map<RecordKind, Map<string, Readonly<Record<string, unknown>>>>;

function putRecord<Kind extends RecordKind>(
  rows: RecordRows,
  kind: Kind,
  record: Records[Kind],
  entrySeq: number,
): void {
  const table: TableShape = RECORD_TABLES[kind];
  const byKey = rows.get(kind) ?? new Map<string, Readonly<Record<string, unknown>>>();
  byKey.set(recordKey(table, record), recordRow(table, record, table.state ? entrySeq : null));
  rows.set(kind, byKey);
}

export function putRecords<Kind extends RecordKind>(
  rows: RecordRows,
  kind: Kind,
  records: readonly Records[Kind][],
  entrySeq: number,
): void {
  for (const record of records) putRecord(rows, kind, record, entrySeq);
}

const upserts = new Map<RecordKind, NamedSql<QueryResultRow>>();

function upsert(kind: RecordKind): NamedSql<QueryResultRow> {
  const known = upserts.get(kind);
  if (known !== undefined) return known;
  const made = sql(`write_records_${columnOf(kind)}`, upsertText(RECORD_TABLES[kind]));
  upserts.set(kind, made);
  return made;
}

/** One statement per kind that changed. */
export function recordWrites(
  rows: RecordRows,
): readonly { readonly statement: NamedSql<QueryResultRow>; readonly value: string }[] {
  return [...rows].map(([kind, byKey]) => ({ statement: upsert(kind), value: JSON.stringify([...byKey.values()]) }));
}
