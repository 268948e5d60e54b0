/**
 * Using, extending and revoking the grant of an approved request, and its end by the clock.
 * Implements docs/spec/engine.md section 11 (R-GRANT-1 to R-GRANT-7).
 */
import { isCreator } from "./cancel-request.ts";
import { eventActor } from "./event.ts";
import { grantAt, grantTimer, type Grant, type RevokedReason } from "./grant.ts";
import type { Actor, Instant } from "./person.ts";
import { invariant, isRefusal, refuse, type Refusal } from "./refusal.ts";
import type { Request } from "./request.ts";
import { barredThroughout, exclusionSentence } from "./separation-of-duties.ts";
import { emit, patch, type Setting, type Step } from "./step.ts";
import { standingRefusal } from "./task-access.ts";

/** A gate has judged by its own rules who may do this; callers of the generic API are judged here. */
export type GrantAuthority = "caller" | "gate";

export interface UseGrantCommand {
  readonly type: "use_grant";
  readonly actor: Actor;
  readonly by: GrantAuthority;
  /** Of what is about to be done. */
  readonly digest: string;
  /** What it is used for, in the words of its gate: `convox:release:promote`. */
  readonly action: string | null;
}

export interface ExtendGrantCommand {
  readonly type: "extend_grant";
  readonly actor: Actor;
  readonly expiresAt: Instant;
  /** How often at most, this time included. */
  readonly most: number;
  /** No extension goes beyond this instant. */
  readonly latest: Instant;
}

export interface RevokeGrantCommand {
  readonly type: "revoke_grant";
  readonly actor: Actor;
  readonly by: GrantAuthority;
  readonly reason: RevokedReason;
  readonly comment: string | null;
}

export type GrantCommand = UseGrantCommand | ExtendGrantCommand | RevokeGrantCommand;

export function isGrantCommand(command: { readonly type: string }): command is GrantCommand {
  return command.type === "use_grant" || command.type === "extend_grant" || command.type === "revoke_grant";
}

export function carryOutOnGrant(step: Step, command: GrantCommand, setting: Setting): Step | Refusal {
  switch (command.type) {
    case "use_grant":
      return useGrant(step, command, setting);
    case "extend_grant":
      return extendGrant(step, command, setting);
    case "revoke_grant":
      return revokeGrant(step, command, setting);
  }
}

export function expireGrant(step: Step, { now }: Pick<Setting, "now">): Step {
  const { grant } = step.request;
  const end = grantTimer(grant);
  invariant(grant !== null && end !== null && end <= now, "a grant expires at its end");
  const expired: Grant = { ...grant, state: "expired", endedAt: now };
  return emit(patch(step, { grant: expired }), { type: "grant_expired", grant: expired });
}

/** Why this grant permits nothing now, or null. The order is that of the answers: what is used up says so, not that it is late. */
function unusable(request: Request, now: Instant): Refusal | null {
  const { grant, status } = request;
  if (grant === null || status !== "approved") {
    return refuse("grant_unusable", `There is no grant: the request is ${status}`);
  }
  const { state, notBefore } = grantAt(grant, now);
  if (state !== "active") return refuse("grant_unusable", `Grant is ${state}`);
  return now < notBefore ? refuse("grant_unusable", "Grant is not valid yet") : null;
}

/** R-GRANT-1, R-GRANT-2: counts one use, or refuses and counts none. */
function useGrant(step: Step, command: UseGrantCommand, { now }: Setting): Step | Refusal {
  const { request } = step;
  const { actor, by, digest, action } = command;
  if (by === "caller" && !isCreator(request, actor)) {
    return refuse("forbidden", "Only who made the request uses its grant");
  }
  const standing = personRefusal(actor);
  if (standing !== null) return standing;
  if (digest !== request.digest) {
    return refuse("digest_mismatch", "What is to be done is not what was approved: its digest differs");
  }
  const refusal = unusable(request, now);
  if (refusal !== null) return refusal;
  const grant = grantOf(request);
  const uses = grant.uses + 1;
  const isLast = uses === grant.usesMax;
  const used: Grant = { ...grant, uses, ...(isLast ? { state: "used", endedAt: now } : {}) };
  return emit(patch(step, { grant: used }), { type: "grant_used", grant: used, action }, { actor: eventActor(actor) });
}

