/**
 * What a transaction reads before it decides: one statement per kind of thing, whatever the number of commands.
 * Everything is read under the lock of the ledger head, so nothing read here can change before the commit.
 */
import type { ClientBase, QueryResultRow } from "pg";
import { lookupKey, type Lookup } from "../../core/facts.ts";
import type { PersonId, PolicyId, RequestId, TaskId } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { foldName, isMachineName, type Delegation, type Person } from "../../core/person.ts";
import { isDisabled, type PersonStatus } from "../../core/person-status.ts";
import type { RuleMatch } from "../../core/policy.ts";
import type { Request } from "../../core/request.ts";
import type { LedgerHead } from "../../ledger/head.ts";
import type { DelegationRecord, IdempotencyRecord, PolicyVersion } from "../../ports/change-set.ts";
import type { DirectoryEntry, PersonRecord } from "../../ports/identity-records.ts";
import type { RequestsOf } from "../../ports/command-store.ts";
import { sql } from "./named-sql.ts";
import { aggregateSql, requestFromAggregate, type AggregateRow } from "./request-aggregate.ts";
import {
  DELEGATION_COLUMNS,
  delegationFromRow,
  DIRECTORY_COLUMNS,
  directoryEntryFromRow,
  IDEMPOTENCY_COLUMNS,
  idempotencyFromRow,
  instant,
  PERSON_COLUMNS,
  personFromRow,
  POLICY_COLUMNS,
  policyFromRow,
  type DelegationRow,
  type DirectoryRow,
  type IdempotencyRow,
  type PersonRow,
  type PolicyRow,
} from "./rows.ts";

interface HeadRow extends QueryResultRow {
  readonly size: number;
  readonly root: string;
  readonly chain: string;
  readonly ranges: readonly string[];
  readonly last_at: string | null;
}

const LOCK_HEAD = sql<HeadRow>("lock_head", "select size, root, chain, ranges, last_at from ledger_head for update");

/** Taken first by every writing transaction: the writers of all processes take turns from here to the commit. */
export async function lockHead(client: ClientBase): Promise<LedgerHead | undefined> {
  const row = (await LOCK_HEAD.run(client)).rows[0];
  if (row === undefined) return undefined;
  return { size: row.size, root: row.root, chain: row.chain, ranges: row.ranges, lastAt: row.last_at };
}

const LOAD_REQUESTS = sql<AggregateRow & QueryResultRow>(
  "load_requests",
  aggregateSql(
    "r.org_id = $3::uuid and r.id = any($1::uuid[] || array(select request_id from tasks where id = any($2::uuid[])))",
    true,
  ),
);

/** Requests of the organization alone: an id of another one is unknown here (identity R-ORG-2). */
export async function loadRequests(
  client: ClientBase,
  orgId: string,
  ids: readonly RequestId[],
  taskIds: readonly TaskId[],
): Promise<readonly Request[]> {
  if (ids.length + taskIds.length === 0) return [];
  return (await LOAD_REQUESTS.run(client, [ids, taskIds, orgId])).rows.map(requestFromAggregate);
}

const OF_HOLDERS = `r.id in (select distinct task.request_id from tasks task
  where task.status in ('open', 'claimed') and (task.person_id = any($1::uuid[]) or task.delegator_id = any($1::uuid[]))
  order by task.request_id limit $2)`;

const OF_ANYBODY = `r.id in (select live.id from requests live where live.status in ('pending', 'in_review') and (
  live.creator_person_id = any($1::uuid[]) or live.creator_stands_for && $1::uuid[]
  or exists (select from tasks task where task.request_id = live.id and (task.person_id = any($1::uuid[]) or task.delegator_id = any($1::uuid[])))
  or exists (select from seats seat where seat.request_id = live.id and seat.origins && $1::uuid[])
  or exists (select from decisions decision where decision.request_id = live.id and decision.person_id = any($1::uuid[])))
  order by live.id limit $2)`;

const LOAD_OF_HOLDERS = sql<AggregateRow & QueryResultRow>("load_requests_of_holders", aggregateSql(OF_HOLDERS, true));
const LOAD_OF_ANYBODY = sql<AggregateRow & QueryResultRow>("load_requests_of_anybody", aggregateSql(OF_ANYBODY, true));

export async function loadRequestsOf(client: ClientBase, asked: readonly RequestsOf[]): Promise<readonly Request[]> {
  const found: Request[] = [];
  for (const { personIds, as, limit } of asked) {
    const statement = as === "holder" ? LOAD_OF_HOLDERS : LOAD_OF_ANYBODY;
    found.push(...(await statement.run(client, [personIds, limit])).rows.map(requestFromAggregate));
  }
  return found;
}

const LOAD_LINES = sql<PolicyRow & QueryResultRow>(
  "load_policy_lines",
  `select ${POLICY_COLUMNS} from policies p where p.org_id = $1 and p.policy_key = any($2) order by p.policy_key, p.version`,
);

