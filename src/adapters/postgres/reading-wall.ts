/**
 * How does a reader see one organization only, whatever its statement asks for? Each question is a transaction that names the
 * organization to row-level security first; all of it is sent at once, in one round trip (docs/spec/identity.md R-ORG-3,
 * docs/adr/0014-second-wall.md).
 */
import type { ClientBase, Pool, QueryConfig, QueryResult, QueryResultRow } from "pg";
import { Bug } from "../../core/refusal.ts";
import { codeOf, DatabaseUnusable } from "./database-fault.ts";

/** Whatever a statement can be put to: a pool, a client, or an organization's side of the wall. */
export interface Asked {
  query<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>>;
}

/** Where a reader's questions go. */
export interface Sources {
  /** What belongs to the reader's organization. */
  readonly own: Asked;
  /** Everything: for who somebody is, before their organization is known, and for work on the whole installation. */
  readonly installation: Asked;
}

/** The role that reading transactions take on where the database lets them (`raise_reading_wall` in db/migrations). */
export const READER_ROLE = "countersign_reader";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The pool, seeing only what belongs to this organization. It cannot write. */
export function behindWall(pool: Pool, orgId: string): Asked {
  if (!UUID.test(orgId)) throw new Bug("an organization's id is a UUID");
  return {
    async query<Row extends QueryResultRow>(statement: QueryConfig): Promise<QueryResult<Row>> {
      const takeOn = await roleStatement(pool);
      const client = await pool.connect();
      // Without waiting in between: where the first fails, the answer of the second is not looked at.
      const [begun, answer, ended] = await Promise.allSettled([
        client.query(`begin read only; ${takeOn}set local countersign.organization = '${orgId}'`),
        client.query<Row>(statement),
        client.query("commit"),
      ]);
      client.release(begun.status === "rejected" || ended.status === "rejected");
      for (const part of [begun, answer, ended]) if (part.status === "rejected") throw part.reason;
      if (answer.status === "rejected") throw answer.reason;
      return answer.value;
    },
  };
}

const roleStatements = new WeakMap<Pool, Promise<string>>();

/** What this pool's user has to say to be subject to the policies; asked once, and again after a failure. */
function roleStatement(pool: Pool): Promise<string> {
  const known = roleStatements.get(pool);
  if (known !== undefined) return known;
  const asked = findRoleStatement(pool).catch((error: unknown) => {
    roleStatements.delete(pool);
    throw error;
  });
  roleStatements.set(pool, asked);
  return asked;
}

/** May not be taken on, or is not there: then the policies have to hold for the database user (R-ORG-3). */
const NO_SUCH_ROLE: ReadonlySet<string | undefined> = new Set(["42501", "22023", "42704"]);

async function findRoleStatement(pool: Pool): Promise<string> {
  try {
    await pool.query("select set_config('role', $1, true)", [READER_ROLE]);
    return `set local role ${READER_ROLE}; `;
  } catch (error) {
    if (!NO_SUCH_ROLE.has(codeOf(error))) throw error;
  }
  const { rows } = await pool.query<{ active: boolean }>("select row_security_active('requests') as active");
  if (rows[0]?.active !== true) throw noWall();
  return "";
}

/**
 * After the migrations: walls the tables that are new and lets the reader's role read them. Throws DatabaseUnusable where
 * nothing can keep organizations apart.
 */
export async function raiseReadingWall(client: ClientBase): Promise<void> {
  const found = await client.query<{ exists: boolean }>(
    "select to_regprocedure('raise_reading_wall()') is not null as exists",
  );
  if (found.rows[0]?.exists !== true) return;
  const { rows } = await client.query<{ wall: string }>("select raise_reading_wall() as wall");
  if (rows[0]?.wall === "none") throw noWall();
}

function noWall(): DatabaseUnusable {
  return new DatabaseUnusable(
    "reading_wall",
    `The database user is above row-level security, which keeps organizations apart, and may not take on the role ${READER_ROLE}: as an administrator, create role ${READER_ROLE} nologin; and grant ${READER_ROLE} to that user.`,
  );
}
