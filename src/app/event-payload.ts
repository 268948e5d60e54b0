/**
 * An event as timelines and receivers read it. Implements docs/spec/engine.md R-EVENT-2 and the table of section 8:
 * the members that every payload has, then those of its type. Times inside payloads end in `+00:00`.
 */
import type { EngineEvent } from "../core/event.ts";
import type { Grant } from "../core/grant.ts";
import type { JsonObject } from "../core/json.ts";
import type { Instant } from "../core/person.ts";
import type { Request } from "../core/request.ts";

export function eventPayload(event: EngineEvent, request: Request): JsonObject {
  return {
    request_id: request.id,
    artifact_type: request.artifactType,
    artifact_id: request.artifactId,
    status: event.status,
    stage_order: event.stageOrder,
    revision: request.revision,
    ...(event.actor === null ? {} : { actor: event.actor.name, actor_id: event.actor.id }),
    ...(isPeopleEvent(event)
      ? peopleMembers(event)
      : isGrantEvent(event)
        ? grantMembers(event)
        : ownMembers(event, request)),
  };
}

// eslint-disable-next-line complexity -- one flat case per event type; the compiler sees that none is missing
function ownMembers(event: Exclude<EngineEvent, PeopleEvent | GrantEvent>, request: Request): JsonObject {
  switch (event.type) {
    case "request_created":
      return { policy_key: request.policy.key, policy_version: request.policy.version };
    case "stage_started":
      return {
        name: event.stage.name,
        mode: event.stage.mode,
        mode_value: event.stage.modeValue,
        approvers: event.approvers,
        observers: event.observers,
        required_approvers: event.requiredApprovers,
        ...(event.stage.dueAt === null ? {} : { due_at: payloadTime(event.stage.dueAt) }),
        needed: event.needed,
        ...(event.skipIfError === null ? {} : { skip_if_error: event.skipIfError }),
      };
    case "stage_skipped":
      return { reason: event.reason };
    case "stage_quorum_skipped":
      return { name: event.name, skipped_assignees: event.skipped.map((task) => task.assignee) };
    case "stage_completed":
      return { outcome: event.outcome };
    case "stage_escalated":
      return {
        added_approvers: event.added.map((task) => task.assignee),
        ...(event.dueAt === null ? {} : { due_at: payloadTime(event.dueAt) }),
        round: event.round,
      };
    case "task_claimed":
    case "task_released":
      return { task_id: event.task.id, assignee: event.task.assignee };
    case "task_decided":
    case "task_reassigned":
    case "task_delegated":
    case "task_expired":
      return taskMembers(event);
    case "delegation_skipped":
      return { user: event.user, delegate: event.delegate, reason: event.reason };
    case "resolution_failed":
      return {
        rule: event.rule,
        error: event.error,
        attempt: event.attempt,
        next_attempt_at: payloadTime(event.nextAttemptAt),
      };
    case "request_approved":
    case "request_rejected":
    case "request_cancelled":
    case "request_expired":
      return endingMembers(event);
  }
}

type EndingEvent = Extract<
  EngineEvent,
  { readonly type: "request_approved" | "request_rejected" | "request_cancelled" | "request_expired" }
>;

function endingMembers(event: EndingEvent): JsonObject {
  switch (event.type) {
    case "request_approved":
      return { ...(event.reason === null ? {} : { reason: event.reason }), grant: issuedMembers(event.grant) };
    case "request_rejected":
      return {
        ...(event.reason === null ? {} : { reason: event.reason }),
        ...(event.comment === null ? {} : { comment: event.comment }),
        ...(event.needed === undefined ? {} : { needed: event.needed }),
        ...(event.possible === undefined ? {} : { possible: event.possible }),
      };
    case "request_cancelled":
      return cancelMembers(event);
    case "request_expired":
      return { expires_at: payloadTime(event.expiresAt) };
  }
}

function cancelMembers({
  reason,
  cause,
  supersededBy,
}: Extract<EndingEvent, { readonly type: "request_cancelled" }>): JsonObject {
  return {
    ...(reason === null ? {} : { reason }),
    ...(cause === null ? {} : { cause }),
    ...(supersededBy === null ? {} : { superseded_by: supersededBy }),
  };
}

type GrantEvent = Extract<
  EngineEvent,
  { readonly type: "grant_used" | "grant_extended" | "grant_revoked" | "grant_expired" }
>;

const GRANT_EVENTS: ReadonlySet<string> = new Set<GrantEvent["type"]>([
  "grant_used",
  "grant_extended",
  "grant_revoked",
  "grant_expired",
]);

function isGrantEvent(event: EngineEvent): event is GrantEvent {
  return GRANT_EVENTS.has(event.type);
}

function issuedMembers({ notBefore, expiresAt, usesMax }: Grant): JsonObject {
  return { not_before: payloadTime(notBefore), expires_at: payloadTimeOrNull(expiresAt), uses_max: usesMax };
}

function grantMembers(event: GrantEvent): JsonObject {
  const { state, uses, usesMax, expiresAt, extensions, revokedReason, revokedComment } = event.grant;
  switch (event.type) {
    case "grant_used":
      return { use: uses, uses_max: usesMax, grant_state: state, action: event.action };
    case "grant_extended":
      return { expires_at: payloadTimeOrNull(expiresAt), extensions };
    case "grant_revoked":
      return { reason: revokedReason, ...(revokedComment === null ? {} : { comment: revokedComment }) };
    case "grant_expired":
      return { expires_at: payloadTimeOrNull(expiresAt) };
  }
}

type PeopleEvent = Extract<EngineEvent, { readonly type: "seat_freed" | "person_merged" | "decision_voided" }>;

function isPeopleEvent(event: EngineEvent): event is PeopleEvent {
  return event.type === "seat_freed" || event.type === "person_merged" || event.type === "decision_voided";
}

function peopleMembers(event: PeopleEvent): JsonObject {
  switch (event.type) {
    case "seat_freed": {
      const { task, newTask, cause } = event;
      const found = { new_task_id: newTask?.id ?? null, to: newTask?.assignee ?? null };
      return { task_id: task.id, assignee: task.assignee, ...found, reason: cause };
    }
    case "person_merged":
      return { person_id: event.from, into_id: event.into, into: event.intoName };
    case "decision_voided":
      return { decision_id: event.decision.id, actor: event.decision.actor, reason: event.cause };
  }
}

type TaskEvent = Extract<
  EngineEvent,
  { readonly type: "task_decided" | "task_reassigned" | "task_delegated" | "task_expired" }
>;

function taskMembers(event: TaskEvent): JsonObject {
  switch (event.type) {
    case "task_decided":
      return {
        task_id: event.task.id,
        assignee: event.task.assignee,
        action: event.decision.action,
        comment: event.decision.comment,
        on_behalf_of: event.decision.onBehalfOf,
        override: event.decision.override,
        decision_id: event.decision.id,
      };
    case "task_expired":
      return {
        task_id: event.task.id,
        assignee: event.task.assignee,
        due_at: event.task.dueAt === null ? null : payloadTime(event.task.dueAt),
      };
    case "task_reassigned":
    case "task_delegated":
      return {
        task_id: event.task.id,
        new_task_id: event.newTask.id,
        from: event.task.assignee,
        to: event.newTask.assignee,
        ...(event.type === "task_reassigned" && event.reason !== null ? { reason: event.reason } : {}),
      };
  }
}

function payloadTimeOrNull(at: Instant | null): string | null {
  return at === null ? null : payloadTime(at);
}

/** `2026-11-20T08:54:40.257000+00:00`, as inside every payload. */
function payloadTime(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, -1)}000+00:00`;
}