export async function loadPolicyLines(
  client: ClientBase,
  orgId: string,
  keys: readonly string[],
): Promise<readonly PolicyVersion[]> {
  if (keys.length === 0) return [];
  return (await LOAD_LINES.run(client, [orgId, keys])).rows.map(policyFromRow);
}

const ACTIVE_IDS = sql<{ policy_key: string; id: PolicyId }>(
  "active_policy_ids",
  "select policy_key, id from policies where org_id = $1 and policy_key = any($2) and status = 'active'",
);

/** Ids only: the documents of active versions never change and are kept in memory. */
export async function activePolicyIds(
  client: ClientBase,
  orgId: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, PolicyId>> {
  if (keys.length === 0) return new Map();
  return new Map((await ACTIVE_IDS.run(client, [orgId, keys])).rows.map((row) => [row.policy_key, row.id]));
}

const LOAD_POLICIES = sql<PolicyRow & QueryResultRow>(
  "load_policies_by_id",
  `select ${POLICY_COLUMNS} from policies p where p.id = any($1::uuid[])`,
);

export async function loadPolicies(client: ClientBase, ids: readonly PolicyId[]): Promise<readonly PolicyVersion[]> {
  if (ids.length === 0) return [];
  return (await LOAD_POLICIES.run(client, [ids])).rows.map(policyFromRow);
}

const LOAD_IDEMPOTENCY = sql<IdempotencyRow & QueryResultRow>(
  "load_idempotency",
  `select ${IDEMPOTENCY_COLUMNS} from idempotency_keys stored
   where (stored.scope, stored.key) in (select * from unnest($1::text[], $2::text[]))`,
);

export async function loadIdempotency(
  client: ClientBase,
  keys: readonly { readonly scope: string; readonly key: string }[],
): Promise<readonly IdempotencyRecord[]> {
  if (keys.length === 0) return [];
  const result = await LOAD_IDEMPOTENCY.run(client, [keys.map(({ scope }) => scope), keys.map(({ key }) => key)]);
  return result.rows.map(idempotencyFromRow);
}

const LOAD_DELEGATIONS = sql<DelegationRow & QueryResultRow>(
  "load_delegations_by_id",
  `select ${DELEGATION_COLUMNS} from delegations delegation where delegation.id = any($1::uuid[]) and delegation.org_id = $2::uuid`,
);

export async function loadDelegations(
  client: ClientBase,
  orgId: string,
  ids: readonly string[],
): Promise<readonly DelegationRecord[]> {
  if (ids.length === 0) return [];
  return (await LOAD_DELEGATIONS.run(client, [ids, orgId])).rows.map(delegationFromRow);
}

const LOAD_DIRECTORY = sql<DirectoryRow & QueryResultRow>(
  "load_directory_entries",
  `select ${DIRECTORY_COLUMNS} from directory_entries entry
   where entry.org_id = $1 and (entry.kind, entry.client, entry.name) in (select * from unnest($2::text[], $3::text[], $4::text[]))`,
);

export async function loadDirectoryEntries(
  client: ClientBase,
  orgId: string,
  entries: readonly { readonly kind: string; readonly client: string; readonly name: string }[],
): Promise<readonly DirectoryEntry[]> {
  if (entries.length === 0) return [];
  const columns = [
    entries.map(({ kind }) => kind),
    entries.map((entry) => entry.client),
    entries.map(({ name }) => name),
  ];
  return (await LOAD_DIRECTORY.run(client, [orgId, ...columns])).rows.map(directoryEntryFromRow);
}

interface IdentityRow extends QueryResultRow {
  readonly issuer: string;
  readonly subject: string;
  readonly person_id: PersonId;
}

const LOAD_IDENTITIES = sql<IdentityRow>(
  "load_identities",
  `select issuer, subject, person_id from identities
   where (issuer, subject) in (select * from unnest($1::text[], $2::text[]))
   or person_id in (select person_id from aliases where org_id = $3 and name = any($4))`,
);

/** The identities asked for, and every identity of the people who go by these names. */
export async function loadIdentities(
  client: ClientBase,
  orgId: string,
  asked: readonly { readonly issuer: string; readonly subject: string }[],
  names: readonly string[],
): Promise<readonly IdentityRow[]> {
  if (asked.length + names.length === 0) return [];
  const columns = [asked.map(({ issuer }) => issuer), asked.map(({ subject }) => subject)];
  return (await LOAD_IDENTITIES.run(client, [...columns, orgId, names])).rows;
}

interface KnownPersonRow extends PersonRow, QueryResultRow {
  readonly asked: string | null;
  readonly folded_names: readonly string[];
}

const FOLDED_NAMES = "array(select folded from aliases own where own.person_id = person.id)";

const LOAD_PEOPLE = sql<KnownPersonRow>(
  "load_people_by_name",
  `select ${PERSON_COLUMNS}, alias.name as asked, ${FOLDED_NAMES} as folded_names
   from aliases alias join people person on person.id = alias.person_id
   where alias.org_id = $1 and alias.name = any($2)`,
);

export interface KnownPerson {
  readonly person: Person;
  readonly record: PersonRecord;
}

export async function loadPeople(
  client: ClientBase,
  orgId: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, KnownPerson>> {
  if (names.length === 0) return new Map();
  const { rows } = await LOAD_PEOPLE.run(client, [orgId, names]);
  return new Map(rows.map((row) => [row.asked ?? row.assignee, knownPerson(row)]));
}

const LOAD_PEOPLE_BY_ID = sql<KnownPersonRow>(
  "load_people_by_id",
  `select ${PERSON_COLUMNS}, null as asked, ${FOLDED_NAMES} as folded_names from people person where person.id = any($1::uuid[])`,
);

export async function loadPeopleById(client: ClientBase, ids: readonly PersonId[]): Promise<readonly KnownPerson[]> {
  if (ids.length === 0) return [];
  return (await LOAD_PEOPLE_BY_ID.run(client, [ids])).rows.map(knownPerson);
}

function knownPerson(row: KnownPersonRow): KnownPerson {
  const record = personFromRow(row);
  return { record, person: asPerson(record, row.folded_names) };
}

function asPerson(record: PersonRecord, foldedNames: readonly string[]): Person {
  return {
    id: record.id,
    assignee: record.assignee,
    foldedNames: withAddress(foldedNames, record.email),
    displayName: record.displayName,
    disabled: isDisabled(record.status),
    machine: isMachineName(record.assignee),
  };
}

/** An address names its person as well; like every name it bars, and gives nothing (R-AUTH-5). */
function withAddress(foldedNames: readonly string[], email: string | null): readonly string[] {
  return email === null ? foldedNames : [...foldedNames, foldName(email)];
}

type DirectoryMatch = Extract<RuleMatch, { type: "role" | "group" }>;

interface MemberRow extends QueryResultRow {
  readonly kind: "role" | "group";
  readonly client: string;
  readonly name: string;
  readonly people: readonly (JsonObject & JsonPerson)[];
}

interface JsonPerson {
  readonly id: PersonId;
  readonly assignee: string;
  readonly display_name: string | null;
  readonly email: string | null;
  readonly status: PersonStatus;
  readonly folded_names: readonly string[];
}

const MEMBERS = `(select coalesce(json_agg(json_build_object('id', person.id, 'assignee', person.assignee,
    'display_name', person.display_name, 'email', person.email, 'status', person.status, 'folded_names', ${FOLDED_NAMES})
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
  if (matches.length === 0) return new Map();
  const parents = matches.flatMap((match) => (match.type === "group" && match.includeSubgroups ? [match.path] : []));
  const { rows } = await LOAD_MEMBERS.run(client, [
    orgId,
    matches.map(({ type }) => type),
    matches.map((match) => (match.type === "role" ? (match.client ?? "") : "")),
    matches.map((match) => (match.type === "role" ? match.role : match.path)),
    parents,
  ]);
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
    [exact, ...below].flatMap((row) => row.people).map((person) => [person.id, memberOf(person)]),
  );
  return { ok: true, members: [...members.values()] };
}

function memberOf(person: JsonPerson): Person {
  return {
    id: person.id,
    assignee: person.assignee,
    foldedNames: withAddress(person.folded_names, person.email),
    displayName: person.display_name,
    disabled: isDisabled(person.status),
    machine: isMachineName(person.assignee),
  };
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
     (select json_build_object('id', person.id, 'assignee', person.assignee, 'display_name', person.display_name,
        'email', person.email, 'status', person.status, 'folded_names', ${FOLDED_NAMES}) from people person where person.id = d.to_person_id) as delegate
   from delegations d
   where d.deleted_at is null and d.ends_at > now() - interval '1 minute' and (
     d.from_person_id in (select person_id from aliases where org_id = $1 and name = any($2))
     or d.from_person_id in (select unnest(entry.members) from directory_entries entry
        where entry.org_id = $1 and not entry.deleted and (
          (entry.kind, entry.client, entry.name) in (select * from unnest($3::text[], $4::text[], $5::text[]))
          or (entry.kind = 'group' and exists (select from unnest($6::text[]) as parent where starts_with(entry.name, parent || '/'))))))`,
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
    matches.map(({ type }) => type),
    matches.map((match) => (match.type === "role" ? (match.client ?? "") : "")),
    matches.map((match) => (match.type === "role" ? match.role : match.path)),
    matches.flatMap((match) => (match.type === "group" && match.includeSubgroups ? [match.path] : [])),
  ]);
  const byPerson = new Map<PersonId, Delegation[]>();
  for (const row of rows) {
    const delegation: Delegation = {
      id: row.id,
      from: row.from_person_id,
      to: memberOf(row.delegate),
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
