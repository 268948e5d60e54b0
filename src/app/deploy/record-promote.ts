/**
 * The outcome of a promote: deployed uses the grant, anything else leaves the request approved, and an unknown one stays in doubt
 * (docs/spec/deploy.md R-STATE-5 to R-STATE-7).
 */
import { NOTHING_NEEDED } from "../../core/facts.ts";
import { grantAt, type GrantState } from "../../core/grant.ts";
import { isId } from "../../core/ids.ts";
import type { Instant } from "../../core/person.ts";
import { isRefusal } from "../../core/refusal.ts";
import type { Request } from "../../core/request.ts";
import type { ChangeSet, DescribedEntry } from "../../ports/change-set.ts";
import type { Carried, StoreCommand, World } from "../../ports/command-store.ts";
import type { DeployApprovalRecord } from "../../ports/deploy-records.ts";
import { recordsBy } from "../../ports/records.ts";
import type { Application } from "../application.ts";
import { useGrantCommand } from "../grant-act.ts";
import { NO_CHANGE } from "../no-change.ts";
import { currentApproval } from "./admit-call.ts";
import { callEntry, type CallAbout, type CallApproval } from "./call-entry.ts";
import { lateDeployEffects } from "./deploy-reactions.ts";

export interface PromoteOutcome {
  readonly approval: CallApproval;
  readonly attempt: number;
  readonly about: CallAbout;
  readonly releaseId: string;
  readonly outcome: "deployed" | "failed";
  /** Of the rack's answer; null where it was found out in another way. */
  readonly status: number | null;
  readonly durationMs: number;
  /** When the promote was admitted: it may finish after the approval's end (deploy R-EXPIRY-3). */
  readonly admittedAt: Instant;
  readonly by: { readonly tokenId: string } | { readonly personId: string };
}

/** Once: an outcome that is known already is not written again. */
export function recordPromote(app: Application, promoted: PromoteOutcome): Promise<boolean> {
  return app.store.submit(promoteCommand(app, promoted));
}

function promoteCommand(app: Application, promoted: PromoteOutcome): StoreCommand<boolean> {
  const { approval, about } = promoted;
  const { id, requestId, digest } = approval;
  if (!isId<"request">(requestId)) throw new Error("a request's id is a UUID (this is a bug)");
  const use = useGrantCommand(app, about.actor, { requestId, by: "gate", digest, action: "convox:release:promote" });
  return {
    name: "record_promote",
    needs: {
      ...use.needs,
      records: [...(use.needs.records ?? []), recordsBy("deployApproval", "id", [id])],
    },
    gather: (world) => use.gather?.(world) ?? NOTHING_NEEDED,
    carryOut(world, facts): Carried<boolean> {
      const [current] = currentApproval(world, id);
      const pending = current?.record.promotes.find(({ attempt }) => attempt === promoted.attempt);
      if (current === undefined || pending?.outcome !== "pending") return { answer: false, changes: NO_CHANGE };
      const own: ChangeSet = {
        entries: entriesOf(app, promoted),
        records: { deployApproval: [changed(current.record, promoted, world.now)] },
      };
      if (promoted.outcome === "failed") return { answer: true, changes: own };
      const isOver = grantState(current.request, world.now) === "expired";
      const used = use.carryOut(isOver ? world : asOf(world, promoted.admittedAt), facts);
      if (isOver) return { answer: true, changes: lateChanges(world, current.request, { ended: used.changes, own }) };
      // What the rack has done is done, whatever became of the approval meanwhile (R-STATE-9).
      if (isRefusal(used.answer)) return { answer: true, changes: own };
      return { answer: true, changes: joined(used.changes, own) };
    },
  };
}

function entriesOf(app: Application, promoted: PromoteOutcome): readonly DescribedEntry[] {
  const { about, outcome, status, durationMs, releaseId } = promoted;
  const kinds = outcome === "deployed" ? (["call_ended", "release_promoted"] as const) : (["call_ended"] as const);
  return kinds.map((kind) => callEntry(app, kind, about, { status, durationMs, release: releaseId }));
}

function changed(record: DeployApprovalRecord, promoted: PromoteOutcome, now: Instant): DeployApprovalRecord {
  const { attempt, outcome, by } = promoted;
  const promotes = record.promotes.map((one) => (one.attempt === attempt ? { ...one, outcome } : one));
  const next = { ...record, version: record.version + 1, promotes };
  if (outcome === "failed" || record.deployedAt !== null) return next;
  return {
    ...next,
    deployedAt: now,
    deployedByTokenId: "tokenId" in by ? by.tokenId : null,
    deployedByPersonId: "personId" in by ? by.personId : null,
  };
}

function grantState({ grant }: Request, now: Instant): GrantState | null {
  return grant === null ? null : grantAt(grant, now).state;
}

/**
 * The end of the grant is written first where nobody has: what has ended is not used any more. What was to be told of that end is
 * not: it was deployed (R-EXPIRY-3).
 */
function lateChanges(
  world: World,
  before: Request,
  { ended, own }: { readonly ended: ChangeSet; readonly own: ChangeSet },
): ChangeSet {
  const after = ended.requests?.[0]?.after ?? before;
  const others = (ended.records?.effect ?? []).filter(({ kind }) => !kind.startsWith("deploy."));
  const effect = [...others, ...lateDeployEffects(after, world)];
  return joined({ ...ended, records: { ...ended.records, effect } }, own);
}

/** The same state, judged by the time at which the call was let in. */
function asOf(world: World, now: Instant): World {
  return new Proxy(world, {
    get(target, member): unknown {
      if (member === "now") return now;
      const value: unknown = Reflect.get(target, member, target);
      if (typeof value !== "function") return value;
      return (...given: readonly unknown[]): unknown => Reflect.apply(value, target, given);
    },
  });
}

/** The grant's changes come first: its events count the entries from the beginning. */
function joined(grant: ChangeSet, own: ChangeSet): ChangeSet {
  return { ...grant, entries: [...grant.entries, ...own.entries], records: { ...grant.records, ...own.records } };
}
