/** A new request, as far as it gets at once. Implements docs/spec/engine.md section 4 (rows "create"). */
import type { Facts, Settings } from "./facts.ts";
import type { RequestId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import type { Actor, Instant } from "./person.ts";
import type { Policy } from "./policy.ts";
import { startNextGroup } from "./progress.ts";
import { invariant, refuse, type Refusal } from "./refusal.ts";
import type { GateName, PolicyPin, Request, RequestCallback, StageRun } from "./request.ts";
import { emit, type Step } from "./step.ts";
import { eventActor } from "./event.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface NewRequest {
  readonly id: RequestId;
  readonly orgId: string;
  readonly gate: GateName;
  readonly liveKey: string | null;
  readonly actor: Actor;
  readonly artifactType: string;
  readonly artifactId: string;
  /** As the body said; null means the caller (R-STAGE-7). */
  readonly requester: string | null;
  readonly context: JsonObject;
  readonly expiresInHours: number | null;
  readonly callback?: RequestCallback | null;
  /** Given by a gate in the place of hours. */
  readonly expiresInMinutes?: number | null;
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
  const asked = lifeAsked(input);
  if (most !== null && asked !== null && asked > most * HOUR) {
    const message = `expires_in_hours may be at most ${String(most)}`;
    return refuse("invalid_input", message, [{ path: ["body", "expires_in_hours"], message }]);
  }
  const longest = (most ?? settings.defaultTtlHours) * HOUR;
  const request = firstState(input, setting, Math.min(asked ?? longest, longest));
  const created = emit(
    { request, events: [] },
    { type: "request_created" },
    { stageOrder: request.currentStageOrder, actor: eventActor(input.actor) },
  );
  return startNextGroup(created, setting, null);
}

/** Milliseconds; null where nothing was said. */
function lifeAsked({ expiresInHours, expiresInMinutes = null }: NewRequest): number | null {
  if (expiresInMinutes !== null) return expiresInMinutes * MINUTE;
  return expiresInHours === null ? null : expiresInHours * HOUR;
}

function firstState(input: NewRequest, { policy, pin, facts, now }: CreationSetting, life: number): Request {
  const [lowest] = policy.stages;
  // Without a stage nobody would be asked and everything approved: activation lets no such policy through.
  invariant(lowest !== undefined, `policy ${policy.key} has no stage`);
  return {
    id: input.id,
    orgId: input.orgId,
    gate: input.gate,
    liveKey: input.liveKey,
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
    expiresAt: now + life,
    completedAt: null,
    outcome: null,
    resolution: null,
    grant: null,
    callback: input.callback ?? null,
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
