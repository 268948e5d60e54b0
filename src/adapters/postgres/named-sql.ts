/**
 * How is SQL sent? As named statements, so that Postgres parses and plans each once per connection (a third to a half of the
 * cost of a small statement). Every statement lists its columns: a named `select *` breaks when a migration adds one.
 */
import type { QueryResult, QueryResultRow } from "pg";
import { asDatabaseFault } from "./database-fault.ts";
import type { Asked } from "./reading-wall.ts";

export interface NamedSql<Row extends QueryResultRow> {
  readonly name: string;
  readonly text: string;
  /** Sends the statement. Throws DatabaseUnavailable when the database is away, else the driver's DatabaseError. */
  run(on: Asked, values?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** Postgres cuts longer names, and two statements cut to the same name would be mixed up. */
const NAME_LENGTH_MAX = 63;

const textByName = new Map<string, string>();

/**
 * A reusable named statement. `Row` is the shape the statement's own column list promises, as value-parsers.ts delivers it.
 * Arrays in `values` become Postgres arrays; pass `JSON.stringify(value)` for json and jsonb.
 */
export function sql<Row extends QueryResultRow = Record<string, unknown>>(name: string, text: string): NamedSql<Row> {
  assertNameIsFree(name, text);
  return {
    name,
    text,
    async run(on, values = []): Promise<QueryResult<Row>> {
      try {
        return await on.query<Row>({ name, text, values: [...values] });
      } catch (error) {
        throw asDatabaseFault(error);
      }
    },
  };
}

/** One name, one text: the driver refuses the second text only at run time, on connections that saw the first. */
function assertNameIsFree(name: string, text: string): void {
  if (!/^[a-z][a-z0-9_]*$/.test(name) || name.length > NAME_LENGTH_MAX) {
    throw new Error(`Bug: "${name}" cannot name a statement: lower-case words joined by _, at most 63 characters`);
  }
  const known = textByName.get(name);
  if (known !== undefined && known !== text) throw new Error(`Bug: two different statements are named "${name}"`);
  textByName.set(name, text);
}
