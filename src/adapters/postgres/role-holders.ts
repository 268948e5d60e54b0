/**
 * Who holds a role of this installation? What a rule `{role, client: "countersign"}` finds: everybody with a live grant of it
 * in the organization, whatever gave it to them (docs/spec/engine.md R-RESOLVE-11).
 */
import type { ClientBase, QueryResultRow } from "pg";
import { lookupKey, type Lookup } from "../../core/facts.ts";
import type { RuleMatch } from "../../core/policy.ts";
import { BUILT_IN_CLIENT, isOrganizationRole } from "../../core/roles.ts";
import { sql } from "./named-sql.ts";
import { JSON_PERSON, personFromJson, type JsonPerson } from "./person-json.ts";

export type DirectoryMatch = Extract<RuleMatch, { type: "role" | "group" }>;
type RoleMatch = Extract<RuleMatch, { type: "role" }>;

export function isBuiltIn(match: DirectoryMatch): match is RoleMatch {
  return match.type === "role" && match.client === BUILT_IN_CLIENT;
}

interface HolderRow extends QueryResultRow {
  readonly role: string;
  readonly person: JsonPerson;
}

const LOAD_HOLDERS = sql<HolderRow>(
  "load_role_holders",
  `select held.role, ${JSON_PERSON} as person
   from (select role, person_id, min(created_at) as since from role_grants
     where org_id = $1 and role = any($2) and ended_at is null group by role, person_id) held
   join people person on person.id = held.person_id
   order by held.role, held.since, person.id`,
);

/** A role that nobody can hold here is a failed lookup, not an empty one (R-RESOLVE-6). */
export async function loadRoleHolders(
  client: ClientBase,
  orgId: string,
  matches: readonly RoleMatch[],
): Promise<ReadonlyMap<string, Lookup>> {
  if (matches.length === 0) return new Map();
  const { rows } = await LOAD_HOLDERS.run(client, [orgId, matches.map(({ role }) => role)]);
  return new Map(matches.map((match) => [lookupKey(match), lookupOf(match.role, rows)]));
}

function lookupOf(role: string, rows: readonly HolderRow[]): Lookup {
  if (!isOrganizationRole(role)) {
    return { ok: false, error: `role '${role}' of client '${BUILT_IN_CLIENT}' does not exist` };
  }
  return { ok: true, members: rows.filter((row) => row.role === role).map(({ person }) => personFromJson(person)) };
}
