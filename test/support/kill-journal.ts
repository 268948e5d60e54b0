/** What the server acknowledged, kept by the driver on the disk before it goes on: the truth that every crash must keep. */
import { readFile } from "node:fs/promises";
import type { Pool } from "pg";

export type Acknowledged =
  | { readonly kind: "created"; readonly flow: string; readonly request: string }
  | {
      readonly kind: "decided";
      readonly flow: string;
      readonly request: string;
      readonly person: string;
      readonly decision: string;
    }
  | { readonly kind: "approved"; readonly flow: string; readonly request: string };

/** A last line without its end was never synced, so nothing followed from it. */
export async function readJournal(file: string): Promise<readonly Acknowledged[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line): Acknowledged => {
      const value: unknown = JSON.parse(line);
      if (!isAcknowledged(value)) throw new Error(`The driver wrote what makes no sense: ${line}`);
      return value;
    });
}

/** What of the journal the database does not hold; empty when nothing is missing. */
export async function missingFrom(pool: Pool, journal: readonly Acknowledged[]): Promise<readonly Acknowledged[]> {
  const of = <Kind extends Acknowledged["kind"]>(kind: Kind): readonly Extract<Acknowledged, { kind: Kind }>[] =>
    journal.filter((line): line is Extract<Acknowledged, { kind: Kind }> => line.kind === kind);
  const [created, decided, approved] = [of("created"), of("decided"), of("approved")];
  const has = async (statement: string, values: readonly unknown[]): Promise<ReadonlySet<string>> => {
    const { rows } = await pool.query<{ key: string }>(statement, [...values]);
    return new Set(rows.map(({ key }) => key));
  };
  const requests = await has("select id || ' ' || artifact_id as key from requests where id = any($1::uuid[])", [
    created.map(({ request }) => request),
  ]);
  const decisions = await has(
    `select id || ' ' || request_id || ' ' || actor_id as key from decisions where id = any($1::uuid[]) and action = 'approve'`,
    [decided.map(({ decision }) => decision)],
  );
  const ended = await has("select id::text as key from requests where id = any($1::uuid[]) and status = 'approved'", [
    approved.map(({ request }) => request),
  ]);
  return [
    ...created.filter(({ request, flow }) => !requests.has(`${request} ${flow}`)),
    ...decided.filter(({ decision, request, person }) => !decisions.has(`${decision} ${request} ${person}`)),
    ...approved.filter(({ request }) => !ended.has(request)),
  ];
}

/** Flows whose request or whose decision of a person exists more than once, acknowledged or not. */
export async function doubled(pool: Pool): Promise<readonly string[]> {
  const { rows } = await pool.query<{ what: string }>(
    `select artifact_id as what from requests group by artifact_id having count(*) > 1
     union all select request_id || ' ' || actor_id from decisions group by request_id, actor_id having count(*) > 1`,
  );
  return rows.map(({ what }) => what);
}

function isAcknowledged(value: unknown): value is Acknowledged {
  return typeof value === "object" && value !== null && "kind" in value && "flow" in value && "request" in value;
}