/** R-GRANT-6: the end moves away, a bounded number of times and never beyond a bound; by nobody who could not have approved. */
function extendGrant(step: Step, command: ExtendGrantCommand, setting: Setting): Step | Refusal {
  const { request } = step;
  const { actor, expiresAt } = command;
  const barred = extenderRefusal(request, actor, setting);
  if (barred !== null) return barred;
  const grant = extensible(request, setting.now);
  if (isRefusal(grant)) return grant;
  if (grant.extensions >= command.most) {
    return refuse("extension_limit", `The approval was extended ${String(grant.extensions)} times, which is the most`);
  }
  if (expiresAt > command.latest) {
    return refuse("extension_limit", "The approval may not last that long: ask for a new one");
  }
  if (grant.expiresAt === null || expiresAt <= grant.expiresAt) {
    return refuse("extension_not_later", "The approval already lasts as long as that");
  }
  const extended: Grant = { ...grant, expiresAt, extensions: grant.extensions + 1 };
  const body = { type: "grant_extended", grant: extended } as const;
  return emit(patch(step, { grant: extended }), body, { actor: eventActor(actor) });
}

/** What is over cannot be extended: it needs a new request. */
function extensible(request: Request, now: Instant): Grant | Refusal {
  const refusal = unusable(request, now);
  if (refusal === null) return grantOf(request);
  if (request.grant === null || grantAt(request.grant, now).state !== "expired") return refusal;
  return refuse("grant_expired", "The approval has expired: ask for a new one");
}

/** The same exclusions as an approver's, but that of having approved already. */
function extenderRefusal(request: Request, actor: Actor, { policy }: Setting): Refusal | null {
  if (actor.machine || actor.person === null) return refuse("machine", "Machine credentials cannot decide");
  const standing = standingRefusal(actor.person);
  if (standing !== null) return standing;
  const barred = barredThroughout(policy, request, actor.person);
  return barred === null ? null : refuse("separation_of_duties", `Separation of duties: ${exclusionSentence(barred)}`);
}

/** R-GRANT-5: administrators, who made the request, and everybody whose approval it rests on. */
function revokeGrant(step: Step, command: RevokeGrantCommand, { now }: Setting): Step | Refusal {
  const { request } = step;
  const { actor, by, reason } = command;
  if (by === "caller" && !actor.admin && !isCreator(request, actor) && !restsOn(request, actor)) {
    return refuse("forbidden", "Only an administrator, who made the request, or who approved it revokes its grant");
  }
  const standing = personRefusal(actor);
  if (standing !== null) return standing;
  const comment = command.comment?.trim() ?? "";
  if (by === "caller" && comment === "") {
    const message = "A comment is required to revoke a grant";
    return refuse("comment_required", message, [{ path: ["body", "comment"], message, code: "comment_required" }]);
  }
  const refusal = unusable(request, now);
  if (refusal !== null) return refusal;
  const revoked: Grant = {
    ...grantOf(request),
    ...{ state: "revoked", endedAt: now, revokedReason: reason, revokedComment: comment === "" ? null : comment },
  };
  return emit(patch(step, { grant: revoked }), { type: "grant_revoked", grant: revoked }, { actor: eventActor(actor) });
}

/** Theirs is an approval that counts. */
function restsOn({ stages }: Request, { person }: Actor): boolean {
  return stages.some((run) =>
    run.decisions.some(
      (each) => person !== null && each.personId === person.id && each.action === "approve" && each.seatId !== null,
    ),
  );
}

/** Who is locked or has left takes no part; a machine's credential was looked at when it was presented. */
function personRefusal({ person }: Actor): Refusal | null {
  return person === null ? null : standingRefusal(person);
}

function grantOf({ grant }: Request): Grant {
  invariant(grant !== null, "an approved request has its grant");
  return grant;
}
