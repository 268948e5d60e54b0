/**
 * How is a statement put together whose conditions depend on the question? Only the conditions that were asked for stand in
 * the text, so that each combination has a plan of its own; it is named by its text, so that Postgres plans it once per
 * connection. Values are always parameters.
 */
import { createHash } from "node:crypto";
import type { QueryResultRow } from "pg";
import { Unavailable } from "../../ports/unavailable.ts";
import { codeOf, DatabaseUnavailable } from "./database-fault.ts";
import { sql, type NamedSql } from "./named-sql.ts";
import type { Asked } from "./reading-wall.ts";

/** Collects the values of one statement; `$` gives each its place. */
export interface Parameters {
  readonly values: readonly unknown[];
  /** The place of a value, as `$3`. */
  readonly $: (value: unknown) => string;
}

export function parameters(): Parameters {
  const values: unknown[] = [];
  return {
    values,
    $(value): string {
      values.push(value);
      return `$${String(values.length)}`;
    },
  };
}

/** The conditions joined by `and`; those that were not asked for are left out. */
export function allOf(conditions: readonly (string | null | undefined | false)[]): string {
  const asked = conditions.filter((condition) => typeof condition === "string");
  return asked.length === 0 ? "true" : asked.map((condition) => `(${condition})`).join(" and ");
}

/** The pattern for LIKE that finds `text` anywhere, `%`, `_` and `\` meaning themselves (engine R-API-12). */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

/** Runs a statement made of `text`, under a name that starts with `name`. */
export async function ask<Row extends QueryResultRow>(
  on: Asked,
  name: string,
  text: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  return await read(namedByText<Row>(name, text), on, values);
}

/** Runs a statement of a reader; what the database cannot do now is said in the application's words. */
export async function read<Row extends QueryResultRow>(
  statement: NamedSql<Row>,
  on: Asked,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  return await asked(async () => (await statement.run(on, values)).rows);
}

/** Asks; what the database cannot do now is said in the application's words. */
export async function asked<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  try {
    return await question();
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** Statement timeout, lock timeout, no connection free: the database lives, but has too much to do. */
const BUSY_CODES: ReadonlySet<string> = new Set(["57014", "55P03", "53300"]);

function asUnavailable(error: unknown): unknown {
  if (!(error instanceof DatabaseUnavailable)) return error;
  return BUSY_CODES.has(codeOf(error.cause) ?? "")
    ? new Unavailable("busy", "The database is too busy to answer in time; try again.", error)
    : new Unavailable("database_down", "The database cannot be reached; try again.", error);
}

function namedByText<Row extends QueryResultRow>(name: string, text: string): NamedSql<Row> {
  const digest = createHash("sha256").update(text, "utf8").digest("hex");
  return sql<Row>(`${name}_${digest.slice(0, 16)}`, text);
}
