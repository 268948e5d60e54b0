/**
 * How is one request read whole, with its stages, seats, tasks and decisions? In one statement, whatever their number
 * (docs/adr/0007-group-commit.md): the parts come as JSON lists and are put together here.
 */
import type { Assurance, ProofMethod } from "../../core/assurance-level.ts";
import type { DecisionId, PersonId, RequestId, SeatId, StageRunId, TaskId } from "../../core/ids.ts";
import type { StageMode } from "../../core/policy.ts";
import type {
  Decision,
  DecisionAction,
  Exclusion,
  Request,
  Seat,
  SeatState,
  StageRun,
  StageRunState,
  Task,
  TaskKind,
  TaskStatus,
} from "../../core/request.ts";
import { instant, instantOrNull, REQUEST_COLUMNS, requestFromRow, type RequestRow } from "./rows.ts";

export interface AggregateRow extends RequestRow {
  readonly escalations: Readonly<Record<string, EscalationTimer>> | null;
  readonly stages: readonly StageRow[];
  readonly seats: readonly SeatRow[];
  readonly tasks: readonly TaskRow[];
  readonly decisions: readonly DecisionRow[];
}

/** When a failed escalation lookup of a stage is tried again: bookkeeping, kept beside the timers (R-SLA-5). */
export interface EscalationTimer {
  readonly retryAt: number | null;
  readonly attempts: number;
}

interface StageRow {
  readonly id: StageRunId;
  readonly stage_order: number;
  readonly name: string;
  readonly mode: StageMode;
  readonly mode_value: number | null;
  readonly assurance: Assurance;
  readonly state: StageRunState;
  readonly skip_reason: "skip_if" | "no_approvers" | null;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly due_at: string | null;
  readonly escalation_round: number;
  readonly excluded: readonly Exclusion[];
}

interface SeatRow {
  readonly id: SeatId;
  readonly stage_run_id: StageRunId;
  readonly position: number;
  readonly origins: readonly PersonId[];
  readonly holder_id: PersonId;
  readonly required: boolean;
  readonly state: SeatState;
}

export interface TaskRow {
  readonly id: TaskId;
  readonly request_id: RequestId;
  readonly stage_run_id: StageRunId;
  readonly seat_id: SeatId | null;
  readonly escalation: boolean;
  readonly person_id: PersonId;
  readonly assignee: string;
  readonly assignee_name: string | null;
  readonly kind: TaskKind;
  readonly required: boolean;
  readonly delegated_from: string | null;
  readonly delegator_id: PersonId | null;
  readonly reassigned_from: string | null;
  readonly status: TaskStatus;
  readonly claimed_at: string | null;
  readonly completed_at: string | null;
  readonly due_at: string | null;
  readonly overdue_at: string | null;
  readonly decision_id: DecisionId | null;
  readonly created_at: string;
}

export interface DecisionRow {
  readonly id: DecisionId;
  readonly stage_run_id: StageRunId;
  readonly task_id: TaskId;
  readonly seat_id: SeatId | null;
  readonly person_id: PersonId | null;
  readonly actor: string;
  readonly actor_id: string;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly attachments_ref: string | null;
  readonly reason_code: string | null;
  readonly on_behalf_of: string | null;
  readonly override: boolean;
  readonly assurance: Assurance;
  readonly method: ProofMethod | null;
  readonly factor_id: string | null;
  readonly shown_at: string | null;
  readonly digest: string;
  readonly revision: number;
  readonly created_at: string;
  readonly voided_at: string | null;
}

/** Columns of `tasks task`. */
export const TASK_COLUMNS = `task.id, task.request_id, task.stage_run_id, task.seat_id, task.escalation, task.person_id,
  task.assignee, task.assignee_name, task.kind, task.required, task.delegated_from, task.delegator_id,
  task.reassigned_from, task.status, task.claimed_at, task.completed_at, task.due_at, task.overdue_at, task.decision_id,
  task.created_at`;

/** Columns of `decisions decision`. */
export const DECISION_COLUMNS = `decision.id, decision.stage_run_id, decision.task_id, decision.seat_id, decision.person_id,
  decision.actor, decision.actor_id, decision.action, decision.comment, decision.attachments_ref, decision.reason_code,
  decision.on_behalf_of, decision.override, decision.assurance, decision.method, decision.factor_id,
  decision.shown_at, decision.digest, decision.revision, decision.created_at,
  decision.voided_at`;

const STAGE_COLUMNS = `stage.id, stage.stage_order, stage.name, stage.mode, stage.mode_value, stage.assurance, stage.state, stage.skip_reason,
  stage.started_at, stage.completed_at, stage.due_at, stage.escalation_round, stage.excluded`;

