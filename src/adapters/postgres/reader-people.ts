/** The reading of people, sessions, delegations and the local directory, one statement each. */
import type { Pool } from "pg";
import type { DelegationFilter, IdentifiedPerson, Reader, Viewer } from "../../ports/reader.ts";
import { allOf, ask, containing, parameters, read } from "./reader-statement.ts";
import {
  DELEGATION_COLUMNS,
  delegationFromRow,
  DIRECTORY_COLUMNS,
  directoryEntryFromRow,
  PERSON_COLUMNS,
  personFromRow,
  SESSION_COLUMNS,
  sessionFromRow,
  timestamp,
  type DelegationRow,
  type DirectoryRow,
  type PersonRow,
  type SessionRow,
} from "./rows.ts";
import { sql } from "./named-sql.ts";

type PeopleReader = Pick<
  Reader,
  "delegations" | "delegation" | "directory" | "people" | "directoryNames" | "identify" | "session"
>;

export function createPeopleReader(pool: Pool, orgId: string): PeopleReader {
  return {
    async delegations(filter, viewer) {
      if (!viewer.readsAll && viewer.personId === null) return [];
      const { text, values } = delegationList(filter, viewer, orgId);
      const rows = await ask<DelegationRow>(pool, "reader_delegations", text, values);
      return rows.map(delegationFromRow);
    },
    async delegation(id) {
      const [row] = await read(delegationSql, pool, [orgId, id]);
      return row === undefined ? undefined : delegationFromRow(row);
    },
    async directory(filter) {
      const bound = parameters();
      const { $ } = bound;
      const conditions = allOf([
        `entry.org_id = ${$(orgId)}::uuid`,
        `entry.kind = ${$(filter.kind)}`,
        "not entry.deleted",
        filter.q !== undefined && `entry.name ilike ${$(containing(filter.q))}`,
      ]);
      const text = `select ${DIRECTORY_COLUMNS},
  array(select person.assignee from unnest(entry.members) with ordinality member (id, place)
    join people person on person.id = member.id order by member.place) as member_names
from directory_entries entry where ${conditions} order by entry.name, entry.client limit ${$(filter.limit)}::integer`;
      const rows = await ask<DirectoryNamesRow>(pool, "reader_directory", text, bound.values);
      return rows.map((row) => ({ ...directoryEntryFromRow(row), memberNames: row.member_names }));
    },
    async people(filter) {
      const bound = parameters();
      const { $ } = bound;
      const conditions = allOf([
        `person.org_id = ${$(orgId)}::uuid`,
        filter.q !== undefined && personCondition($(containing(filter.q))),
      ]);
      const text = `select ${PERSON_COLUMNS} from people person where ${conditions}
order by person.assignee, person.id limit ${$(filter.limit)}::integer`;
      const rows = await ask<PersonRow>(pool, "reader_people", text, bound.values);
      return rows.map(personFromRow);
    },
    async directoryNames() {
      const rows = await read(directoryNamesSql, pool, [orgId]);
      return {
        roles: rows.filter((row) => row.kind === "role").map((row) => ({ client: row.client, role: row.name })),
        groups: rows.filter((row) => row.kind === "group").map((row) => row.name),
      };
    },
    async identify(principal) {
      const { issuer, subject, assignee } = principal;
      const rows = await read(identifySql, pool, [issuer, subject, assignee, orgId]);
      return { byIdentity: identified(rows, "identity"), byName: identified(rows, "name") };
    },
    async session(tokenHash) {
      const [row] = await read(sessionSql, pool, [tokenHash]);
      return row === undefined ? undefined : sessionFromRow(row);
    },
  };
}

interface DirectoryNamesRow extends DirectoryRow {
  readonly member_names: readonly string[];
}

const delegationSql = sql<DelegationRow>(
  "reader_delegation",
  `select ${DELEGATION_COLUMNS} from delegations delegation
   where delegation.org_id = $1 and delegation.id = $2 and delegation.deleted_at is null`,
);

const directoryNamesSql = sql<{ kind: "role" | "group"; client: string; name: string }>(
  "reader_directory_names",
  "select kind, client, name from directory_entries where org_id = $1 and not deleted order by kind, client, name",
);

const sessionSql = sql<SessionRow>(
  "reader_session",
  `select ${SESSION_COLUMNS} from sessions session where session.token_hash = $1`,
);

interface IdentifiedRow extends PersonRow {
  readonly via: "identity" | "name";
  readonly folded_names: readonly string[];
  readonly claimed_subjects: readonly string[];
}

const identifySql = sql<IdentifiedRow>(
  "reader_identify",
  `select found.via, ${PERSON_COLUMNS},
     array(select distinct alias.folded from aliases alias where alias.person_id = person.id order by alias.folded) as folded_names,
     array(select identity.subject from identities identity
       where identity.person_id = person.id and identity.issuer = $1 order by identity.subject) as claimed_subjects
   from (
     select 'identity' as via, identity.person_id from identities identity where identity.issuer = $1 and identity.subject = $2
     union all
     select 'name', alias.person_id from aliases alias where alias.org_id = $4 and alias.name = $3
   ) found
   join people person on person.id = found.person_id`,
);

function identified(rows: readonly IdentifiedRow[], via: IdentifiedRow["via"]): IdentifiedPerson | undefined {
  const row = rows.find((candidate) => candidate.via === via);
  if (row === undefined) return undefined;
  return { record: personFromRow(row), foldedNames: row.folded_names, claimedSubjects: row.claimed_subjects };
}

function personCondition(pattern: string): string {
  return `person.assignee ilike ${pattern} or person.display_name ilike ${pattern} or person.email ilike ${pattern}`;
}

/** Everybody's for those who read everything, else those that the viewer is on either side of. */
function delegationList(
  filter: DelegationFilter,
  viewer: Viewer,
  orgId: string,
): { text: string; values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  const conditions = [
    `delegation.org_id = ${$(orgId)}::uuid`,
    "delegation.deleted_at is null",
    !viewer.readsAll && ownCondition(`${$(viewer.personId)}::uuid`),
    filter.name !== undefined && `delegation.from_name = ${$(filter.name)}`,
    filter.active !== undefined && activeCondition(filter.active, `${$(timestamp(filter.now))}::timestamptz`),
  ];
  const text = `select ${DELEGATION_COLUMNS} from delegations delegation where ${allOf(conditions)}
order by delegation.starts_at desc, delegation.id desc limit ${$(filter.limit)}::integer`;
  return { text, values: bound.values };
}

function ownCondition(person: string): string {
  return `delegation.from_person_id = ${person} or delegation.to_person_id = ${person}`;
}

function activeCondition(active: boolean, now: string): string {
  const isActive = `delegation.starts_at <= ${now} and ${now} < delegation.ends_at`;
  return active ? isActive : `not (${isActive})`;
}
