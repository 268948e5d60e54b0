/**
 * Whom do roles and groups lead to, and who of them is away? From the local directory and from the roles of this installation
 * (docs/spec/engine.md R-RESOLVE-11, R-DELEG-1).
 */
import type { ClientBase, QueryResultRow } from "pg";
import { lookupKey, type Lookup } from "../../core/facts.ts";
import type { PersonId } from "../../core/ids.ts";
import type { Delegation } from "../../core/person.ts";
import { sql } from "./named-sql.ts";
import { JSON_PERSON, personFromJson, type JsonPerson } from "./person-json.ts";
import { isBuiltIn, loadRoleHolders, type DirectoryMatch } from "./role-holders.ts";
import { instant } from "./rows.ts";

interface MemberRow extends QueryResultRow {
  readonly kind: "role" | "group";
  readonly client: string;
  readonly name: string;
  readonly people: readonly JsonPerson[];
}

const MEMBERS = `(select coalesce(json_agg(${JSON_PERSON}
    order by array_position(entry.members, person.id)), '[]'::json)
   from people person where person.id = any(entry.members)) as people`;

const LOAD_MEMBERS = sql<MemberRow>(
  "load_directory_members",
  `select entry.kind, entry.client, entry.name, ${MEMBERS} from directory_entries entry
   where entry.org_id = $1 and not entry.deleted and (
     (entry.kind, entry.client, entry.name) in (select * from unnest($2::text[], $3::text[], $4::text[]))
     or (entry.kind = 'group' and exists (select from unnest($5::text[]) as parent where starts_with(entry.name, parent || '/'))))
   order by entry.kind, entry.client, entry.name`,
);

/** Every role or group asked for gets an answer; one that does not exist is a failure, not an empty list (R-RESOLVE-11). */
export async function loadLookups(
  client: ClientBase,
  orgId: string,
  matches: readonly DirectoryMatch[],
): Promise<ReadonlyMap<string, Lookup>> {
  const ofDirectory = matches.filter((match) => !isBuiltIn(match));
  const [members, holders] = await Promise.all([
    loadMembers(client, orgId, ofDirectory),
    loadRoleHolders(client, orgId, matches.filter(isBuiltIn)),
  ]);
  return new Map([...members, ...holders]);
}

async function loadMembers(
  client: ClientBase,
  orgId: string,
  matches: readonly DirectoryMatch[],
): Promise<ReadonlyMap<string, Lookup>> {
  if (matches.length === 0) return new Map();
  const { rows } = await LOAD_MEMBERS.run(client, [orgId, ...directoryColumns(matches)]);
  return new Map(matches.map((match) => [lookupKey(match), lookupOf(match, rows)]));
}

function lookupOf(match: DirectoryMatch, rows: readonly MemberRow[]): Lookup {
  const client = match.type === "role" ? (match.client ?? "") : "";
  const name = match.type === "role" ? match.role : match.path;
  const exact = rows.find((row) => row.kind === match.type && row.client === client && row.name === name);
  if (exact === undefined) return { ok: false, error: `${match.type} '${name}' does not exist` };
  const below =
    match.type === "group" && match.includeSubgroups
      ? rows.filter((row) => row.kind === "group" && row.name.startsWith(`${name}/`))
      : [];
  const members = new Map(
    [exact, ...below].flatMap((row) => row.people).map((person) => [person.id, personFromJson(person)]),
  );
  return { ok: true, members: [...members.values()] };
}

interface InForceRow extends QueryResultRow {
  readonly id: Delegation["id"];
  readonly from_person_id: PersonId;
  readonly starts_at: string;
  readonly ends_at: string;
  readonly created_at: string;
  readonly policy_keys: readonly string[];
  readonly artifact_types: readonly string[];
  readonly delegate: JsonPerson;
}

const LOAD_ABSENCES = sql<InForceRow>(
  "load_absences",
  `select d.id, d.from_person_id, d.starts_at, d.ends_at, d.created_at, d.policy_keys, d.artifact_types,
     (select ${JSON_PERSON} from people person where person.id = d.to_person_id) as delegate
   from delegations d
   where d.deleted_at is null and d.ends_at > now() - interval '1 minute' and (
     d.from_person_id in (select person_id from aliases where org_id = $1 and name = any($2))
     or d.from_person_id in (select unnest(entry.members) from directory_entries entry
        where entry.org_id = $1 and not entry.deleted and (
          (entry.kind, entry.client, entry.name) in (select * from unnest($3::text[], $4::text[], $5::text[]))
          or (entry.kind = 'group' and exists (select from unnest($6::text[]) as parent where starts_with(entry.name, parent || '/')))))
     or d.from_person_id in (select person_id from role_grants where org_id = $1 and role = any($7) and ended_at is null))`,
);

/** The absences of everybody these names, roles and groups may lead to; the engine compares the times itself. */
export async function loadAbsences(
  client: ClientBase,
  orgId: string,
  names: readonly string[],
  matches: readonly DirectoryMatch[],
): Promise<ReadonlyMap<PersonId, readonly Delegation[]>> {
  if (names.length + matches.length === 0) return new Map();
  const { rows } = await LOAD_ABSENCES.run(client, [
    orgId,
    names,
    ...directoryColumns(matches.filter((match) => !isBuiltIn(match))),
    matches.filter(isBuiltIn).map(({ role }) => role),
  ]);
  const byPerson = new Map<PersonId, Delegation[]>();
  for (const row of rows) {
    const delegation: Delegation = {
      id: row.id,
      from: row.from_person_id,
      to: personFromJson(row.delegate),
      startsAt: instant(row.starts_at),
      endsAt: instant(row.ends_at),
      createdAt: instant(row.created_at),
      policyKeys: row.policy_keys,
      artifactTypes: row.artifact_types,
    };
    byPerson.set(delegation.from, [...(byPerson.get(delegation.from) ?? []), delegation]);
  }
  return byPerson;
}

function directoryColumns(matches: readonly DirectoryMatch[]): readonly (readonly string[])[] {
  return [
    matches.map(({ type }) => type),
    matches.map((match) => (match.type === "role" ? (match.client ?? "") : "")),
    matches.map((match) => (match.type === "role" ? match.role : match.path)),
    matches.flatMap((match) => (match.type === "group" && match.includeSubgroups ? [match.path] : [])),
  ];
}
