/** The reading of people, sessions, delegations and the local directory, one statement each. */
import type { DelegationFilter, IdentifiedPerson, KnownMember, Reader, Viewer } from "../../ports/reader.ts";
import { isOfInstallation } from "./installation-records.ts";
import { selectAll, selectRecords } from "./record-statements.ts";
import { allOf, ask, asked, containing, parameters, read } from "./reader-statement.ts";
import {
  DELEGATION_COLUMNS,
  delegationFromRow,
  DIRECTORY_COLUMNS,
  directoryEntryFromRow,
  PERSON_COLUMNS,
  personFromRow,
  timestamp,
  type DelegationRow,
  type DirectoryRow,
  type PersonRow,
} from "./rows.ts";
import type { Sources } from "./reading-wall.ts";
import { sql } from "./named-sql.ts";

type PeopleReader = Pick<
  Reader,
  | "delegations"
  | "delegation"
  | "directory"
  | "people"
  | "directoryNames"
  | "identify"
  | "organizations"
  | "person"
  | "records"
>;

export function createPeopleReader(sources: Sources, orgId: string): PeopleReader {
  const { own } = sources;
  return {
    async delegations(filter, viewer) {
      if (!viewer.readsAll && viewer.personId === null) return [];
      const { text, values } = delegationList(filter, viewer, orgId);
      const rows = await ask<DelegationRow>(own, "reader_delegations", text, values);
      return rows.map(delegationFromRow);
    },
    async delegation(id) {
      const [row] = await read(delegationSql, own, [orgId, id]);
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
      const rows = await ask<DirectoryNamesRow>(own, "reader_directory", text, bound.values);
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
      const rows = await ask<PersonRow>(own, "reader_people", text, bound.values);
      return rows.map(personFromRow);
    },
    ...createKnownReader(sources, orgId),
  };
}

/** Who somebody is, and what the directory has. */
function createKnownReader(
  { own, installation }: Sources,
  orgId: string,
): Pick<PeopleReader, "directoryNames" | "identify" | "organizations" | "person" | "records"> {
  return {
    async directoryNames() {
      const rows = await read(directoryNamesSql, own, [orgId]);
      return {
        roles: rows.filter((row) => row.kind === "role").map((row) => ({ client: row.client, role: row.name })),
        groups: rows.filter((row) => row.kind === "group").map((row) => row.name),
      };
    },
    async identify(principal) {
      const { issuer, subject, assignee } = principal;
      const rows = await read(identifySql, installation, [issuer, subject, assignee, orgId]);
      return { byIdentity: identified(rows, "identity"), byName: identified(rows, "name") };
    },
    async person(id) {
      const [row] = await read(personSql, own, [id, orgId]);
      return row === undefined ? undefined : memberFromRow(row);
    },
    async organizations() {
      const found = await asked(() => selectAll(installation, "organization"));
      return [...found].sort((left, right) => left.name.localeCompare(right.name, "en"));
    },
    async records(query) {
      return await asked(() => selectRecords(isOfInstallation(query) ? installation : own, query));
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

interface MemberRow extends PersonRow {
  readonly folded_names: readonly string[];
  readonly roles: readonly string[];
  readonly enrolled: boolean;
}

/** What belongs to a person besides their row; `org` is the parameter that holds the organization. */
function memberColumns(org: string): string {
  return `${PERSON_COLUMNS},
     array(select distinct alias.folded from aliases alias where alias.person_id = person.id order by alias.folded) as folded_names,
     array(select distinct given.role from role_grants given where given.person_id = person.id and given.ended_at is null
       and (given.org_id is null or given.org_id = ${org}) order by given.role) as roles,
     exists (select from factors factor where factor.person_id = person.id and factor.removed_at is null
       and factor.disabled_at is null) as enrolled`;
}

const personSql = sql<MemberRow>(
  "reader_person",
  `select ${memberColumns("$2::uuid")} from people person where person.id = $1 and (person.org_id = $2::uuid or exists (
     select from role_grants given where given.person_id = person.id and given.ended_at is null
       and (given.org_id is null or given.org_id = $2::uuid)))`,
);

function memberFromRow(row: MemberRow): KnownMember {
  return { record: personFromRow(row), foldedNames: row.folded_names, roles: row.roles, enrolled: row.enrolled };
}

interface IdentifiedRow extends MemberRow {
  readonly via: "identity" | "name";
  readonly claimed_subjects: readonly string[];
  readonly unlinked: boolean;
}

const identifySql = sql<IdentifiedRow>(
  "reader_identify",
  `select found.via, found.unlinked, ${memberColumns("$4::uuid")},
     array(select identity.subject from identities identity
       where identity.person_id = person.id and identity.issuer = $1 order by identity.subject) as claimed_subjects
   from (
     select 'identity' as via, identity.person_id, identity.unlinked_at is not null as unlinked
     from identities identity where identity.issuer = $1 and identity.subject = $2
     union all
     select 'name', alias.person_id, false from aliases alias where alias.org_id = $4 and alias.name = $3
   ) found
   join people person on person.id = found.person_id`,
);

function identified(rows: readonly IdentifiedRow[], via: IdentifiedRow["via"]): IdentifiedPerson | undefined {
  const row = rows.find((candidate) => candidate.via === via);
  if (row === undefined) return undefined;
  return { ...memberFromRow(row), claimedSubjects: row.claimed_subjects, unlinked: row.unlinked };
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
