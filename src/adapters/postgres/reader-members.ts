/**
 * The people of an organization, with what they may do: pages of them, and what one of them has open. One statement each,
 * its text never changes (docs/spec/identity.md section 6).
 */
import type { RequestId, TaskId } from "../../core/ids.ts";
import type { PersonStatus } from "../../core/person-status.ts";
import type { ScimResourceRecord } from "../../ports/identity-records.ts";
import type { MemberReader, MemberSummary, OpenTask, ScimView } from "../../ports/member-reader.ts";
import { CURSOR_ID, decodeCursor, encodeCursor, pageOf } from "./reader-cursor.ts";
import { containing, read } from "./reader-statement.ts";
import type { Asked } from "./reading-wall.ts";
import { instant, instantOrNull, PERSON_COLUMNS, personFromRow, type PersonRow } from "./rows.ts";
import { sql } from "./named-sql.ts";

/** Any name there is; what it says is compared, never cast. */
const CURSOR_NAME = /^[^\0]{0,400}$/su;

export function createMemberReader(own: Asked, orgId: string): MemberReader {
  return {
    async members({ q, status, limit, cursor }) {
      const after = cursor === undefined ? null : decodeCursor("members", cursor, [CURSOR_NAME, CURSOR_ID]);
      const [name = null, id = null] = after ?? [];
      const pattern = q === undefined || q === "" ? null : containing(q);
      const rows = await read(LIST, own, [orgId, pattern, status ?? null, name, id, limit + 1]);
      return pageOf(rows, limit, {
        item: memberOf,
        cursor: (row) => encodeCursor("members", [row.assignee, row.id]),
      });
    },
    async member(id) {
      const [row] = await read(ONE, own, [orgId, id]);
      return row === undefined ? undefined : memberOf(row);
    },
    async scimResources({ kind, by, startIndex, count }) {
      const values = [orgId, kind, by?.member ?? null, by?.value ?? null, count, startIndex - 1];
      const rows = await read(SCIM, own, values);
      const [counted] = await read(SCIM_COUNT, own, values.slice(0, 4));
      return { items: rows.map(scimViewOf), total: counted?.total ?? 0 };
    },
    async openTasks(id) {
      const rows = await read(OPEN_TASKS, own, [orgId, id]);
      return rows.map(openTaskOf);
    },
  };
}

interface MemberRow extends PersonRow {
  readonly roles: readonly { readonly role: string; readonly source: string }[];
  readonly enrolled: boolean;
}

const COLUMNS = `${PERSON_COLUMNS},
  coalesce((select json_agg(json_build_object('role', given.role, 'source', given.source) order by given.role, given.source)
    from role_grants given where given.person_id = person.id and given.ended_at is null
    and (given.org_id is null or given.org_id = $1::uuid)), '[]'::json) as roles,
  exists (select from factors factor where factor.person_id = person.id and factor.removed_at is null
    and factor.disabled_at is null) as enrolled`;

/** Who comes from this organization, or was given a role in it. */
const MEMBERS = `(person.org_id = $1::uuid or exists (select from role_grants given
  where given.person_id = person.id and given.ended_at is null and given.org_id = $1::uuid))`;

const LIST = sql<MemberRow>(
  "reader_members",
  `select ${COLUMNS} from people person where ${MEMBERS}
  and ($2::text is null or person.assignee ilike $2 or person.display_name ilike $2 or person.email ilike $2)
  and (case when $3::text is null then person.status <> 'erased' else person.status = $3 end)
  and ($4::text is null or (person.assignee collate "C", person.id) > ($4 collate "C", $5::uuid))
  order by person.assignee collate "C", person.id limit $6::integer`,
);

const ONE = sql<MemberRow>(
  "reader_member",
  `select ${COLUMNS} from people person where ${MEMBERS} and person.id = $2::uuid`,
);

function memberOf(row: MemberRow): MemberSummary {
  return { record: personFromRow(row), roles: row.roles, enrolled: row.enrolled };
}

interface OpenTaskRow {
  readonly id: TaskId;
  readonly request_id: RequestId;
  readonly artifact_type: string;
  readonly artifact_id: string;
  readonly stage_name: string;
  readonly due_at: string | null;
  readonly created_at: string;
}

const OPEN_TASKS = sql<OpenTaskRow>(
  "reader_open_tasks_of_member",
  `select task.id, task.request_id, request.artifact_type, request.artifact_id, stage.name as stage_name, task.due_at,
    task.created_at
  from tasks task join requests request on request.id = task.request_id join stage_runs stage on stage.id = task.stage_run_id
  where task.person_id = $2::uuid and task.status in ('open', 'claimed') and request.org_id = $1::uuid
  order by task.created_at desc, task.id desc limit 200`,
);

function openTaskOf(row: OpenTaskRow): OpenTask {
  return {
    id: row.id,
    requestId: row.request_id,
    artifactType: row.artifact_type,
    artifactId: row.artifact_id,
    stageName: row.stage_name,
    dueAt: instantOrNull(row.due_at),
    createdAt: instant(row.created_at),
  };
}

interface ScimRow {
  readonly record: ScimResourceRecord;
  readonly status: PersonStatus | null;
  readonly related: ScimView["related"];
}

const SCIM_WHERE = `resource.org_id = $1::uuid and resource.kind = $2 and resource.deleted_at is null and case $3::text
    when 'id' then resource.id::text = lower($4)
    when 'externalId' then lower(resource.external_id) = lower($4)
    when 'userName' then lower(resource.attributes ->> 'userName') = lower($4)
    when 'displayName' then lower(resource.attributes ->> 'displayName') = lower($4)
    else true end`;

const SCIM = sql<ScimRow>(
  "reader_scim_resources",
  `select json_build_object('id', resource.id, 'orgId', resource.org_id, 'kind', resource.kind,
      'externalId', resource.external_id, 'personId', resource.person_id, 'groupPath', resource.group_path,
      'attributes', resource.attributes, 'version', resource.version, 'deletedAt', null,
      'createdAt', round(extract(epoch from resource.created_at) * 1000)::bigint,
      'updatedAt', round(extract(epoch from resource.updated_at) * 1000)::bigint) as record,
    (select person.status from people person where person.id = resource.person_id) as status,
    case when resource.kind = 'group' then coalesce((
      select json_agg(json_build_object('id', member.id, 'display', coalesce(member.attributes ->> 'displayName', member.attributes ->> 'userName')) order by member.id)
      from directory_entries entry join scim_resources member on member.person_id = any(entry.members)
        and member.org_id = entry.org_id and member.kind = 'user' and member.deleted_at is null
      where entry.org_id = resource.org_id and entry.kind = 'group' and entry.client = '' and entry.name = resource.group_path
        and not entry.deleted), '[]'::json)
    else coalesce((
      select json_agg(json_build_object('id', team.id, 'display', team.attributes ->> 'displayName') order by team.id)
      from directory_entries entry join scim_resources team on team.group_path = entry.name and team.org_id = entry.org_id
        and team.kind = 'group' and team.deleted_at is null
      where entry.org_id = resource.org_id and entry.kind = 'group' and entry.client = '' and not entry.deleted
        and entry.members @> array[resource.person_id]), '[]'::json) end as related
  from scim_resources resource where ${SCIM_WHERE} order by resource.created_at, resource.id limit $5::integer offset $6::integer`,
);

const SCIM_COUNT = sql<{ total: number }>(
  "reader_scim_count",
  `select count(*)::integer as total from scim_resources resource where ${SCIM_WHERE}`,
);

function scimViewOf({ record, status, related }: ScimRow): ScimView {
  return { record, status, related };
}
