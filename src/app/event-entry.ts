/**
 * An event as the ledger keeps it: exactly one entry each, of the kind that docs/spec/ledger.md R-KIND-4 pairs it with.
 * Names and free text are committed to, never written (R-PRIV-1).
 */
import type { EngineEvent, EngineEventType } from "../core/event.ts";
import type { Grant } from "../core/grant.ts";
import type { PersonId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Request, Task } from "../core/request.ts";
import { hidden, ledgerTime, type EntryData } from "./entry-writer.ts";
import { ledgerId } from "./ledger-names.ts";

const ENTRY_KINDS = {
  request_created: "request.created",
  stage_started: "request.stage_started",
  stage_skipped: "request.stage_skipped",
  stage_quorum_skipped: "request.quorum_skipped",
  stage_completed: "request.stage_completed",
  stage_escalated: "request.stage_escalated",
  task_claimed: "task.claimed",
  task_released: "task.released",
  task_decided: "decision.recorded",
  task_reassigned: "task.reassigned",
  task_delegated: "task.delegated",
  task_expired: "task.expired",
  seat_freed: "request.resolved",
  person_merged: "person.merged",
  decision_voided: "decision.voided",
  delegation_skipped: "task.delegation_skipped",
  resolution_failed: "request.resolution_failed",
  request_approved: "request.approved",
  request_rejected: "request.rejected",
  request_cancelled: "request.cancelled",
  request_expired: "request.expired",
  grant_used: "grant.used",
  grant_extended: "grant.extended",
  grant_revoked: "grant.revoked",
  grant_expired: "grant.expired",
} as const satisfies Readonly<Record<EngineEventType, string>>;

/** A cancelled request whose place another one took has a kind of its own. */
export function entryKind(event: EngineEvent): string {
  return isSuperseding(event) ? "request.superseded" : ENTRY_KINDS[event.type];
}

function isSuperseding(event: EngineEvent): boolean {
  return event.type === "request_cancelled" && event.cause === "superseded";
}

/** What a decision was signed with; everything that an offline check needs besides the key (identity R-SIGN-1). */
export interface SignedEvidence {
  readonly statement: JsonObject;
  readonly assertion: JsonObject;
  /** Of the commitment to the reason that the statement holds. */
  readonly reasonSalt: Uint8Array;
}

/** What entries say besides the event and the request. */
export interface EntryBackground {
  /** The ledger's name of the requesting person, if there is one. */
  readonly requester: string | null;
  readonly signed: SignedEvidence | null;
}

/** What the entry of this event says. */
// eslint-disable-next-line complexity -- one flat case per event type; the compiler sees that none is missing
export function entryData(event: EngineEvent, request: Request, { requester, signed }: EntryBackground): EntryData {
  switch (event.type) {
    case "request_created":
      return createdMembers(request, requester);
    case "stage_started":
      return {
        stage: event.stageOrder,
        mode: event.stage.mode,
        needed: event.needed,
        seats: event.stage.seats.length,
        due_at: ledgerTime(event.stage.dueAt),
      };
    case "stage_skipped":
      return { stage: event.stageOrder, reason_code: event.reason };
    case "stage_quorum_skipped":
      return { stage: event.stageOrder, skipped: event.skipped.map((task) => person(task.personId)) };
    case "stage_completed":
      return { stage: event.stageOrder, outcome: event.outcome };
    case "stage_escalated":
      return {
        stage: event.stageOrder,
        added: event.added.map((task) => person(task.personId)),
        due_at: ledgerTime(event.dueAt),
      };
    case "task_claimed":
    case "task_released":
      return taskMembers(event.task, event.stageOrder);
    case "task_expired":
      return { ...taskMembers(event.task, event.stageOrder), from: person(event.task.personId) };
    case "task_decided":
      return decisionMembers(event, request, signed);
    case "task_reassigned":
    case "task_delegated":
      return movedMembers(event);
    case "seat_freed":
    case "person_merged":
    case "decision_voided":
      return peopleMembers(event);
    case "delegation_skipped":
      return {
        stage: event.stageOrder,
        from: person(event.userId),
        to: person(event.delegateId),
        reason_code: event.reason,
      };
    case "resolution_failed":
      return { stage: event.stageOrder, attempt: event.attempt, cause: "lookup_failed" };
    case "request_approved":
    case "request_rejected":
    case "request_cancelled":
    case "request_expired":
      return endingMembers(event, request);
    case "grant_used":
    case "grant_extended":
    case "grant_revoked":
    case "grant_expired":
      return grantMembers(event);
  }
}

/** What the approval yields, told right after it (R-APP-7). */
export function issuedMembers({ id, expiresAt, usesMax }: Grant): EntryData {
  return { grant: ledgerId("grant", id), expires_at: ledgerTime(expiresAt), uses: usesMax };
}

