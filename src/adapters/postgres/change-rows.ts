/**
 * From a change set to rows: the mapping between the application's words and the tables, writing direction.
 * Only what differs by identity from the state before is written; `entrySeq` is the entry that describes it.
 */
import { nextTimerAt } from "../../core/timers.ts";
import type { Instant } from "../../core/person.ts";
import { isLive, type Decision, type Request, type Seat, type StageRun, type Task } from "../../core/request.ts";
import type {
  AuditRecord,
  ChangeSet,
  DelegationRecord,
  PolicyVersion,
  RecordedEvent,
  RequestChange,
} from "../../ports/change-set.ts";
import { canonicalJson } from "../../ledger/canonical-json.ts";
import type { Row, TableName } from "./row-writers.ts";
import { searchText } from "../../core/search-text.ts";

/** Rows under their table and primary key: the last one written for a key in a transaction is the one that counts. */
export type RowSet = Map<TableName, Map<string, Row>>;

export interface EntryPositions {
  /** The organization whose command it was. */
  readonly orgId: string;
  /** Position of the command's entry with this index. */
  readonly at: (index: number) => number;
  /** Position of the command's last entry. */
  readonly last: number;
  readonly now: Instant;
}

export function put(rows: RowSet, table: TableName, key: string, row: Row): void {
  const known = rows.get(table);
  if (known === undefined) rows.set(table, new Map([[key, row]]));
  else known.set(key, row);
}

export function addChangeRows(rows: RowSet, changes: ChangeSet, positions: EntryPositions): void {
  const entrySeq = positions.last;
  addAliasRows(rows, changes, entrySeq);
  for (const change of changes.requests ?? []) addRequestRows(rows, change, positions);
  for (const policy of changes.policies ?? []) put(rows, "policies", policy.id, policyRow(policy, entrySeq));
  for (const delegation of changes.delegations ?? []) {
    put(rows, "delegations", delegation.id, delegationRow(delegation, entrySeq));
  }
  addDirectoryRows(rows, changes, entrySeq);
  for (const { digest, requestId, document } of changes.displays ?? []) {
    put(rows, "displays", digest, { digest, request_id: requestId, document, entry_seq: entrySeq });
  }
  for (const record of changes.audit ?? []) put(rows, "audit_records", record.id, auditRow(record, positions));
  addAnswerRows(rows, changes, entrySeq);
}

/** What repeated calls are answered with. */
function addAnswerRows(rows: RowSet, changes: ChangeSet, entrySeq: number): void {
  for (const record of changes.idempotency ?? []) {
    put(rows, "idempotency_keys", JSON.stringify([record.scope, record.key]), {
      scope: record.scope,
      key: record.key,
      body_hash: record.bodyHash,
      status: record.status,
      body: record.body,
      request_id: record.requestId,
      created_at: time(record.createdAt),
      entry_seq: entrySeq,
    });
  }
}

/** Who is in which role or group. */
function addDirectoryRows(rows: RowSet, changes: ChangeSet, entrySeq: number): void {
  for (const entry of changes.directory ?? []) {
    const { orgId, kind, client, name, members, createdAt, deleted } = entry;
    const row = {
      org_id: orgId,
      kind,
      client,
      name,
      members,
      created_at: time(createdAt),
      deleted,
      entry_seq: entrySeq,
    };
    put(rows, "directory_entries", JSON.stringify([orgId, kind, client, name]), row);
  }
}

function addAliasRows(rows: RowSet, changes: ChangeSet, entrySeq: number): void {
  for (const { orgId, name, folded, personId, proof } of changes.aliases ?? []) {
    const row = { org_id: orgId, name, folded, person_id: personId, proof, entry_seq: entrySeq };
    put(rows, "aliases", JSON.stringify([orgId, name]), row);
  }
}

function addRequestRows(rows: RowSet, change: RequestChange, positions: EntryPositions): void {
  const { before, after } = change;
  // Without an event there is no entry, and without an entry nothing but the clock's bookkeeping may change.
  if (change.events.length > 0) {
    put(rows, "requests", after.id, requestRow(after, positions.last));
    for (const [index, run] of after.stages.entries()) {
      const old = before?.stages[index];
      if (run !== old) addStageRows(rows, after, { run, old }, positions.last);
    }
    for (const event of change.events) put(rows, "events", event.id, eventRow(after, event, positions));
    addGrantRows(rows, change, positions);
  }
  const timer = nextTimerAt(after);
  if (timer !== null) put(rows, "request_timers", after.id, timerRow(after, timer));
}

