/** What every command on an existing request has in common: find it, apply what is due, decide, record. */
import { decide, type Command, type Outcome } from "../core/decide.ts";
import type { EngineEventType } from "../core/event.ts";
import { factsNeededLater, NOTHING_NEEDED, type Facts } from "../core/facts.ts";
import type { RequestId, TaskId } from "../core/ids.ts";
import type { Actor, Instant, Person } from "../core/person.ts";
import { Bug, refuse, type Refusal, type RefusalCode } from "../core/refusal.ts";
import { isLive, type Request } from "../core/request.ts";
import type { AuditRecord, ChangeSet, DescribedEntry } from "../ports/change-set.ts";
import type { Needs, StoreCommand, World } from "../ports/command-store.ts";
import type { Application } from "./application.ts";
import { describe } from "./entry-writer.ts";
import type { SignedEvidence } from "./event-entry.ts";
import { statusRefusal } from "./identify.ts";
import { ledgerActor, ledgerId } from "./ledger-names.ts";
import { recordRequest, type Recording } from "./record-request.ts";
import { readable } from "./visibility.ts";
import { NO_CHANGE } from "./no-change.ts";

/** Which request is meant: by its own id, or by the id of one of its tasks. */
export type Target = { readonly requestId: RequestId } | { readonly taskId: TaskId };

export interface RequestAct<Answer> {
  readonly name: string;
  readonly target: Target;
  /** Null for the clock. */
  readonly actor: Actor | null;
  /** Names that only this command brings, such as a new assignee. */
  readonly names?: readonly string[];
  /** A gate has judged who may see the request; absent where the generic rules do (R-AUTH-30). */
  readonly judged?: boolean;
  /** What `command` and `confirm` look at besides the request. */
  readonly needs?: Needs;
  command(world: World, before: Request): Command;
  /** The last word once the engine has agreed: a refusal leaves everything as it was. */
  confirm?(before: Request, world: World): Refusal | null;
  /** What the command was signed with. */
  readonly signed?: SignedEvidence | null;
  answer(outcome: Outcome, at: { readonly facts: Facts; readonly now: Instant }): Answer;
  /** Lines for the audit list; `entryOf` finds the entry of an event that the command led to. */
  audit?(outcome: Outcome, before: Request, at: AuditPlace): readonly AuditRecord[];
}

export interface AuditPlace {
  readonly world: World;
  readonly entryOf: (type: EngineEventType) => number;
}

export function requestCommand<Answer>(app: Application, act: RequestAct<Answer>): StoreCommand<Answer | Refusal> {
  const find = (world: World): Request | undefined =>
    "taskId" in act.target ? world.requestOfTask(act.target.taskId) : world.request(act.target.requestId);
  return {
    name: act.name,
    needs: {
      ...act.needs,
      ...needsOf(act.target),
      personIds: [...(act.needs?.personIds ?? []), ...[personOf(act.actor)?.id ?? []].flat()],
    },
    gather(world) {
      const request = find(world);
      const extra = act.names ?? [];
      if (request === undefined) return { ...NOTHING_NEEDED, names: extra };
      const { policy } = world.pinnedPolicy(request);
      const later = isLive(request.status) ? factsNeededLater(policy, request, latest(world.now)) : NOTHING_NEEDED;
      return { ...later, names: [...later.names, ...extra] };
    },
    carryOut(world, facts) {
      const before = find(world);
      if (before === undefined || !isShown(app, act, before)) {
        return { answer: unknown(act.target), changes: NO_CHANGE };
      }
      const standing = standingNow(act.actor, world);
      if (standing !== null) return { answer: standing, changes: NO_CHANGE };
      const { policy } = world.pinnedPolicy(before);
      const setting = { policy, facts, now: world.now, settings: app.settings };
      const outcome = decide(before, act.command(world, before), setting);
      const after = outcome.request;
      const changes =
        after === before
          ? NO_CHANGE
          : recordRequest({ before, after, events: outcome.events, ...recordedAs(act, world) }, app);
      if (outcome.refusal !== null) {
        const told = refusalEntries(app, act.actor, before, outcome.refusal);
        return { answer: outcome.refusal, changes: { ...changes, entries: [...changes.entries, ...told] } };
      }
      const last = act.confirm?.(before, world) ?? null;
      if (last !== null) {
        return { answer: last, changes: { entries: refusalEntries(app, act.actor, before, last) } };
      }
      const audit = act.audit?.(outcome, before, { world, entryOf: (type) => entryOf(changes, type) }) ?? [];
      return { answer: act.answer(outcome, { facts, now: world.now }), changes: { ...changes, audit } };
    },
  };
}

function isShown(app: Application, { actor, judged }: RequestAct<unknown>, request: Request): boolean {
  return actor === null || judged === true || readable(request, actor, app.settings);
}

/** The credential was looked at before the transaction: whoever was locked or suspended meanwhile does nothing more. */
function standingNow(actor: Actor | null, world: World): Refusal | null {
  const person = personOf(actor);
  const record = person === null ? undefined : world.personRecord(person.id);
  return record === undefined ? null : statusRefusal(record.status);
}

function personOf(actor: Actor | null): Person | null {
  return actor === null ? null : actor.person;
}

function recordedAs(
  { actor, signed = null }: Pick<RequestAct<unknown>, "actor" | "signed">,
  { newId }: World,
): Pick<Recording, "actor" | "signed" | "newId"> {
  return { actor, signed, newId };
}

function entryOf(changes: ChangeSet, type: EngineEventType): number {
  const recorded = changes.requests?.[0]?.events.findLast(({ event }) => event.type === type);
  if (recorded === undefined) throw new Bug(`no event ${type} was recorded`);
  return recorded.entry;
}

/** The clock may move between gathering and deciding; looking a moment ahead costs nothing. */
function latest(now: Instant): Instant {
  return now + 1_000;
}

function needsOf(target: Target): Needs {
  return "taskId" in target ? { taskIds: [target.taskId] } : { requestIds: [target.requestId] };
}

/** Refusals that matter to security are entries of their own; they change nothing about the request (R-STAGE-2). */
const SECURITY_REFUSALS: ReadonlySet<RefusalCode> = new Set([
  "machine",
  "not_assignee",
  "forbidden",
  "separation_of_duties",
  "digest_mismatch",
  "grant_not_supported",
  "view_stale",
  "statement_unknown",
  "statement_used",
  "statement_expired",
  "statement_mismatch",
  "factor_unknown",
  "factor_cooling_down",
  "factor_not_device_bound",
  "factor_counter_regressed",
  "assertion_invalid",
  "user_not_verified",
]);

export function refusalEntries(
  app: Application,
  actor: Actor | null,
  request: Request,
  refusal: Refusal,
): readonly DescribedEntry[] {
  if (actor === null || !SECURITY_REFUSALS.has(refusal.refusal)) return [];
  const frame = {
    org: ledgerId("org", request.orgId),
    kind: "access.refused",
    actor: ledgerActor(actor, app.sha256),
    credential: actor.credential,
    resource: { digest: request.digest, gate: request.gate },
    request: ledgerId("req", request.id),
    data: { code: refusal.refusal },
  };
  return [describe(frame, app)];
}

/** Unknown and not yours to see are the same answer (R-AUTH-30). */
function unknown(target: Target): Refusal {
  if ("taskId" in target) return refuse("task_not_found", `Task ${target.taskId} not found`);
  return refuse("request_not_found", `Request ${target.requestId} not found`);
}
