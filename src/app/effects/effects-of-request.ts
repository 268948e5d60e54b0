/**
 * Which calls and messages follow from what happened to a request? Implements R-HOOK-1 and the table of docs/spec/engine.md section 15; pure, and
 * called where the events are recorded, so that they are written in one transaction.
 */
import { isOpenTask, type Request, type Task } from "../../core/request.ts";
import type { NewId } from "../../core/ids.ts";
import type { Instant } from "../../core/person.ts";
import type { RecordedEvent } from "../../ports/change-set.ts";
import type { EffectRecord } from "../../ports/effects.ts";
import type { NotifierSettings } from "../application.ts";
import { isSent } from "./webhook-events.ts";
import { webhookEffect } from "./webhook-effect.ts";
import { mailEffects, type MailName, type MailPlan, type RequestMessage, type TaskMessage } from "./mail-effect.ts";

export interface RequestStep {
  readonly before: Request | null;
  readonly after: Request;
  readonly events: readonly RecordedEvent[];
}

export interface EffectsSetting {
  readonly newId: NewId;
  readonly at: Instant;
  /** Null while no mail is sent. */
  readonly notifier: NotifierSettings | null;
}

/** After so many failures administrators hear that nobody can be found for a stage. */
const RESOLUTION_ATTEMPTS = 5;

export function effectsOfRequest(step: RequestStep, { notifier, ...by }: EffectsSetting): readonly EffectRecord[] {
  return [...callsOf(step, by), ...mailsOf(step, notifier, by)];
}

/** One delivery per event and address; those of one request go out in the order of their events (R-HOOK-1, R-HOOK-9). */
function callsOf({ after, events }: RequestStep, by: Pick<EffectsSetting, "newId" | "at">): readonly EffectRecord[] {
  const { callback = null } = after;
  if (callback === null) return [];
  const sent = events.filter(({ event }) => isSent(event.type, callback));
  return sent.map(({ id, event }) =>
    webhookEffect({ orgId: after.orgId, requestId: after.id, callback, event: { id, ...event } }, by),
  );
}

function mailsOf(
  step: RequestStep,
  notifier: NotifierSettings | null,
  by: Pick<EffectsSetting, "newId" | "at">,
): readonly EffectRecord[] {
  // The deploy gate has texts and recipients of its own.
  if (notifier === null || step.after.gate === "deploy") return [];
  return mailEffects(
    step.events.flatMap((recorded) => messagesOf(recorded, step, notifier)),
    by,
  );
}

// eslint-disable-next-line complexity -- one flat case per event type; the compiler sees that none is missing
function messagesOf({ id, event }: RecordedEvent, step: RequestStep, notifier: NotifierSettings): readonly MailPlan[] {
  const { after } = step;
  const about = { orgId: after.orgId, eventId: id, requestId: after.id };
  const toHolder = (message: TaskMessage | "task_not_needed") => (task: Task) => ({
    ...{ ...about, message, taskId: task.id, to: { person: task.personId } },
  });
  switch (event.type) {
    case "stage_started":
      return assigned(event.stage.tasks, toHolder("task_assigned"), about);
    case "stage_escalated":
      return assigned(event.added, toHolder("task_escalated"), about);
    case "task_reassigned":
    case "task_delegated":
      return [
        toHolder("task_reassigned")(event.newTask),
        ...(event.type === "task_delegated"
          ? [
              {
                ...about,
                message: "delegated_for_you" as const,
                taskId: event.newTask.id,
                to: { person: event.task.personId },
              },
            ]
          : []),
      ];
    case "seat_freed":
      return event.newTask === null ? [] : [toHolder("task_reassigned")(event.newTask)];
    case "task_expired":
      return [toHolder("task_expired")(event.task)];
    case "task_decided":
      return event.decision.override ? [toHolder("override")(event.task)] : [];
    case "stage_quorum_skipped":
      return event.skipped.map(toHolder("task_not_needed"));
    case "resolution_failed":
      if (event.attempt !== RESOLUTION_ATTEMPTS) return [];
      return notifier.adminAddresses.map((address) => ({ ...about, message: "resolution_failed", to: { address } }));
    case "request_approved":
    case "request_rejected":
    case "request_cancelled":
    case "request_expired":
      return [
        ...outcome(event.type, { ...about, request: after, actor: event.actor?.id ?? null }),
        ...closedWithout(step).map(toHolder("task_not_needed")),
      ];
    case "request_created":
    case "stage_skipped":
    case "stage_completed":
    case "task_claimed":
    case "task_released":
    case "person_merged":
    case "decision_voided":
    case "delegation_skipped":
    case "grant_used":
    case "grant_extended":
    case "grant_revoked":
    case "grant_expired":
      return [];
  }
}

/** Those who got a task, and those in whose place they got it. */
function assigned(
  tasks: readonly Task[],
  toHolder: (task: Task) => MailPlan,
  about: Pick<MailPlan, "orgId" | "eventId" | "requestId">,
): readonly MailPlan[] {
  const holders = tasks.filter(isOpenTask).map(toHolder);
  const delegators = tasks.flatMap(({ id, delegatorId }) =>
    delegatorId === null
      ? []
      : [{ ...about, message: "delegated_for_you" as const, taskId: id, to: { person: delegatorId } }],
  );
  return [...holders, ...delegators];
}

/** Machines read the request; whoever ended it knows. */
function outcome(
  message: RequestMessage & MailName,
  about: Pick<MailPlan, "orgId" | "eventId"> & { readonly request: Request; readonly actor: string | null },
): readonly MailPlan[] {
  const { request, actor, orgId, eventId } = about;
  const { creator, requester } = request;
  if (requester === actor) return [];
  const isOwn = creator.assignee === requester;
  if (isOwn && (creator.machine || creator.personId === null)) return [];
  const to = isOwn && creator.personId !== null ? { person: creator.personId } : { requesterOf: request.id };
  return [{ orgId, eventId, requestId: request.id, message, to }];
}

/** Open tasks that ended with the request, without a decision, and that no event of the stage told of. */
function closedWithout({ before, after, events }: RequestStep): readonly Task[] {
  const told = new Set(
    events.flatMap(({ event }) => (event.type === "stage_quorum_skipped" ? event.skipped.map(({ id }) => id) : [])),
  );
  const wasOpen = new Set((before?.stages ?? []).flatMap(({ tasks }) => tasks.filter(isOpenTask).map(({ id }) => id)));
  return after.stages
    .flatMap(({ tasks }) => tasks)
    .filter((task) => wasOpen.has(task.id) && !isOpenTask(task) && task.decisionId === null && !told.has(task.id));
}
