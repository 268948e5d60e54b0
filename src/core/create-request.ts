/** A new request, as far as it gets at once. Implements docs/spec/engine.md section 4 (rows "create"). */
import type { Facts, Settings } from "./facts.ts";
import type { RequestId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { Actor, Instant } from "./person.ts";
import type { Policy } from "./policy.ts";
import { startNextGroup } from "./progress.ts";
import { invariant, refuse, type Refusal } from "./refusal.ts";
import type { PolicyPin, Request, StageRun } from "./request.ts";
import { emit, type Step } from "./step.ts";
import { eventActor } from "./event.ts";

const HOUR = 3_600_000;

export interface NewRequest {
  readonly id: RequestId;
  readonly orgId: string;
  readonly actor: Actor;
  readonly artifactType: string;
  readonly artifactId: string;
  /** As the body said; null means the caller (R-STAGE-7). */
  readonly requester: string | null;
  readonly context: JsonObject;
  readonly expiresInHours: number | null;
  readonly salt: string;
  /** Computed by the caller over the canonical payload (R-STAGE-6). */
  readonly digest: string;
}

export interface CreationSetting {
  readonly policy: Policy;
  readonly pin: PolicyPin;
  readonly facts: Facts;
  readonly settings: Settings;
  readonly now: Instant;
}

export function requesterOf(input: Pick<NewRequest, "requester" | "actor">): string {
  return input.requester ?? input.actor.assignee;
}

export function createRequest(input: NewRequest, setting: CreationSetting): Step | Refusal {
  const { policy, settings } = setting;
  if (settings.enforceArtifactType && input.artifactType !== policy.artifactType) {
    const message = `artifact_type '${input.artifactType}' does not match the policy's '${policy.artifactType}'`;
    return refuse("artifact_type_mismatch", message, [{ path: ["body", "artifact_type"], message }]);
  }
  const { requestTtlHours: most } = policy;
  if (most !== null && input.expiresInHours !== null && input.expiresInHours > most) {
    const message = `expires_in_hours may be at most ${String(most)}`;
    return refuse("invalid_input", message, [{ path: ["body", "expires_in_hours"], message }]);
  }
  const longest = most ?? settings.defaultTtlHours;
  const request = firstState(input, setting, Math.min(input.expiresInHours ?? longest, longest));
  const created = emit(
    { request, events: [] },
    { type: "request_created" },
    { stageOrder: request.currentStageOrder, actor: eventActor(input.actor) },
  );
  return startNextGroup(created, setting, null);
}

function firstState(input: NewRequest, { policy, pin, facts, now }: CreationSetting, ttlHours: number): Request {
  const [lowest] = policy.stages;
  // Without a stage nobody would be asked and everything approved: activation lets no such policy through.
  invariant(lowest !== undefined, `policy ${policy.key} has no stage`);
  return {
    id: input.id,
    orgId: input.orgId,
    policy: pin,
    artifactType: input.artifactType,
    artifactId: input.artifactId,
    requester: requesterOf(input),
    creator: {
      issuer: input.actor.issuer,
      subject: input.actor.subject,
      clientId: input.actor.clientId,
      assignee: input.actor.assignee,
      personId: input.actor.person?.id ?? null,
      machine: input.actor.machine,
      standsFor: input.actor.standsFor,
    },
    context: input.context,
    revision: 1,
    salt: input.salt,
    digest: input.digest,
    status: "pending",
    currentStageOrder: lowest.order,
    createdAt: now,
    updatedAt: now,
    expiresAt: now + ttlHours * HOUR,
    completedAt: null,
    outcome: null,
    resolution: null,
    eventCount: 0,
    stages: policy.stages.map((stage): StageRun => ({
      id: facts.newId(),
      order: stage.order,
      name: stage.name,
      mode: stage.mode,
      modeValue: stage.modeValue,
      assurance: stage.assurance,
      state: "waiting",
      skipReason: null,
      startedAt: null,
      completedAt: null,
      dueAt: null,
      escalationRound: 0,
      escalationRetryAt: null,
      escalationAttempts: 0,
      excluded: [],
      seats: [],
      tasks: [],
      decisions: [],
    })),
  };
}