const SEAT_COLUMNS =
  "seat.id, seat.stage_run_id, seat.position, seat.origins, seat.holder_id, seat.required, seat.state";

/**
 * The text of the statement; `where` speaks of `requests r`. The rows come by id, which is the order in which they are
 * locked. With `lock` the caller must hold the ledger head already: a statement that had to wait for a row's lock would
 * read that row's parts as they were before the wait.
 */
export function aggregateSql(where: string, lock: boolean): string {
  return `select ${REQUEST_COLUMNS}, timer.escalations,
  ${list(STAGE_COLUMNS, "stage_runs stage", "stage.request_id", "stage_order")} as stages,
  ${list(SEAT_COLUMNS, "seats seat", "seat.request_id", "position")} as seats,
  ${list(`task.position, ${TASK_COLUMNS}`, "tasks task", "task.request_id", "position")} as tasks,
  ${list(`decision.entry_seq, ${DECISION_COLUMNS}`, "decisions decision", "decision.request_id", "created_at, entry_seq, id")} as decisions
from requests r left join request_timers timer on timer.request_id = r.id
where ${where}
order by r.id${lock ? " for update of r" : ""}`;
}

function list(columns: string, from: string, key: string, order: string): string {
  const orderBy = order.replaceAll(/\w+/g, (column) => `part.${column}`);
  return `(select coalesce(json_agg(part order by ${orderBy}), '[]'::json) from (select ${columns} from ${from} where ${key} = r.id) part)`;
}

export function requestFromAggregate(row: AggregateRow): Request {
  return { ...requestFromRow(row), stages: row.stages.map((stage) => stageFromRow(stage, row)) };
}

function stageFromRow(stage: StageRow, row: AggregateRow): StageRun {
  const timer = row.escalations?.[String(stage.stage_order)];
  return {
    id: stage.id,
    order: stage.stage_order,
    name: stage.name,
    mode: stage.mode,
    modeValue: stage.mode_value,
    assurance: stage.assurance,
    state: stage.state,
    skipReason: stage.skip_reason,
    startedAt: instantOrNull(stage.started_at),
    completedAt: instantOrNull(stage.completed_at),
    dueAt: instantOrNull(stage.due_at),
    escalationRound: stage.escalation_round,
    escalationRetryAt: timer?.retryAt ?? null,
    escalationAttempts: timer?.attempts ?? 0,
    excluded: stage.excluded,
    seats: row.seats.filter((seat) => seat.stage_run_id === stage.id).map(seatFromRow),
    tasks: row.tasks.filter((task) => task.stage_run_id === stage.id).map(taskFromRow),
    decisions: row.decisions.filter((decision) => decision.stage_run_id === stage.id).map(decisionFromRow),
  };
}

function seatFromRow(row: SeatRow): Seat {
  return {
    id: row.id,
    position: row.position,
    origins: row.origins,
    holder: row.holder_id,
    required: row.required,
    state: row.state,
  };
}

export function taskFromRow(row: TaskRow): Task {
  return {
    id: row.id,
    seatId: row.seat_id,
    escalation: row.escalation,
    personId: row.person_id,
    assignee: row.assignee,
    assigneeName: row.assignee_name,
    kind: row.kind,
    required: row.required,
    delegatedFrom: row.delegated_from,
    delegatorId: row.delegator_id,
    reassignedFrom: row.reassigned_from,
    status: row.status,
    claimedAt: instantOrNull(row.claimed_at),
    completedAt: instantOrNull(row.completed_at),
    dueAt: instantOrNull(row.due_at),
    overdueAt: instantOrNull(row.overdue_at),
    decisionId: row.decision_id,
    createdAt: instant(row.created_at),
  };
}

export function decisionFromRow(row: DecisionRow): Decision {
  return {
    id: row.id,
    taskId: row.task_id,
    seatId: row.seat_id,
    personId: row.person_id,
    actor: row.actor,
    actorId: row.actor_id,
    action: row.action,
    comment: row.comment,
    attachmentsRef: row.attachments_ref,
    reasonCode: row.reason_code,
    onBehalfOf: row.on_behalf_of,
    override: row.override,
    assurance: row.assurance,
    method: row.method,
    factorId: row.factor_id,
    shownAt: instantOrNull(row.shown_at),
    digest: row.digest,
    revision: row.revision,
    createdAt: instant(row.created_at),
    voidedAt: instantOrNull(row.voided_at),
  };
}
