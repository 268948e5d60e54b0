/**
 * What a transaction reads before it decides: one statement per kind of thing, whatever the number of commands.
 * Everything is read under the lock of the ledger head, so nothing read here can change before the commit.
 */
import type { ClientBase, QueryResultRow } from "pg";
import type { PersonId, PolicyId, RequestId, TaskId } from "../../core/ids.ts";
import { isMachineName, type Person } from "../../core/person.ts";
import { isDisabled } from "../../core/person-status.ts";
import type { Request } from "../../core/request.ts";
import type { EntryFields } from "../../ledger/entry.ts";
import type { LedgerHead } from "../../ledger/head.ts";
import type { DelegationRecord, IdempotencyRecord, PolicyVersion } from "../../ports/change-set.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import type { DirectoryEntry, PersonRecord } from "../../ports/identity-records.ts";
import type { LiveKeys, RequestsOf } from "../../ports/command-store.ts";
import { sql } from "./named-sql.ts";
import { FOLDED_NAMES, withAddress } from "./person-json.ts";
import { recordOf } from "./record-statements.ts";
import { RECORD_TABLES, selectList } from "./record-tables.ts";
import { RECORDED_ENTRIES, recordedByRequest, recordedName } from "./recorded-entries.ts";
import { aggregateSql, requestFromAggregate, type AggregateRow } from "./request-aggregate.ts";
import {
  DELEGATION_COLUMNS,
  delegationFromRow,
  DIRECTORY_COLUMNS,
  directoryEntryFromRow,
  IDEMPOTENCY_COLUMNS,
  idempotencyFromRow,
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

export async function loadRecorded(
  client: ClientBase,
  ids: readonly RequestId[],
): Promise<ReadonlyMap<string, readonly EntryFields[] | null>> {
  if (ids.length === 0) return new Map();
  return recordedByRequest((await RECORDED_ENTRIES.run(client, [ids.map(recordedName)])).rows);
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

const IS_LIVE =
  "r.org_id = $1::uuid and r.live_key is not null and starts_with(r.live_key, $2) and right(r.live_key, length($3)) = $3";

const LOAD_LIVE = sql<AggregateRow & QueryResultRow>("load_live_requests", aggregateSql(IS_LIVE, true));

export async function loadLiveRequests(
  client: ClientBase,
  orgId: string,
  asked: readonly LiveKeys[],
): Promise<readonly Request[]> {
  const found: Request[] = [];
  for (const { startsWith, endsWith } of asked) {
    found.push(...(await LOAD_LIVE.run(client, [orgId, startsWith, endsWith])).rows.map(requestFromAggregate));
  }
  return found;
}

const LOAD_LIVE_APPROVALS = sql<QueryResultRow>(
  "load_live_approvals",
  `select ${selectList(RECORD_TABLES.deployApproval)} from deploy_approvals t
where t.request_id in (select r.id from requests r where ${IS_LIVE}) order by t.id`,
);

export async function loadLiveApprovals(
  client: ClientBase,
  orgId: string,
  asked: readonly LiveKeys[],
): Promise<readonly DeployApprovalRecord[]> {
  const found: DeployApprovalRecord[] = [];
  for (const { startsWith, endsWith } of asked) {
    const { rows } = await LOAD_LIVE_APPROVALS.run(client, [orgId, startsWith, endsWith]);
    found.push(...rows.filter(recordOf("deployApproval")));
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
