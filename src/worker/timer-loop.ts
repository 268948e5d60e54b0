/**
 * The clock's part: wakes when the next timer of any request is due and lets the application look at that request. Nothing is
 * remembered between rounds but which requests to leave alone for a while: what is due stands in the database, so a restart
 * loses no timer, and the application decides under the request's lock, so several processes harm nobody (engine section 9).
 */
import type { RequestId } from "../core/ids.ts";
import type { Instant } from "../core/person.ts";
import type { Reader } from "../ports/reader.ts";
import { Alarm } from "./alarm.ts";

export interface TimerLoopOptions {
  readonly timers: Pick<Reader, "dueRequests" | "nextTimerAt">;
  /** Applies what is due to one request; harmless when nothing is. */
  readonly apply: (id: RequestId) => Promise<unknown>;
  readonly clock: () => Instant;
  /** Tells of commits of this process, which may have set earlier timers; answers how to stop listening. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Timers that another process set are seen after at most this long. */
  readonly fallbackMs: number;
  /** True while nothing may be written. */
  readonly isPaused: () => boolean;
  readonly onError: (error: unknown) => void;
}

export interface Loop {
  /** Resolves when the round under way is over. */
  stop(): Promise<void>;
}

/** Requests looked at together: enough for group commit, few enough not to keep people waiting. */
const CONCURRENCY = 16;
const BATCH = 200;
/** After a commit the next timer is looked up again, at most this often. */
const SETTLE_MS = 500;
/** A request is not looked at twice within this time, whatever its timer says. */
const REST_MS = 1_000;
const REST_MAX_MS = 60_000;
const WAIT_MAX_MS = 2 ** 31 - 1;

interface Rest {
  readonly until: Instant;
  readonly failures: number;
}

export function startTimerLoop(options: TimerLoopOptions): Loop {
  const resting = new Map<RequestId, Rest>();
  const alarm = new Alarm();
  const unsubscribe = options.subscribe(() => {
    alarm.ringWithin(SETTLE_MS);
  });
  let isStopped = false;
  let failures = 0;

  async function run(): Promise<void> {
    while (!isStopped) {
      try {
        const wait = options.isPaused() ? options.fallbackMs : await round(options, resting);
        failures = 0;
        await alarm.wait(Math.min(wait, options.fallbackMs));
      } catch (error) {
        failures += 1;
        options.onError(error);
        await alarm.wait(Math.min(REST_MAX_MS, REST_MS * 2 ** Math.min(failures, 6)));
      }
    }
  }
  const running = run();
  return {
    async stop() {
      isStopped = true;
      unsubscribe();
      alarm.ringWithin(0);
      await running;
    },
  };
}

/** Looks at everything that is due, and answers how long nothing will be. */
async function round(options: TimerLoopOptions, resting: Map<RequestId, Rest>): Promise<number> {
  const { timers, apply, clock, onError } = options;
  const now = clock();
  for (const [id, rest] of resting) if (rest.until + REST_MAX_MS < now) resting.delete(id);
  // Requests that fail stay due: without room for them they would keep the others out.
  const due = await timers.dueRequests(now, BATCH + resting.size);
  const ready = due.filter((id) => (resting.get(id)?.until ?? 0) <= now);
  await eachOf(ready, CONCURRENCY, async (id) => {
    const before = resting.get(id)?.failures ?? 0;
    try {
      await apply(id);
      resting.set(id, { until: clock() + REST_MS, failures: 0 });
    } catch (error) {
      const until = clock() + Math.min(REST_MAX_MS, REST_MS * 2 ** Math.min(before, 6));
      resting.set(id, { until, failures: before + 1 });
      onError(error);
    }
  });
  if (ready.length >= BATCH) return 0;
  return await untilNext(options, due, resting);
}

async function untilNext(
  { timers, clock }: TimerLoopOptions,
  due: readonly RequestId[],
  resting: ReadonlyMap<RequestId, Rest>,
): Promise<number> {
  const now = clock();
  const next = await timers.nextTimerAt();
  if (next === null) return WAIT_MAX_MS;
  if (next > now) return next - now;
  const rests = due.map((id) => (resting.get(id)?.until ?? now) - now).filter((rest) => rest > 0);
  return rests.length === 0 ? SETTLE_MS : Math.max(SETTLE_MS, Math.min(...rests));
}

async function eachOf<Item>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker));
}
