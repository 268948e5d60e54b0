/** The four ends of a request. Each happens once and closes everything that was open. R-STAGE-3, R-STAGE-16. */
import { CLOCK, type EventActor, type EventBody } from "./event.ts";
import { issuedGrant } from "./grant.ts";
import type { Instant } from "./person.ts";
import type { GrantTerms } from "./policy.ts";
import type { GateName, Request, RequestOutcome, StageRun } from "./request.ts";
import { closeSeats, closeTasks, emit, patch, type Setting, type Step } from "./step.ts";

type Ending = Extract<
  EventBody,
  { type: "request_approved" | "request_rejected" | "request_cancelled" | "request_expired" }
>;

export interface EndedBy {
  readonly actor: EventActor | null;
  readonly stageOrder?: number;
  readonly now: Instant;
}

/** R-STAGE-16; with it goes the grant (R-GRANT-3). Nobody acts when a lookup finds the last stages empty: then the last vote is what approved. */
export function approveRequest(step: Step, { policy, facts, now }: Setting, by: EventActor | null): Step {
  const allSkipped = step.request.stages.every((stage) => stage.state === "skipped");
  const actor = by ?? lastVoter(step.request);
  const reason = allSkipped
    ? "all_stages_skipped"
    : actor?.id === CLOCK.id && actor.personId === null
      ? "sla_breach"
      : null;
  const grant = issuedGrant(facts.newId(), termsOf(step.request.gate, policy.grant), now);
  return finish(patch(step, { grant }), "approved", { type: "request_approved", reason, grant }, { actor, now });
}

/** What a deploy approval permits is done once and never without an end, whatever its policy leaves open (deploy R-REQ-9, R-EXPIRY-1). */
function termsOf(gate: GateName, terms: GrantTerms): GrantTerms {
  return gate === "deploy" ? { ttlMinutes: terms.ttlMinutes ?? DEPLOY_WINDOW_MINUTES, uses: 1 } : terms;
}

const DEPLOY_WINDOW_MINUTES = 15;

function lastVoter(request: Request): EventActor | null {
  const votes = request.stages.flatMap((stage) => stage.decisions).filter((decision) => decision.seatId !== null);
  const last = votes.sort((left, right) => left.createdAt - right.createdAt).at(-1);
  return last === undefined ? null : { name: last.actor, id: last.actorId, personId: last.personId };
}

export function rejectRequest(step: Step, ending: Extract<Ending, { type: "request_rejected" }>, by: EndedBy): Step {
  return finish(step, "rejected", ending, by);
}

export function endRequest(
  step: Step,
  ending: Extract<Ending, { type: "request_cancelled" | "request_expired" }>,
  by: EndedBy,
): Step {
  return finish(step, ending.type === "request_cancelled" ? "cancelled" : "expired", ending, by);
}

function finish(step: Step, status: Request["status"], ending: Ending, by: EndedBy): Step {
  const closed = step.request.stages.map((stage) => closeStage(stage, status, by.now));
  const stageOrder = by.stageOrder ?? step.request.currentStageOrder;
  const ended = patch(step, {
    status,
    stages: closed,
    completedAt: by.now,
    resolution: null,
    outcome: outcomeOf(ending, stageOrder, by),
  });
  return emit(ended, ending, { stageOrder, actor: by.actor });
}

function closeStage(stage: StageRun, status: Request["status"], now: Instant): StageRun {
  const live = stage.state === "waiting" || stage.state === "resolving" || stage.state === "open";
  const tasksClosed = closeSeats(closeTasks(stage, status === "expired" ? "expired" : "skipped", now));
  return live ? { ...tasksClosed, state: "closed", completedAt: now, escalationRetryAt: null } : tasksClosed;
}

function outcomeOf(ending: Ending, stageOrder: number, by: EndedBy): RequestOutcome {
  const who = {
    ...{ stageOrder, actor: by.actor?.name ?? null, actorId: by.actor?.id ?? null },
    ...{ cause: null, supersededBy: null },
  };
  switch (ending.type) {
    case "request_approved":
      return { ...who, reason: ending.reason, comment: null };
    case "request_rejected":
      return { ...who, reason: ending.reason, comment: ending.comment };
    case "request_cancelled":
      return {
        ...{ ...who, reason: null, comment: ending.reason },
        ...{ cause: ending.cause, supersededBy: ending.supersededBy },
      };
    case "request_expired":
      return { ...who, reason: null, comment: null };
  }
}
