/**
 * The state of one request: the whole aggregate that a command reads and replaces.
 * Values are never changed in place; whoever stores them may compare by identity to see what a command touched.
 * Implements docs/spec/engine.md sections 4 to 7.
 */
import type { Assurance, ProofMethod } from "./assurance-level.ts";
import type { Grant } from "./grant.ts";
import type { DecisionId, PersonId, PolicyId, RequestId, SeatId, StageRunId, TaskId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { Instant } from "./person.ts";
import type { StageMode } from "./policy.ts";

export type RequestStatus = "pending" | "in_review" | "approved" | "rejected" | "cancelled" | "expired";

/** Where a request was made and where its approval is enforced. */
export type GateName = "generic" | "deploy" | "certificate";

export interface PolicyPin {
  readonly id: PolicyId;
  readonly key: string;
  readonly version: number;
  readonly digest: string;
}

/** Who made the request, as the credential said (R-STAGE-7). */
export interface Creator {
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string | null;
  readonly assignee: string;
  readonly personId: PersonId | null;
  readonly machine: boolean;
  /** The people behind a machine: they did not ask themselves, and yet may not decide (identity R-ID-11). */
  readonly standsFor: readonly PersonId[];
}

export interface RequestOutcome {
  readonly reason: string | null;
  readonly stageOrder: number | null;
  readonly actor: string | null;
  readonly actorId: string | null;
  readonly comment: string | null;
  /** Why it was cancelled, where a gate says so; null for everything else. */
  readonly cause: CancelCause | null;
  /** The request that took its place. */
  readonly supersededBy: RequestId | null;
}

/** Given by gates alone: nobody claims through the generic API that a request was superseded. */
export type CancelCause = "superseded" | "rejected" | "token_deleted";

/** A group whose approvers could not be looked up, waiting for its next attempt (R-RESOLVE-7). */
export interface Resolution {
  readonly stageOrder: number;
  readonly rule: string;
  readonly attempt: number;
  readonly lastError: string;
  readonly nextAttemptAt: Instant;
}

/** Where the request's events are sent, signed with whose secret, and which of those that nobody gets unasked (R-HOOK-1). */
export interface RequestCallback {
  readonly url: string;
  readonly secretId: string | null;
  readonly events: readonly string[];
}

export interface Request {
  readonly id: RequestId;
  readonly orgId: string;
  readonly gate: GateName;
  /** What at most one live request of the organization is about, as its gate says; null where any number may live. */
  readonly liveKey: string | null;
  readonly policy: PolicyPin;
  readonly artifactType: string;
  readonly artifactId: string;
  readonly requester: string;
  readonly creator: Creator;
  readonly context: JsonObject;
  readonly revision: number;
  readonly salt: string;
  /** `sha256:` and hex over the canonical payload (R-STAGE-6). */
  readonly digest: string;
  readonly status: RequestStatus;
  readonly currentStageOrder: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  readonly expiresAt: Instant;
  readonly completedAt: Instant | null;
  readonly outcome: RequestOutcome | null;
  readonly resolution: Resolution | null;
  /** What the approval yielded; null until then, and for every other end. */
  readonly grant: Grant | null;
  /** Null and absent: nobody is told. */
  readonly callback?: RequestCallback | null;
  /** Number of events so far; the next one gets `eventCount + 1` (R-EVENT-1). */
  readonly eventCount: number;
  /** One per stage of the pinned policy, by stage order. */
  readonly stages: readonly StageRun[];
}

export type StageRunState = "waiting" | "resolving" | "open" | "approved" | "rejected" | "skipped" | "closed";

export interface Exclusion {
  readonly user: string;
  readonly reason: "requester" | "forbidden" | "repeat_approver" | "machine" | "disabled";
  /** Where the context names them, if that is the reason. */
  readonly path?: string;
}

export interface StageRun {
  readonly id: StageRunId;
  readonly order: number;
  readonly name: string;
  readonly mode: StageMode;
  readonly modeValue: number | null;
  /** What an approval here must be proven by; as in the pinned policy. */
  readonly assurance: Assurance;
  readonly state: StageRunState;
  readonly skipReason: "skip_if" | "no_approvers" | null;
  readonly startedAt: Instant | null;
  readonly completedAt: Instant | null;
  readonly dueAt: Instant | null;
  readonly escalationRound: number;
  /** When a failed escalation lookup is tried again (R-SLA-5). */
  readonly escalationRetryAt: Instant | null;
  readonly escalationAttempts: number;
  readonly excluded: readonly Exclusion[];
  readonly seats: readonly Seat[];
  readonly tasks: readonly Task[];
  readonly decisions: readonly Decision[];
}

export type SeatState = "open" | "approved" | "rejected" | "abstained" | "removed" | "closed";

/** One vote of a stage run. Quorum counts seats, never tasks. */
export interface Seat {
  readonly id: SeatId;
  readonly position: number;
  /** The candidates this seat stands for; more than one after a delegation to somebody who had a seat (R-DELEG-4). */
  readonly origins: readonly PersonId[];
  readonly holder: PersonId;
  readonly required: boolean;
  readonly state: SeatState;
}

export type TaskStatus = "open" | "claimed" | "completed" | "skipped" | "expired" | "reassigned";
export type TaskKind = "approver" | "observer";

export interface Task {
  readonly id: TaskId;
  /** Null for observers and for people added by an escalation, who share the overdue seats (R-QUORUM-10). */
  readonly seatId: SeatId | null;
  readonly escalation: boolean;
  readonly personId: PersonId;
  readonly assignee: string;
  readonly assigneeName: string | null;
  readonly kind: TaskKind;
  readonly required: boolean;
  readonly delegatedFrom: string | null;
  readonly delegatorId: PersonId | null;
  readonly reassignedFrom: string | null;
  readonly status: TaskStatus;
  readonly claimedAt: Instant | null;
  readonly completedAt: Instant | null;
  readonly dueAt: Instant | null;
  /** When the clock noticed that `dueAt` had passed; once per task (R-SLA-4). */
  readonly overdueAt: Instant | null;
  readonly decisionId: DecisionId | null;
  readonly createdAt: Instant;
}

export type DecisionAction = "approve" | "reject" | "abstain";

export interface Decision {
  readonly id: DecisionId;
  readonly taskId: TaskId;
  /** The seat this decision fills; null when it counts for nothing (observers, an added person's abstention). */
  readonly seatId: SeatId | null;
  /** Null only for the clock's own decisions. */
  readonly personId: PersonId | null;
  readonly actor: string;
  readonly actorId: string;
  readonly action: DecisionAction;
  readonly comment: string | null;
  readonly attachmentsRef: string | null;
  readonly reasonCode: string | null;
  readonly onBehalfOf: string | null;
  readonly override: boolean;
  /** How it was proven, which may be stronger than the stage asked. */
  readonly assurance: Assurance;
  readonly method: ProofMethod | null;
  readonly factorId: string | null;
  /** When the request was shown to the person; null where the decision names no view. */
  readonly shownAt: Instant | null;
  readonly digest: string;
  readonly revision: number;
  readonly createdAt: Instant;
  /** It counts for nothing any more: its person turned out to have decided already (identity R-ID-7). */
  readonly voidedAt: Instant | null;
}

const LIVE: ReadonlySet<RequestStatus> = new Set(["pending", "in_review"]);

export function isLive(status: RequestStatus): boolean {
  return LIVE.has(status);
}

export function isOpenTask(task: Task): boolean {
  return task.status === "open" || task.status === "claimed";
}

/** The stage run and the task with this id, or undefined: a task belongs to exactly one stage run. */
export function findTask(request: Request, taskId: TaskId): { stage: StageRun; task: Task } | undefined {
  for (const stage of request.stages) {
    const task = stage.tasks.find((candidate) => candidate.id === taskId);
    if (task !== undefined) return { stage, task };
  }
  return undefined;
}
