/** What a store sends to Postgres, counted where it leaves the driver. */
import { Client } from "pg";
import { vi } from "vitest";

export interface CountedBatch {
  /** Names of the statements, without `begin`, `commit` and `rollback`. */
  readonly statements: readonly string[];
  /** Times that something was sent after an answer had been waited for. */
  readonly roundTrips: number;
}

export interface StatementCount {
  /** One per transaction begun since the last reset. */
  readonly batches: readonly CountedBatch[];
  reset(): void;
}

const TRANSACTION_CONTROL: ReadonlySet<string> = new Set(["begin", "commit", "rollback"]);

/** Counts until the end of the test; statements of every other connection go uncounted. */
export function countStatements(applicationName: string): StatementCount {
  let batches: { statements: string[]; roundTrips: number }[] = [];
  let hasAnswer = true;
  const original: unknown = Reflect.get(Client.prototype, "query");
  if (typeof original !== "function") throw new Error("The driver has no query function");
  const send = (client: object, given: readonly unknown[]): unknown => Reflect.apply(original, client, given);
  vi.spyOn(Client.prototype, "query").mockImplementation(function (this: unknown, ...given: unknown[]): unknown {
    if (!(this instanceof Client)) throw new Error("Somebody queries without a client");
    if (nameOf(this) !== applicationName) return send(this, given);
    const text = statementName(given[0]);
    if (text === "begin") batches.push({ statements: [], roundTrips: 0 });
    const batch = batches.at(-1);
    if (batch !== undefined && !TRANSACTION_CONTROL.has(text)) batch.statements.push(text);
    if (batch !== undefined && hasAnswer) batch.roundTrips += 1;
    hasAnswer = false;
    const answer = send(this, given);
    const mark = (): void => {
      hasAnswer = true;
    };
    if (answer instanceof Promise) answer.then(mark, mark);
    return answer;
  });
  return {
    get batches() {
      return batches;
    },
    reset() {
      batches = [];
    },
  };
}

function nameOf(client: Client): unknown {
  const parameters: unknown = Reflect.get(client, "connectionParameters");
  return typeof parameters === "object" && parameters !== null
    ? Reflect.get(parameters, "application_name")
    : undefined;
}

function statementName(statement: unknown): string {
  if (typeof statement === "string") return statement;
  if (typeof statement === "object" && statement !== null && "name" in statement) return String(statement.name);
  return "unnamed";
}