/** Requests whose timer row goes away because nothing of them waits for the clock any more. */
export function endedTimers(changes: ChangeSet): readonly string[] {
  return (changes.requests ?? [])
    .filter(({ before, after }) => before !== null && nextTimerAt(before) !== null && nextTimerAt(after) === null)
    .map(({ after }) => after.id);
}

/** What an approval yielded, and what it was used for now. */
function addGrantRows(rows: RowSet, { before, after, events }: RequestChange, positions: EntryPositions): void {
  const { grant } = after;
  if (grant === null || grant === before?.grant) return;
  put(rows, "grants", grant.id, {
    id: grant.id,
    org_id: after.orgId,
    request_id: after.id,
    state: grant.state,
    not_before: time(grant.notBefore),
    expires_at: time(grant.expiresAt),
    uses_max: grant.usesMax,
    uses: grant.uses,
    extensions: grant.extensions,
    ended_at: time(grant.endedAt),
    revoked_reason: grant.revokedReason,
    revoked_comment: grant.revokedComment,
    entry_seq: positions.last,
  });
  for (const { event, entry } of events) {
    if (event.type !== "grant_used") continue;
    put(rows, "grant_uses", `${after.id} ${String(event.grant.uses)}`, {
      request_id: after.id,
      use_number: event.grant.uses,
      org_id: after.orgId,
      actor: event.actor?.id ?? "",
      action: event.action,
      used_at: time(positions.now),
      entry_seq: positions.at(entry),
    });
  }
}

interface StageChange {
  readonly run: StageRun;
  readonly old: StageRun | undefined;
}

function addStageRows(rows: RowSet, request: Request, { run, old }: StageChange, entrySeq: number): void {
  put(rows, "stage_runs", run.id, {
    id: run.id,
    org_id: request.orgId,
    request_id: request.id,
    stage_order: run.order,
    name: run.name,
    mode: run.mode,
    mode_value: run.modeValue,
    assurance: run.assurance,
    state: run.state,
    skip_reason: run.skipReason,
    started_at: time(run.startedAt),
    completed_at: time(run.completedAt),
    due_at: time(run.dueAt),
    escalation_round: run.escalationRound,
    excluded: run.excluded,
    entry_seq: entrySeq,
  });
  const place = { orgId: request.orgId, requestId: request.id, run, entrySeq };
  for (const [index, seat] of run.seats.entries()) {
    if (seat !== old?.seats[index]) put(rows, "seats", seat.id, seatRow(seat, place));
  }
  for (const [index, task] of run.tasks.entries()) {
    if (task !== old?.tasks[index]) put(rows, "tasks", task.id, taskRow(task, index, place));
  }
  for (const [index, decision] of run.decisions.entries()) {
    if (decision !== old?.decisions[index]) put(rows, "decisions", decision.id, decisionRow(decision, place));
  }
}

interface RowPlace {
  readonly orgId: string;
  readonly requestId: string;
  readonly run: StageRun;
  readonly entrySeq: number;
}

function seatRow(seat: Seat, { orgId, requestId, run, entrySeq }: RowPlace): Row {
  return {
    id: seat.id,
    org_id: orgId,
    request_id: requestId,
    stage_run_id: run.id,
    position: seat.position,
    origins: seat.origins,
    holder_id: seat.holder,
    required: seat.required,
    state: seat.state,
    entry_seq: entrySeq,
  };
}

function taskRow(task: Task, position: number, { orgId, requestId, run, entrySeq }: RowPlace): Row {
  return {
    id: task.id,
    org_id: orgId,
    request_id: requestId,
    stage_run_id: run.id,
    stage_order: run.order,
    position,
    seat_id: task.seatId,
    escalation: task.escalation,
    person_id: task.personId,
    assignee: task.assignee,
    assignee_name: task.assigneeName,
    kind: task.kind,
    required: task.required,
    delegated_from: task.delegatedFrom,
    delegator_id: task.delegatorId,
    reassigned_from: task.reassignedFrom,
    status: task.status,
    claimed_at: time(task.claimedAt),
    completed_at: time(task.completedAt),
    due_at: time(task.dueAt),
    overdue_at: time(task.overdueAt),
    decision_id: task.decisionId,
    created_at: time(task.createdAt),
    entry_seq: entrySeq,
  };
}

function decisionRow(decision: Decision, { orgId, requestId, run, entrySeq }: RowPlace): Row {
  return {
    id: decision.id,
    org_id: orgId,
    request_id: requestId,
    stage_run_id: run.id,
    stage_order: run.order,
    task_id: decision.taskId,
    seat_id: decision.seatId,
    person_id: decision.personId,
    actor: decision.actor,
    actor_id: decision.actorId,
    action: decision.action,
    comment: decision.comment,
    attachments_ref: decision.attachmentsRef,
    reason_code: decision.reasonCode,
    on_behalf_of: decision.onBehalfOf,
    override: decision.override,
    assurance: decision.assurance,
    method: decision.method,
    factor_id: decision.factorId,
    shown_at: time(decision.shownAt),
    digest: decision.digest,
    revision: decision.revision,
    created_at: time(decision.createdAt),
    voided_at: time(decision.voidedAt),
    entry_seq: entrySeq,
  };
}

