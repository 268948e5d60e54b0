/**
 * Every row of a transaction in one statement: one data-modifying CTE with a JSON parameter per table.
 * The number of statements does not depend on what is written (docs/adr/0007-group-commit.md). Foreign keys are deferred, so the order
 * of the parts does not matter.
 */
import { sql, type NamedSql } from "./named-sql.ts";

export type Row = Readonly<Record<string, unknown>>;

interface TableWriter {
  readonly columns: Readonly<Record<string, string>>;
  /** Primary key of rows that may change; null for rows that are only ever added. */
  readonly key: readonly string[] | null;
}

const TABLES = {
  ledger_entries: {
    key: null,
    columns: {
      seq: "bigint",
      text: "text",
      at: "text",
      org: "text",
      kind: "text",
      actor: "text",
      credential: "text",
      request: "text",
      resource_digest: "text",
      chain: "text",
      leaf: "text",
    },
  },
  ledger_openings: {
    key: null,
    columns: { seq: "bigint", path: "text", salt: "text", value: "json", people: "text[]" },
  },
  aliases: {
    key: ["org_id", "name"],
    columns: { org_id: "uuid", name: "text", folded: "text", person_id: "uuid", proof: "text", entry_seq: "bigint" },
  },
  directory_entries: {
    key: ["org_id", "kind", "client", "name"],
    columns: {
      org_id: "uuid",
      kind: "text",
      client: "text",
      name: "text",
      members: "uuid[]",
      created_at: "timestamptz",
      deleted: "boolean",
      entry_seq: "bigint",
    },
  },
  policies: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      policy_key: "text",
      version: "integer",
      status: "text",
      managed: "boolean",
      name: "text",
      artifact_type: "text",
      document: "text",
      digest: "text",
      problems: "json",
      created_by: "text",
      created_at: "timestamptz",
      updated_by: "text",
      updated_at: "timestamptz",
      activated_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
  requests: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      gate: "text",
      live_key: "text",
      policy_id: "uuid",
      policy_key: "text",
      policy_version: "integer",
      policy_digest: "text",
      artifact_type: "text",
      artifact_id: "text",
      requester: "text",
      creator_issuer: "text",
      creator_subject: "text",
      creator_client_id: "text",
      creator_assignee: "text",
      creator_person_id: "uuid",
      creator_machine: "boolean",
      creator_stands_for: "uuid[]",
      context: "json",
      search_text: "text",
      revision: "integer",
      salt: "text",
      digest: "text",
      status: "text",
      current_stage_order: "integer",
      created_at: "timestamptz",
      updated_at: "timestamptz",
      expires_at: "timestamptz",
      completed_at: "timestamptz",
      outcome: "json",
      callback: "json",
      event_count: "integer",
      entry_seq: "bigint",
    },
  },
  stage_runs: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      request_id: "uuid",
      stage_order: "integer",
      name: "text",
      mode: "text",
      mode_value: "integer",
      assurance: "text",
      state: "text",
      skip_reason: "text",
      started_at: "timestamptz",
      completed_at: "timestamptz",
      due_at: "timestamptz",
      escalation_round: "integer",
      excluded: "json",
      entry_seq: "bigint",
    },
  },
  seats: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      request_id: "uuid",
      stage_run_id: "uuid",
      position: "integer",
      origins: "uuid[]",
      holder_id: "uuid",
      required: "boolean",
      state: "text",
      entry_seq: "bigint",
    },
  },
  tasks: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      request_id: "uuid",
      stage_run_id: "uuid",
      stage_order: "integer",
      position: "integer",
      seat_id: "uuid",
      escalation: "boolean",
      person_id: "uuid",
      assignee: "text",
      assignee_name: "text",
      kind: "text",
      required: "boolean",
      delegated_from: "text",
      delegator_id: "uuid",
      reassigned_from: "text",
      status: "text",
      claimed_at: "timestamptz",
      completed_at: "timestamptz",
      due_at: "timestamptz",
      overdue_at: "timestamptz",
      decision_id: "uuid",
      created_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
  decisions: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      request_id: "uuid",
      stage_run_id: "uuid",
      stage_order: "integer",
      task_id: "uuid",
      seat_id: "uuid",
      person_id: "uuid",
      actor: "text",
      actor_id: "text",
      action: "text",
      comment: "text",
      attachments_ref: "text",
      reason_code: "text",
      on_behalf_of: "text",
      override: "boolean",
      assurance: "text",
      method: "text",
      factor_id: "uuid",
      shown_at: "timestamptz",
      digest: "text",
      revision: "integer",
      created_at: "timestamptz",
      voided_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
  events: {
    key: null,
    columns: {
      id: "uuid",
      org_id: "uuid",
      request_id: "uuid",
      sequence: "integer",
      event_type: "text",
      payload: "json",
      created_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
  grants: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      request_id: "uuid",
      state: "text",
      not_before: "timestamptz",
      expires_at: "timestamptz",
      uses_max: "integer",
      uses: "integer",
      extensions: "integer",
      ended_at: "timestamptz",
      revoked_reason: "text",
      revoked_comment: "text",
      entry_seq: "bigint",
    },
  },
  grant_uses: {
    key: null,
    columns: {
      request_id: "uuid",
      use_number: "integer",
      org_id: "uuid",
      actor: "text",
      action: "text",
      used_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
  displays: {
    key: ["digest"],
    columns: { digest: "text", request_id: "uuid", document: "json", entry_seq: "bigint" },
  },
  request_timers: {
    key: ["request_id"],
    columns: { request_id: "uuid", next_timer_at: "timestamptz", resolution: "json", escalations: "json" },
  },
  delegations: {
    key: ["id"],
    columns: {
      id: "uuid",
      org_id: "uuid",
      from_person_id: "uuid",
      from_name: "text",
      to_person_id: "uuid",
      to_name: "text",
      starts_at: "timestamptz",
      ends_at: "timestamptz",
      reason: "text",
      policy_keys: "text[]",
      artifact_types: "text[]",
      created_by: "text",
      created_at: "timestamptz",
      updated_at: "timestamptz",
      deleted_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
  audit_records: {
    key: null,
    columns: {
      id: "uuid",
      org_id: "uuid",
      entry_seq: "bigint",
      occurred_at: "timestamptz",
      actor: "text",
      actor_email: "text",
      action: "text",
      resource_type: "text",
      resource_id: "text",
      summary: "text",
      before: "json",
      after: "json",
      metadata: "json",
    },
  },
  idempotency_keys: {
    key: null,
    columns: {
      scope: "text",
      key: "text",
      body_hash: "text",
      status: "integer",
      body: "json",
      request_id: "uuid",
      created_at: "timestamptz",
      entry_seq: "bigint",
    },
  },
} as const satisfies Readonly<Record<string, TableWriter>>;

export type TableName = keyof typeof TABLES;

const TABLE_NAMES: readonly TableName[] = tableNames();

export interface HeadUpdate {
  readonly expectedSize: number;
  readonly size: number;
  readonly root: string;
  readonly chain: string;
  readonly ranges: readonly string[];
  readonly lastAt: string | null;
}

/** The rows to add or replace, plus policies and timers that go away. */
export interface RowBatch {
  readonly rows: ReadonlyMap<TableName, readonly Row[]>;
  readonly deletedPolicyIds: readonly string[];
  readonly endedTimerIds: readonly string[];
  readonly head: HeadUpdate;
}

const DELETE_COUNT = 2;
const WRITE: NamedSql<{ moved: number }> = sql("write_batch", writeText());

/** One statement. Answers false when the head was not where the transaction had found it. */
export function writeStatement(batch: RowBatch): {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
} {
  const parameters = TABLE_NAMES.map((table) => JSON.stringify(batch.rows.get(table) ?? []));
  const { head } = batch;
  return {
    name: WRITE.name,
    text: WRITE.text,
    values: [
      ...parameters,
      batch.deletedPolicyIds,
      batch.endedTimerIds,
      head.size,
      head.root,
      head.chain,
      head.ranges,
      head.lastAt,
      head.expectedSize,
    ],
  };
}

function writeText(): string {
  const first = TABLE_NAMES.length + 1;
  const parts = TABLE_NAMES.map((table, index) => `w_${table} as (${insertText(table, index + 1)})`);
  parts.push(
    `d_policies as (delete from policies where id = any($${first}::uuid[]))`,
    `d_timers as (delete from request_timers where request_id = any($${first + 1}::uuid[]))`,
    headText(first + DELETE_COUNT),
  );
  return `with ${parts.join(",\n")}\nselect count(*)::integer as moved from w_head`;
}

function insertText(table: TableName, parameter: number): string {
  const { columns, key }: TableWriter = TABLES[table];
  const names = Object.keys(columns);
  const typed = names.map((name) => `"${name}" ${columns[name] ?? ""}`).join(", ");
  const list = names.map((name) => `"${name}"`).join(", ");
  const insert = `insert into ${table} (${list}) select ${list} from json_to_recordset($${parameter}::json) as given(${typed})`;
  if (key === null) return insert;
  const changes = names.filter((name) => !key.includes(name)).map((name) => `"${name}" = excluded."${name}"`);
  return `${insert} on conflict (${key.map((name) => `"${name}"`).join(", ")}) do update set ${changes.join(", ")}`;
}

function headText(first: number): string {
  const [size, root, chain, ranges, lastAt, expected] = [0, 1, 2, 3, 4, 5].map((offset) => `$${first + offset}`);
  return `w_head as (update ledger_head set size = ${size ?? ""}::bigint, root = ${root ?? ""}, chain = ${chain ?? ""},
    ranges = ${ranges ?? ""}::text[], last_at = ${lastAt ?? ""} where size = ${expected ?? ""}::bigint returning 1)`;
}

function tableNames(): readonly TableName[] {
  const isTable = (name: string): name is TableName => Object.hasOwn(TABLES, name);
  return Object.keys(TABLES).filter(isTable);
}
