/**
 * Does what was decided to be done outside: claims due effects, hands each to the handler of its kind, and writes what became of
 * it. Nothing is remembered between rounds; a process that dies leaves leases that run out (docs/spec/effects.md).
 */
import type { Instant } from "../core/person.ts";
import type {
  ClaimedEffect,
  EffectAttempt,
  EffectError,
  EffectHandler,
  EffectKind,
  EffectOutcome,
  EffectQueue,
  EffectRecord,
  EffectSchedule,
} from "../ports/effects.ts";
import { Alarm } from "./alarm.ts";
import { HostSeats } from "./host-seats.ts";
import type { Loop } from "./timer-loop.ts";

/** What is done about one kind of effect, and how patiently. */
export interface EffectWork {
  readonly handle: EffectHandler;
  readonly schedule: EffectSchedule;
}

export interface EffectLoopOptions {
  readonly queue: EffectQueue;
  readonly work: Readonly<Partial<Record<EffectKind, EffectWork>>>;
  /** Names this process in leases. */
  readonly worker: string;
  readonly clock: () => Instant;
  /** Between 0 and 1, for the spread of repeated attempts. */
  readonly random: () => number;
  /** Tells of effects that may have been added, here or in another process; answers how to stop listening. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Told of effects that will not be tried again although they were not done. */
  readonly onGivenUp: (effect: EffectRecord, outcome: EffectOutcome) => Promise<void>;
  /** Told of every attempt that did not do it. */
  readonly onTrouble?: (effect: EffectRecord, error: EffectError) => void;
  readonly concurrency: number;
  /** Attempts at once for one host, where effects say which one they call (engine R-HOOK-11). */
  readonly perHost?: number;
  /** As `EffectQueue.claim` has it (engine R-HOOK-9). */
  readonly holdMs?: number;
  readonly fallbackMs: number;
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** A lease outlives the attempt it is for by this much. */
const LEASE_SPARE_MS = 30_000;
const SPREAD = 0.1;

export function startEffectLoop(options: EffectLoopOptions): Loop {
  const alarm = new Alarm();
  const stopped = new AbortController();
  const running = new Set<Promise<void>>();
  const hosts = new HostSeats(options.perHost ?? Infinity);
  const unsubscribe = options.subscribe(() => {
    alarm.ringWithin(0);
  });

  async function run(): Promise<void> {
    let failures = 0;
    while (!stopped.signal.aborted) {
      try {
        const wait = options.isPaused() ? options.fallbackMs : await round();
        failures = 0;
        await alarm.wait(Math.min(wait, options.fallbackMs));
      } catch (error) {
        failures += 1;
        options.onError(error);
        await alarm.wait(Math.min(options.fallbackMs, 250 * 2 ** Math.min(failures, 8)));
      }
    }
  }

  /** Takes as many as there is room for; answers how long nothing will be due. */
  async function round(): Promise<number> {
    const room = options.concurrency - running.size;
    if (room <= 0) return options.fallbackMs;
    const kinds = kindsOf(options.work);
    const leaseMs = longest(options.work) + LEASE_SPARE_MS;
    const limit = Math.min(room, hosts.free());
    const { worker, holdMs = 0 } = options;
    const bounds = { leaseMs, limit, holdMs, busyHosts: hosts.busy() };
    const claimed = await options.queue.claim({ kinds, worker, now: options.clock(), ...bounds });
    for (const each of claimed) begin(each);
    return claimed.length < limit ? untilNext(kinds) : 0;
  }

  async function untilNext(kinds: readonly EffectKind[]): Promise<number> {
    const next = await options.queue.nextDueAt(kinds, hosts.busy());
    return next === null ? options.fallbackMs : Math.max(0, next - options.clock());
  }

  function begin(claimed: ClaimedEffect): void {
    const leave = hosts.enter(claimed.effect.payload["host"]);
    const attempt = attemptEffect(claimed, options, stopped.signal)
      .catch(options.onError)
      .finally(() => {
        leave();
        running.delete(attempt);
        alarm.ringWithin(0);
      });
    running.add(attempt);
  }

  const ended = run();
  return {
    async stop() {
      stopped.abort();
      unsubscribe();
      alarm.ringWithin(0);
      await ended;
      await Promise.all(running);
    },
  };
}

async function attemptEffect(claimed: ClaimedEffect, options: EffectLoopOptions, stopped: AbortSignal): Promise<void> {
  const { effect } = claimed;
  const work = options.work[effect.kind];
  if (work === undefined) return;
  const at = options.clock();
  const outcome = overBefore(effect, work.schedule, at) ?? (await outcomeOf(work, effect, stopped));
  const end: EffectAttempt = {
    outcome,
    at,
    durationMs: Math.max(0, options.clock() - at),
    retryAt: retryAt(effect, outcome, { schedule: work.schedule, now: options.clock(), random: options.random }),
  };
  // A stopping process gives the attempt back: it says nothing about the other side.
  if (stopped.aborted && outcome.kind === "retry") return;
  if (outcome.kind === "retry" || outcome.kind === "failed") options.onTrouble?.(effect, outcome.error);
  const isOurs = await options.queue.settle(claimed, end);
  if (isOurs && end.retryAt === null && outcome.kind !== "done") await options.onGivenUp(effect, outcome);
}

/** Processes that die of an effect do not take it for ever (engine R-HOOK-10). */
function overBefore(effect: EffectRecord, { attemptsMax }: EffectSchedule, at: Instant): EffectOutcome | null {
  if (effect.endsAt !== null && effect.endsAt <= at) return OVER;
  if (attemptsMax === null || effect.attempts <= attemptsMax) return null;
  const message = "Every process that tried it ended before it knew the outcome";
  return { kind: "failed", error: { code: "worker_lost", message } };
}

const OVER: EffectOutcome = {
  kind: "withdrawn",
  error: { code: "too_late", message: "What it was for is over" },
};

async function outcomeOf(
  { handle, schedule }: EffectWork,
  effect: EffectRecord,
  stopped: AbortSignal,
): Promise<EffectOutcome> {
  const ends = AbortSignal.timeout(schedule.timeoutMs);
  const signal = AbortSignal.any([stopped, ends]);
  try {
    return await handle(effect, signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = ends.aborted ? `no answer within ${String(schedule.timeoutMs / 1_000)} s` : reason;
    return { kind: "retry", error: { code: "unreachable", message }, afterMs: null };
  }
}

/** When to try again, or null when this was the last attempt (deploy R-CI-1, engine R-HOOK-8). */
export function retryAt(
  effect: Pick<EffectRecord, "attempts" | "endsAt">,
  outcome: EffectOutcome,
  by: { readonly schedule: EffectSchedule; readonly now: Instant; readonly random: () => number },
): Instant | null {
  if (outcome.kind !== "retry") return null;
  const { waitsMs, attemptsMax } = by.schedule;
  if (attemptsMax !== null && effect.attempts >= attemptsMax) return null;
  const planned = waitsMs[Math.min(effect.attempts, waitsMs.length) - 1] ?? 0;
  const spread = planned * (1 + SPREAD * (2 * by.random() - 1));
  const next = by.now + Math.round(Math.max(spread, outcome.afterMs ?? 0));
  return effect.endsAt !== null && next >= effect.endsAt ? null : next;
}

function kindsOf(work: EffectLoopOptions["work"]): readonly EffectKind[] {
  const isKind = (kind: string): kind is EffectKind => Object.hasOwn(work, kind);
  return Object.keys(work).filter(isKind);
}

function longest(work: EffectLoopOptions["work"]): number {
  return Math.max(0, ...Object.values(work).map(({ schedule }) => schedule.timeoutMs));
}
