/**
 * What is to be done outside because a deploy request changed, whichever path changed it: written with the change itself, done by
 * workers that look at the present state (docs/spec/deploy.md R-STATE-3, R-CI-1; docs/spec/effects.md).
 */
import type { EngineEvent } from "../../core/event.ts";
import type { NewId } from "../../core/ids.ts";
import type { Instant } from "../../core/person.ts";
import type { CancelCause, Request } from "../../core/request.ts";
import type { World } from "../../ports/command-store.ts";
import type { EffectKind, EffectRecord } from "../../ports/effects.ts";
import { newEffect } from "../effects/new-effect.ts";

export interface RequestChanged {
  readonly before: Request | null;
  readonly after: Request;
  readonly events: readonly EngineEvent[];
  readonly newId: NewId;
}

/** What happened, in the gate's words. */
type Happened =
  | "created"
  | "stage"
  | "decided"
  | "approved"
  | "extended"
  | "rejected"
  | "expired"
  | "cancelled"
  | "superseded"
  | "deployed";

const ENDED = ["deploy.ci", "deploy.vcs_comment", "deploy.vcs_status", "deploy.chat", "deploy.mail"] as const;

const FOLLOWS: Readonly<Record<Happened, readonly EffectKind[]>> = {
  created: ["deploy.vcs_tree", "deploy.vcs_facts", ...ENDED],
  stage: ["deploy.mail"],
  decided: ["deploy.chat"],
  approved: ENDED,
  extended: ["deploy.vcs_comment", "deploy.chat"],
  rejected: ENDED,
  expired: ENDED,
  cancelled: ENDED,
  superseded: ENDED,
  deployed: ENDED,
};

/** These say how things are now: of several events of one change the last is enough. */
const TELLS_STATE: ReadonlySet<EffectKind> = new Set(["deploy.vcs_comment", "deploy.vcs_status", "deploy.chat"]);

/** Of one target one after the other. No effect has an end of its own: an unblock is never sent once its grant has ended, extended or not. */
export function deployEffects({ before, after, events, newId }: RequestChanged): readonly EffectRecord[] {
  const told = events.flatMap((event) => {
    const happened = happenedBy(event, before);
    return happened === null ? [] : [{ happened, sequence: event.sequence, kinds: FOLLOWS[happened] }];
  });
  const reminders = told.flatMap(({ happened, sequence }) =>
    happened === "created" ? [reminderOf({ after, newId, sequence })] : [],
  );
  const effects = told.flatMap(({ happened, sequence, kinds }, index) => {
    const later = new Set(told.slice(index + 1).flatMap((one) => one.kinds));
    return kinds
      .filter((kind) => !TELLS_STATE.has(kind) || !later.has(kind))
      .map((kind) => effectOf(kind, { after, newId, happened, sequence, at: after.updatedAt }));
  });
  return [...effects, ...reminders];
}

/** Of an approval whose grant has ended before the rack had deployed: no event of the request says it, and none follows. */
export function lateDeployEffects(
  after: Request,
  { now, newId }: Pick<World, "now" | "newId">,
): readonly EffectRecord[] {
  const about = { after, newId, happened: "deployed", sequence: after.eventCount + 1, at: now } as const;
  return FOLLOWS.deployed.map((kind) => effectOf(kind, about));
}

interface Telling extends Pick<RequestChanged, "after" | "newId"> {
  readonly happened: Happened;
  readonly sequence: number;
  readonly at: Instant;
}

function effectOf(kind: EffectKind, { after, newId, happened, sequence, at }: Telling): EffectRecord {
  return newEffect({
    ...{ id: newId(), orgId: after.orgId, kind, lane: `${laneOf(kind)}:${after.id}`, position: sequence },
    ...{ requestId: after.id, payload: { event: happened, sequence }, at },
  });
}

/** At half of the time for deciding (R-MAIL-1); in a lane of its own, since nothing waits for it. */
function reminderOf({
  after,
  newId,
  sequence,
}: Pick<RequestChanged, "after" | "newId"> & { readonly sequence: number }): EffectRecord {
  const { id: requestId, orgId, createdAt, expiresAt } = after;
  const reminder = newEffect({
    ...{ id: newId(), orgId, kind: "deploy.mail", lane: `reminder:${requestId}`, position: sequence, requestId },
    ...{ payload: { event: "reminder", sequence }, at: createdAt },
  });
  return { ...reminder, dueAt: createdAt + Math.floor((expiresAt - createdAt) / 2) };
}

/** `comment`, `chat`, `ci` … */
function laneOf(kind: EffectKind): string {
  return kind.replace("deploy.", "").replace("vcs_", "");
}

/** What every event of a type says; those of the rest depend on what is in them. */
const SAID: Partial<Readonly<Record<EngineEvent["type"], Happened>>> = {
  request_created: "created",
  task_decided: "decided",
  request_approved: "approved",
  grant_extended: "extended",
  request_rejected: "rejected",
  request_expired: "expired",
  grant_expired: "expired",
};

function happenedBy(event: EngineEvent, before: Request | null): Happened | null {
  if (event.type === "stage_started") return before === null ? null : "stage";
  if (event.type === "grant_used") return event.grant.state === "used" ? "deployed" : null;
  if (event.type === "grant_revoked") return event.grant.revokedReason === "rejected" ? "rejected" : "cancelled";
  if (event.type === "request_cancelled") return cancelledAs(event.cause);
  return SAID[event.type] ?? null;
}

function cancelledAs(cause: CancelCause | null): Happened {
  return cause === "superseded" || cause === "rejected" ? cause : "cancelled";
}
