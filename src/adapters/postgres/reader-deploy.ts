/**
 * The reading of deploy approvals: lists and single ones, each with all that the wire shows, in two rounds of statements whatever
 * their number; and who may see which (docs/spec/deploy.md section 11.1, R-WIRE-2).
 */
import type { PersonId, PolicyId, RequestId } from "../../core/ids.ts";
import { isJsonObject, type JsonObject } from "../../core/json.ts";
import type { Request } from "../../core/request.ts";
import type { DeployStatus } from "../../gates/deploy/deploy-status.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import type {
  DeployApprovalView,
  DeployEnd,
  DeployFilter,
  DeployPerson,
  DeployReader,
  DeployToken,
  DeployViewer,
} from "../../ports/deploy-reader.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import { recordsBy } from "../../ports/records.ts";
import { createDeployLookups } from "./deploy-lookups.ts";
import { CURSOR_ID, CURSOR_TIME, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { allOf, ask, asked, containing, parameters, read, type Parameters } from "./reader-statement.ts";
import type { Asked, Sources } from "./reading-wall.ts";
import { selectRecords } from "./record-statements.ts";
import { aggregateSql, requestFromAggregate, type AggregateRow } from "./request-aggregate.ts";
import { instant, timestamp } from "./rows.ts";
import { sql } from "./named-sql.ts";

export function createDeployReader(sources: Sources, orgId: string): DeployReader {
  const { own } = sources;
  return {
    async deployApproval(id, viewer) {
      const [found] = await foundOnes(own, { id, viewer, orgId });
      return found === undefined ? undefined : (await viewsOf(sources, orgId, [found.id]))[0];
    },
    async deployApprovals(filter, viewer) {
      const { text, values } = approvalPage(filter, viewer, orgId);
      const rows = await ask<PageRow>(own, "reader_deploy_approvals", text, values);
      const { items, next } = pageOf(rows, filter.limit, {
        item: ({ id }) => id,
        cursor: (row) => encodeCursor("deploy", [row.created_at, row.id]),
      });
      return { items: await viewsOf(sources, orgId, items), next };
    },
    async deployVersion(id, viewer) {
      const [found] = await foundOnes(own, { id, viewer, orgId });
      return found?.version;
    },
    ...createDeployLookups(sources, orgId),
  };
}

interface FoundRow {
  readonly id: RequestId;
  readonly version: number;
}

function foundOnes(
  own: Asked,
  { id, viewer, orgId }: { readonly id: string; readonly viewer: DeployViewer; readonly orgId: string },
): Promise<readonly FoundRow[]> {
  const bound = parameters();
  const where = allOf([`a.id = ${bound.$(id)}::uuid`, `a.org_id = ${bound.$(orgId)}::uuid`, isVisible(viewer, bound)]);
  const text = `select a.id, a.version + r.event_count as version
from deploy_approvals a join requests r on r.id = a.request_id where ${where}`;
  return ask<FoundRow>(own, "reader_deploy_approval", text, bound.values);
}

/** True of those `deploy_approvals a` that concern the viewer; false where nothing does. */
function isVisible({ readsAll, personId, tokenId }: DeployViewer, { $ }: Parameters): string {
  if (readsAll) return "true";
  const concerns: string[] = [];
  if (personId !== null) {
    const person = `${$(personId)}::uuid`;
    const owned = `select token.id from api_tokens token join machines machine on machine.id = token.machine_id where machine.owners @> array[${person}]`;
    concerns.push(`a.created_by_person_id = ${person}`, `a.target_person_id = ${person}`);
    concerns.push(`a.target_token_id in (${owned})`);
  }
  if (tokenId !== null) {
    const token = `${$(tokenId)}::uuid`;
    concerns.push(`a.created_by_token_id = ${token}`, `a.target_token_id = ${token}`);
  }
  return concerns.length === 0 ? "false" : concerns.map((concern) => `(${concern})`).join(" or ");
}

interface PageRow {
  readonly id: RequestId;
  readonly created_at: string;
}

function approvalPage(
  filter: DeployFilter,
  viewer: DeployViewer,
  orgId: string,
): { readonly text: string; readonly values: readonly unknown[] } {
  const bound = parameters();
  const { $ } = bound;
  let boundNow: string | undefined;
  // A parameter that no condition uses has no type that Postgres could know.
  const now = (): string => (boundNow ??= `${$(timestamp(filter.now))}::timestamptz`);
  const conditions = [
    `a.org_id = ${$(orgId)}::uuid`,
    isVisible(viewer, bound),
    filter.statuses !== undefined && statusCondition(filter.statuses, now),
    filter.scope !== undefined && `a.scope = ${$(filter.scope)}`,
    filter.app !== undefined && `a.app = ${$(filter.app)}`,
    filter.branch !== undefined && `a.branch = ${$(filter.branch)}`,
    filter.commitPrefix !== undefined && `a.commit like ${$(`${filter.commitPrefix}%`)}`,
    filter.q !== undefined && searchCondition($(containing(filter.q))),
    filter.since !== undefined && `a.created_at >= ${$(timestamp(filter.since))}::timestamptz`,
    filter.until !== undefined && `a.created_at < ${$(timestamp(filter.until))}::timestamptz`,
    filter.cursor !== undefined && afterCursor(filter.cursor, bound),
  ];
  const page = `limit ${$(filter.limit + 1)}::integer offset ${$(filter.offset ?? 0)}::integer`;
  const text = `select a.id, a.created_at from deploy_approvals a
  join requests r on r.id = a.request_id left join grants g on g.request_id = r.id
where ${allOf(conditions)} order by a.created_at desc, a.id desc ${page}`;
  return { text, values: bound.values };
}

function searchCondition(pattern: string): string {
  const named = `exists (select from api_tokens token where token.id = a.target_token_id and token.name ilike ${pattern})
    or exists (select from people person where person.id = a.created_by_person_id
      and (person.assignee ilike ${pattern} or person.display_name ilike ${pattern}))`;
  return `a.message ilike ${pattern} or a.branch ilike ${pattern} or a.app ilike ${pattern} or ${named}`;
}

function afterCursor(cursor: string, { $ }: Parameters): string {
  const [createdAt, id] = decodeCursor("deploy", cursor, [CURSOR_TIME, CURSOR_ID]);
  return `(a.created_at, a.id) < (${$(createdAt)}::timestamptz, ${$(id)}::uuid)`;
}

/** The mapping of deploy R-STATE-1 as conditions on `requests r` and `grants g`; what is open is found by its live key. */
function statusCondition(statuses: readonly DeployStatus[], now: () => string): string {
  if (statuses.length === 0) return "false";
  const waits = "r.status in ('pending', 'in_review')";
  const isOpen: Partial<Record<DeployStatus, true>> = { pending: true, approved: true };
  const of: Readonly<Record<DeployStatus, () => string>> = {
    pending: () => `${waits} and r.expires_at > ${now()}`,
    approved: () =>
      `r.status = 'approved' and g.state = 'active' and g.expires_at > ${now()} and a.deployed_at is null`,
    // A grant that has ended is never used any more, and a promote that was admitted in time deploys nevertheless.
    deployed: () =>
      "r.status = 'approved' and (g.state = 'used' or (g.state in ('active', 'expired') and a.deployed_at is not null))",
    expired: () => `r.status = 'expired' or (${waits} and r.expires_at <= ${now()})
      or (r.status = 'approved' and (g.id is null or (a.deployed_at is null
        and (g.state = 'expired' or (g.state = 'active' and g.expires_at <= ${now()})))))`,
    rejected: () => `r.status = 'rejected' or (r.status = 'cancelled' and r.outcome ->> 'cause' = 'rejected')
      or (r.status = 'approved' and g.state = 'revoked' and g.revoked_reason = 'rejected')`,
    cancelled: () => `(r.status = 'cancelled' and coalesce(r.outcome ->> 'cause', '') not in ('rejected', 'superseded'))
      or (r.status = 'approved' and g.state = 'revoked' and g.revoked_reason <> 'rejected')`,
    superseded: () => "r.status = 'cancelled' and r.outcome ->> 'cause' = 'superseded'",
  };
  const any = statuses.map((status) => `(${of[status]()})`).join(" or ");
  return statuses.every((status) => isOpen[status] === true) ? `r.live_key is not null and (${any})` : any;
}

const AGGREGATES = sql<AggregateRow>(
  "reader_deploy_requests",
  aggregateSql("r.org_id = $1::uuid and r.id = any($2::uuid[])", false),
);

interface EndRow {
  readonly request_id: RequestId;
  readonly event_type: DeployEnd["type"];
  readonly actor_id: string | null;
  readonly created_at: string;
}

const ENDS = sql<EndRow>(
  "reader_deploy_ends",
  `select request_id, event_type, payload ->> 'actor_id' as actor_id, created_at from events
   where org_id = $1::uuid and request_id = any($2::uuid[])
     and event_type in ('request_cancelled', 'request_rejected', 'grant_revoked')
   order by request_id, sequence`,
);

interface PersonNumberRow {
  readonly id: PersonId;
  readonly number: number;
  readonly assignee: string;
  readonly display_name: string | null;
  readonly email: string | null;
}

const PEOPLE = sql<PersonNumberRow>(
  "reader_deploy_people",
  `select id, number, assignee, display_name, email from people
   where id = any($1::uuid[]) or (org_id = $2::uuid and assignee = any($3::text[]))`,
);

const TOKENS = sql<DeployToken & { readonly org_id: string }>(
  "reader_deploy_tokens",
  `select token.id, token.number, token.name, machine.owners, machine.contact_id as "contactId", token.org_id
   from api_tokens token join machines machine on machine.id = token.machine_id where token.id = any($1::uuid[])`,
);

const POLICIES = sql<{ readonly id: PolicyId; readonly document: string }>(
  "reader_deploy_policies",
  "select id, document from policies where id = any($1::uuid[])",
);

const OBJECTS = sql<{ readonly approval: string; readonly object_sha256: string }>(
  "reader_deploy_objects",
  `select a.id as approval, o.object_sha256 from deploy_approvals a
   join deploy_objects o on (o.org_id, o.scope, o.app, o.key) = (a.org_id, a.scope, a.app, a.object_key)
   where a.id = any($1::uuid[])`,
);

/** In the order of the ids. */
async function viewsOf(
  { own, installation }: Sources,
  orgId: string,
  ids: readonly RequestId[],
): Promise<readonly DeployApprovalView[]> {
  if (ids.length === 0) return [];
  const [aggregates, records, ends, effects, objects] = await Promise.all([
    read(AGGREGATES, own, [orgId, ids]),
    asked(() => selectRecords(own, recordsBy("deployApproval", "id", ids))),
    read(ENDS, own, [orgId, ids]),
    asked(() => selectRecords(own, recordsBy("effect", "requestId", ids))),
    read(OBJECTS, own, [ids]),
  ]);
  const requests = aggregates.map(requestFromAggregate);
  const [people, tokens, policies] = await Promise.all([
    read(PEOPLE, installation, [peopleIn(records, requests), orgId, ends.map((end) => end.actor_id ?? "")]),
    read(TOKENS, own, [
      records.flatMap((record) => [record.targetTokenId ?? [], record.createdByTokenId ?? []].flat()),
    ]),
    read(POLICIES, own, [requests.map(({ policy }) => policy.id)]),
  ]);
  const around: Around = {
    ends,
    effects,
    objects: new Map(objects.map((row) => [row.approval, row.object_sha256])),
    people: people.map(personFromRow),
    tokens,
    policies: new Map(policies.map((row) => [row.id, documentOf(row.document)])),
  };
  return ids.flatMap((id) => {
    const [request, record] = [requests.find((one) => one.id === id), records.find((one) => one.id === id)];
    return request === undefined || record === undefined ? [] : [viewOf(request, record, around)];
  });
}

interface Around {
  readonly ends: readonly EndRow[];
  readonly effects: readonly EffectRecord[];
  readonly objects: ReadonlyMap<string, string>;
  readonly people: readonly DeployPerson[];
  readonly tokens: readonly DeployToken[];
  readonly policies: ReadonlyMap<PolicyId, JsonObject>;
}

function viewOf(request: Request, record: DeployApprovalRecord, around: Around): DeployApprovalView {
  const end = around.ends.findLast(({ request_id: id }) => id === request.id);
  return {
    record,
    request,
    policy: around.policies.get(request.policy.id) ?? {},
    end: end === undefined ? null : { type: end.event_type, at: instant(end.created_at), actorId: end.actor_id },
    effects: around.effects
      .filter(({ requestId }) => requestId === request.id)
      .toSorted(
        (one, other) => one.createdAt - other.createdAt || one.position - other.position || inOrder(one, other),
      ),
    objectSha256: around.objects.get(record.id) ?? null,
    people: around.people,
    tokens: around.tokens,
  };
}

/** Somebody names an effect by its place in the list: those of one moment keep theirs. */
function inOrder(one: EffectRecord, other: EffectRecord): number {
  return one.id < other.id ? -1 : 1;
}

function peopleIn(records: readonly DeployApprovalRecord[], requests: readonly Request[]): readonly string[] {
  const ofRecords = records.flatMap((record) => [
    ...[record.createdByPersonId, record.targetPersonId, record.deployedByPersonId],
  ]);
  const deciders = requests.flatMap(({ stages }) => stages.flatMap((run) => run.decisions.map((one) => one.personId)));
  const asking = requests.flatMap(({ creator }) => creator.standsFor);
  return [...new Set([...ofRecords, ...deciders, ...asking])].filter((id) => id !== null);
}

function personFromRow(row: PersonNumberRow): DeployPerson {
  return {
    ...{ id: row.id, number: row.number, assignee: row.assignee, name: row.display_name, email: row.email },
  };
}

function documentOf(text: string): JsonObject {
  const document: unknown = JSON.parse(text);
  return isJsonObject(document) ? document : {};
}
