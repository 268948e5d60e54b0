/**
 * Effects: what is to be done outside, written in the transaction that decided it and done afterwards by a worker, at least
 * once (docs/spec/effects.md). A handler is told of one effect and answers what became of it; it decides nothing.
 */
import type { RequestId } from "../core/ids.ts";
import type { JsonObject } from "../core/json.ts";
import type { Instant } from "../core/person.ts";

/** The worker of a kind is registered in src/main; an effect of a kind that has none waits. */
export type EffectKind =
  | "mail"
  | "webhook"
  | "deploy.ci"
  | "deploy.vcs_comment"
  | "deploy.vcs_status"
  | "deploy.vcs_tree"
  | "deploy.vcs_facts"
  | "deploy.chat"
  | "deploy.mail";

export type EffectState = "pending" | "done" | "failed" | "withdrawn";

/** `code` is stable, `message` a sentence for people; neither holds a secret. */
export interface EffectError {
  readonly code: string;
  readonly message: string;
  /** What the other side said, where that is kept with the attempt (engine R-HOOK-12). */
  readonly detail?: JsonObject;
}

export interface EffectRecord {
  readonly id: string;
  readonly orgId: string;
  readonly kind: EffectKind;
  /** Effects of one lane are attempted one after the other, by position: one message, one callback address. */
  readonly lane: string;
  readonly position: number;
  readonly requestId: RequestId | null;
  readonly payload: JsonObject;
  readonly state: EffectState;
  readonly attempts: number;
  readonly createdAt: Instant;
  readonly dueAt: Instant;
  /** No attempt begins after it; null = until it is done or has failed for good. */
  readonly endsAt: Instant | null;
  readonly lastError: EffectError | null;
  readonly result: JsonObject | null;
  readonly doneAt: Instant | null;
}

export type EffectOutcome =
  | { readonly kind: "done"; readonly result: JsonObject }
  /** Tried again after `afterMs`, or by the kind's own schedule. */
  | { readonly kind: "retry"; readonly error: EffectError; readonly afterMs: number | null }
  | { readonly kind: "failed"; readonly error: EffectError }
  /** It need not be done any more, such as an unblock of an approval that ended meanwhile. */
  | { readonly kind: "withdrawn"; readonly error: EffectError };

/** Called outside of any transaction. What it throws counts as a retry. */
export type EffectHandler = (effect: EffectRecord, signal: AbortSignal) => Promise<EffectOutcome>;

/** How often and how far apart: the wait after attempt `n` is `waitsMs[min(n, length) - 1]`, plus or minus a tenth. */
export interface EffectSchedule {
  readonly waitsMs: readonly number[];
  /** Null = until the effect ends. */
  readonly attemptsMax: number | null;
  readonly timeoutMs: number;
}

export interface ClaimedEffect {
  readonly effect: EffectRecord;
  /** Only whoever holds the lease says what became of the attempt. */
  readonly lease: Instant;
}

/** The worker's side of the queue, each call one statement in a transaction of its own. */
export interface EffectQueue {
  /** At most `limit` due effects of these kinds, none whose lane has an earlier one pending; each gets a lease and one attempt more. */
  claim(ask: {
    readonly kinds: readonly EffectKind[];
    readonly worker: string;
    readonly now: Instant;
    readonly leaseMs: number;
    readonly limit: number;
    /** Whose host has as many attempts under way as it may: its effects wait (engine R-HOOK-11). */
    readonly busyHosts?: readonly string[];
    /** After so long since its first attempt an effect no longer holds back its lane; 0 = it does to its end (engine R-HOOK-9). */
    readonly holdMs?: number;
  }): Promise<readonly ClaimedEffect[]>;
  /** False when the lease is not ours any more. */
  settle(claimed: ClaimedEffect, end: EffectAttempt): Promise<boolean>;
  /** When the next effect of these kinds is due; null when none waits. */
  nextDueAt(kinds: readonly EffectKind[], busyHosts?: readonly string[]): Promise<Instant | null>;
}

export interface EffectAttempt {
  readonly outcome: EffectOutcome;
  readonly at: Instant;
  readonly durationMs: number;
  /** When it is tried again; null when it is over. */
  readonly retryAt: Instant | null;
}

/** One attempt as it is shown (deploy R-REQ object member `effects`). */
export interface EffectAttemptRecord {
  readonly effectId: string;
  readonly attempt: number;
  readonly at: Instant;
  readonly durationMs: number;
  readonly outcome: "done" | "retry" | "failed" | "lost";
  readonly code: string | null;
  readonly message: string | null;
  readonly detail: JsonObject | null;
}
