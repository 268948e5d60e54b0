/**
 * What happened, in the past tense: each transition of a request appends these in order.
 * Implements docs/spec/engine.md section 8. How an event looks on the wire and in the ledger is decided by its readers.
 */
import type { Grant } from "./grant.ts";
import type { PersonId, RequestId } from "./ids.ts";
import type { Actor, Instant } from "./person.ts";
import type { CancelCause, Decision, Exclusion, RequestStatus, StageRun, Task } from "./request.ts";

export interface EventActor {
  readonly name: string;
  readonly id: string;
  readonly personId: PersonId | null;
}

/** The clock acts under this name (R-SLA-6). */
export const CLOCK: EventActor = { name: "sla-monitor", id: "sla-monitor", personId: null };

export function eventActor(actor: Actor): EventActor {
  return { name: actor.displayName, id: actor.assignee, personId: actor.person?.id ?? null };
}

type Body =
  | { readonly type: "request_created" }
  | {
      readonly type: "stage_started";
      readonly stage: StageRun;
      readonly needed: number;
      readonly approvers: readonly string[];
      readonly observers: readonly string[];
      readonly requiredApprovers: readonly string[];
      readonly skipIfError: string | null;
    }
  | {
      readonly type: "stage_skipped";
      readonly reason: "skip_if" | "no_approvers";
      readonly excluded: readonly Exclusion[];
    }
  | { readonly type: "stage_quorum_skipped"; readonly name: string; readonly skipped: readonly Task[] }
  | { readonly type: "stage_completed"; readonly outcome: "approved" | "rejected" }
  | {
      readonly type: "stage_escalated";
      readonly added: readonly Task[];
      readonly dueAt: Instant | null;
      readonly round: number;
    }
  | { readonly type: "task_claimed"; readonly task: Task }
  | { readonly type: "task_released"; readonly task: Task }
  | { readonly type: "task_decided"; readonly task: Task; readonly decision: Decision }
  | {
      readonly type: "task_reassigned";
      readonly task: Task;
      readonly newTask: Task;
      readonly reason: string | null;
    }
  | { readonly type: "task_delegated"; readonly task: Task; readonly newTask: Task }
  | { readonly type: "task_expired"; readonly task: Task }
  | {
      readonly type: "seat_freed";
      readonly task: Task;
      /** The invitation of whoever has the seat now; null when nobody takes it. */
      readonly newTask: Task | null;
      readonly cause: "suspended" | "erased";
    }
  | {
      readonly type: "person_merged";
      readonly from: PersonId;
      readonly into: PersonId;
      readonly intoName: string;
    }
  | {
      readonly type: "decision_voided";
      readonly decision: Decision;
      /** Position of the entry that recorded it. */
      readonly recordedAt: number;
      readonly cause: "merged";
    }
  | {
      readonly type: "delegation_skipped";
      readonly user: string;
      readonly userId: PersonId;
      readonly delegate: string;
      readonly delegateId: PersonId;
      readonly reason: "barred" | "machine" | "disabled" | "stage_forbids" | "would_break_quorum";
    }
  | {
      readonly type: "resolution_failed";
      readonly rule: string;
      readonly error: string;
      readonly attempt: number;
      readonly nextAttemptAt: Instant;
    }
  | {
      readonly type: "request_approved";
      readonly reason: "all_stages_skipped" | "sla_breach" | null;
      readonly grant: Grant;
    }
  | {
      readonly type: "request_rejected";
      readonly reason: "no_approvers_resolved" | "quorum_unreachable" | "sla_breach" | null;
      readonly comment: string | null;
      readonly needed?: number;
      readonly possible?: number;
    }
  | {
      readonly type: "request_cancelled";
      readonly reason: string | null;
      readonly cause: CancelCause | null;
      readonly supersededBy: RequestId | null;
    }
  | { readonly type: "request_expired"; readonly expiresAt: Instant }
  | { readonly type: "grant_used"; readonly grant: Grant; readonly action: string | null }
  | { readonly type: "grant_extended"; readonly grant: Grant }
  | { readonly type: "grant_revoked"; readonly grant: Grant }
  | { readonly type: "grant_expired"; readonly grant: Grant };

export type EngineEventType = Body["type"];

export type EngineEvent = Body & {
  /** 1, 2, 3 … per request, no gap (R-EVENT-1). */
  readonly sequence: number;
  /** The request's status as the event tells it (R-EVENT-2). */
  readonly status: RequestStatus;
  readonly stageOrder: number;
  readonly actor: EventActor | null;
};

export type EventBody = Body;