function requestRow(request: Request, entrySeq: number): Row {
  const { creator, policy } = request;
  return {
    id: request.id,
    org_id: request.orgId,
    gate: request.gate,
    live_key: holdsLiveKey(request) ? request.liveKey : null,
    policy_id: policy.id,
    policy_key: policy.key,
    policy_version: policy.version,
    policy_digest: policy.digest,
    artifact_type: request.artifactType,
    artifact_id: request.artifactId,
    requester: request.requester,
    creator_issuer: creator.issuer,
    creator_subject: creator.subject,
    creator_client_id: creator.clientId,
    creator_assignee: creator.assignee,
    creator_person_id: creator.personId,
    creator_machine: creator.machine,
    creator_stands_for: creator.standsFor,
    context: request.context,
    search_text: searchText(request.context, request.artifactId),
    revision: request.revision,
    salt: request.salt,
    digest: request.digest,
    status: request.status,
    current_stage_order: request.currentStageOrder,
    created_at: time(request.createdAt),
    updated_at: time(request.updatedAt),
    expires_at: time(request.expiresAt),
    completed_at: time(request.completedAt),
    outcome: request.outcome,
    callback: request.callback ?? null,
    event_count: request.eventCount,
    entry_seq: entrySeq,
  };
}

/** Approved, it is as good as live until its grant ends. */
function holdsLiveKey(request: Request): boolean {
  return isLive(request.status) || request.grant?.state === "active";
}

function timerRow(request: Request, at: Instant): Row {
  const escalations = Object.fromEntries(
    request.stages
      .filter((run) => run.escalationRetryAt !== null || run.escalationAttempts > 0)
      .map((run) => [String(run.order), { retryAt: run.escalationRetryAt, attempts: run.escalationAttempts }]),
  );
  return { request_id: request.id, next_timer_at: time(at), resolution: request.resolution, escalations };
}

function eventRow(request: Request, { id, event, payload, entry }: RecordedEvent, positions: EntryPositions): Row {
  return {
    id,
    org_id: request.orgId,
    request_id: request.id,
    sequence: event.sequence,
    event_type: event.type,
    payload,
    created_at: time(positions.now),
    entry_seq: positions.at(entry),
  };
}

function policyRow(policy: PolicyVersion, entrySeq: number): Row {
  return {
    id: policy.id,
    org_id: policy.orgId,
    policy_key: policy.key,
    version: policy.version,
    status: policy.status,
    managed: policy.managed,
    name: policy.document["name"],
    artifact_type: policy.document["artifact_type"],
    document: canonicalJson(policy.document),
    digest: policy.digest,
    problems: policy.problems,
    created_by: policy.createdBy,
    created_at: time(policy.createdAt),
    updated_by: policy.updatedBy,
    updated_at: time(policy.updatedAt),
    activated_at: time(policy.activatedAt),
    entry_seq: entrySeq,
  };
}

function delegationRow(delegation: DelegationRecord, entrySeq: number): Row {
  return {
    id: delegation.id,
    org_id: delegation.orgId,
    from_person_id: delegation.from,
    from_name: delegation.fromName,
    to_person_id: delegation.to,
    to_name: delegation.toName,
    starts_at: time(delegation.startsAt),
    ends_at: time(delegation.endsAt),
    reason: delegation.reason,
    policy_keys: delegation.policyKeys,
    artifact_types: delegation.artifactTypes,
    created_by: delegation.createdBy,
    created_at: time(delegation.createdAt),
    updated_at: time(delegation.updatedAt),
    deleted_at: time(delegation.deletedAt),
    entry_seq: entrySeq,
  };
}

function auditRow(record: AuditRecord, positions: EntryPositions): Row {
  return {
    id: record.id,
    org_id: positions.orgId,
    entry_seq: positions.at(record.entry),
    occurred_at: time(positions.now),
    actor: record.actor,
    actor_email: record.actorEmail,
    action: record.action,
    resource_type: record.resourceType,
    resource_id: record.resourceId,
    summary: record.summary,
    before: record.before,
    after: record.after,
    metadata: record.metadata,
  };
}

function time(at: Instant): string;
function time(at: Instant | null): string | null;
function time(at: Instant | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