type GrantEvent = Extract<
  EngineEvent,
  { readonly type: "grant_used" | "grant_extended" | "grant_revoked" | "grant_expired" }
>;

function grantMembers(event: GrantEvent): EntryData {
  const { id, uses, expiresAt, revokedReason, revokedComment } = event.grant;
  const grant = ledgerId("grant", id);
  switch (event.type) {
    case "grant_used":
      return { grant, use: uses, action: event.action, outcome: "success" };
    case "grant_extended":
      return { grant, expires_at: ledgerTime(expiresAt) };
    case "grant_revoked":
      return { grant, reason_code: revokedReason, reason: hidden(revokedComment) };
    case "grant_expired":
      return { grant };
  }
}

function createdMembers(request: Request, requester: string | null): EntryData {
  return {
    policy: request.policy.digest,
    revision: request.revision,
    requester,
    expires_at: ledgerTime(request.expiresAt),
    message: null,
    artifact: hidden({ artifact_id: request.artifactId, requester: request.requester }),
  };
}

function taskMembers(task: Task, stage: number): EntryData {
  return { task: ledgerId("task", task.id), stage };
}

type PeopleEvent = Extract<EngineEvent, { readonly type: "seat_freed" | "person_merged" | "decision_voided" }>;

/** What follows from a change of people. */
function peopleMembers(event: PeopleEvent): EntryData {
  switch (event.type) {
    case "seat_freed":
      return freedMembers(event);
    case "person_merged":
      return { person: person(event.from), into: person(event.into), cause: "request" };
    case "decision_voided":
      return { decision_seq: event.recordedAt, cause: event.cause };
  }
}

/** Who is not asked any more, and who was found in their stead. */
function freedMembers(event: Extract<EngineEvent, { readonly type: "seat_freed" }>): EntryData {
  const { task, newTask } = event;
  const found = newTask === null ? [] : [newTask];
  return {
    stage: event.stageOrder,
    tasks: found.map((one) => ({
      task: ledgerId("task", one.id),
      person: person(one.personId),
      seat: one.seatId === null ? null : ledgerId("seat", one.seatId),
      kind: one.required ? "required" : one.kind,
    })),
    excluded: [{ person: person(task.personId), why: event.cause }],
  };
}

type MovedEvent = Extract<EngineEvent, { readonly type: "task_reassigned" | "task_delegated" }>;

function movedMembers(event: MovedEvent): EntryData {
  const members = {
    ...taskMembers(event.task, event.stageOrder),
    from: person(event.task.personId),
    to: person(event.newTask.personId),
  };
  if (event.type === "task_delegated") return members;
  return { ...members, new_task: ledgerId("task", event.newTask.id), reason: hidden(event.reason) };
}

function decisionMembers(
  event: Extract<EngineEvent, { readonly type: "task_decided" }>,
  request: Request,
  signed: SignedEvidence | null,
): EntryData {
  const { task, decision } = event;
  const behalf = task.delegatorId ?? (decision.override ? task.personId : null);
  return {
    ...taskMembers(task, event.stageOrder),
    revision: decision.revision,
    decision: decision.action,
    assurance: decision.assurance,
    method: decision.method,
    factor: decision.factorId === null ? null : ledgerId("fac", decision.factorId),
    on_behalf_of: behalf === null ? null : person(behalf),
    policy: request.policy.digest,
    reason: hidden(decision.comment, signed?.reasonSalt),
    shown_at: ledgerTime(decision.shownAt),
    statement: signed?.statement ?? null,
    assertion: signed?.assertion ?? null,
    override: decision.override,
    reason_code: null,
  };
}

type EndingEvent = Extract<
  EngineEvent,
  { readonly type: "request_approved" | "request_rejected" | "request_cancelled" | "request_expired" }
>;

function endingMembers(event: EndingEvent, request: Request): EntryData {
  const counts = {
    revision: request.revision,
    stages: request.stages.filter((run) => run.state === "approved").length,
    decisions: request.stages.reduce((sum, run) => sum + run.decisions.length, 0),
  };
  switch (event.type) {
    case "request_approved":
      return event.reason === null ? counts : { ...counts, reason_code: event.reason };
    case "request_rejected":
      return { ...counts, reason_code: event.reason, reason: hidden(event.comment) };
    case "request_cancelled":
      return { ...counts, reason: hidden(event.reason), ...causeMembers(event) };
    case "request_expired":
      return counts;
  }
}

function causeMembers({
  cause,
  supersededBy,
}: Extract<EndingEvent, { readonly type: "request_cancelled" }>): EntryData {
  if (cause === null) return {};
  if (cause !== "superseded") return { reason_code: cause };
  return { reason_code: cause, by_request: supersededBy === null ? null : ledgerId("req", supersededBy) };
}

function person(id: PersonId): string {
  return ledgerId("usr", id);
}
