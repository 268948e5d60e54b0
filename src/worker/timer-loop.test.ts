import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { isId, type RequestId } from "../core/ids.ts";
import type { Reader } from "../ports/reader.ts";
import { startTimerLoop, type Loop } from "./timer-loop.ts";

/** Requests with a timer each, in memory; a request that was looked at has no timer any more, unless looking at it fails. */
class Timers {
  readonly looked: RequestId[] = [];
  readonly dueAt = new Map<RequestId, number>();
  readonly failing = new Set<RequestId>();
  isDown = false;
  staysDue = false;
  atOnce = 0;
  mostAtOnce = 0;

  request(number: number, dueIn: number): RequestId {
    const id = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
    if (!isId<"request">(id)) throw new Error("no id");
    this.dueAt.set(id, Date.now() + dueIn);
    return id;
  }

  reader(): Pick<Reader, "dueRequests" | "nextTimerAt"> {
    return {
      dueRequests: async (now, limit) => {
        await this.reach();
        const due = [...this.dueAt].filter(([, at]) => at <= now).sort(([, left], [, right]) => left - right);
        return due.slice(0, limit).map(([id]) => id);
      },
      nextTimerAt: async () => {
        await this.reach();
        return this.dueAt.size === 0 ? null : Math.min(...this.dueAt.values());
      },
    };
  }

  async look(id: RequestId): Promise<void> {
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    await Promise.resolve();
    this.atOnce -= 1;
    this.looked.push(id);
    if (this.failing.has(id)) throw new Error("this request cannot be looked at");
    if (!this.staysDue) this.dueAt.delete(id);
  }

  private async reach(): Promise<void> {
    await Promise.resolve();
    if (this.isDown) throw new Error("the database is away");
  }
}

const loops: Loop[] = [];
const signals = new Set<() => void>();

function start(timers: Timers, change: { fallbackMs?: number; isPaused?: () => boolean } = {}): { errors: unknown[] } {
  const errors: unknown[] = [];
  const loop = startTimerLoop({
    timers: timers.reader(),
    apply: (id) => timers.look(id),
    clock: () => Date.now(),
    subscribe: (listener) => {
      signals.add(listener);
      return () => signals.delete(listener);
    },
    fallbackMs: 60_000,
    isPaused: () => false,
    onError: (error) => errors.push(error),
    ...change,
  });
  loops.push(loop);
  return { errors };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"] });
});
afterEach(async () => {
  const stopped = Promise.all(loops.splice(0).map((loop) => loop.stop()));
  await vi.advanceTimersByTimeAsync(1);
  await stopped;
  vi.useRealTimers();
});

describe("engine section 9: timers", () => {
  it("fire at the time they are due, not before, in their order", async () => {
    const timers = new Timers();
    const late = timers.request(1, 30_000);
    const early = timers.request(2, 10_000);
    start(timers);
    await vi.advanceTimersByTimeAsync(9_999);
    expect(timers.looked).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(timers.looked).toEqual([early]);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(timers.looked).toEqual([early, late]);
  });

  it("that a commit of this process sets earlier are seen by its signal", async () => {
    const timers = new Timers();
    start(timers);
    await vi.advanceTimersByTimeAsync(1_000);
    const id = timers.request(1, 100);
    for (const signal of signals) signal();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(timers.looked).toEqual([id]);
  });

  it("that another process sets are seen by the fallback", async () => {
    const timers = new Timers();
    start(timers, { fallbackMs: 5_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    const id = timers.request(1, 0);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(timers.looked).toEqual([id]);
  });

  it("of one request that always fails hold up nobody else, and it is tried again ever more rarely", async () => {
    const timers = new Timers();
    const broken = Array.from({ length: 400 }, (_, index) => timers.request(index, -1_000));
    for (const id of broken) timers.failing.add(id);
    const sound = timers.request(900, 0);
    const { errors } = start(timers);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(timers.looked).toContain(sound);
    expect(timers.mostAtOnce).toBeLessThanOrEqual(16);
    await vi.advanceTimersByTimeAsync(300_000);
    const tries = timers.looked.filter((id) => id === broken[0]).length;
    expect(tries).toBeGreaterThan(5);
    expect(tries).toBeLessThan(15);
    expect(errors.length).toBeGreaterThan(400);
  });

  it("are not lost while the database is away", async () => {
    const timers = new Timers();
    const id = timers.request(1, 0);
    timers.isDown = true;
    const { errors } = start(timers);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(errors.length).toBeLessThan(10);
    timers.isDown = false;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(timers.looked).toEqual([id]);
  });

  it("of a request that stays due do not spin", async () => {
    const timers = new Timers();
    timers.staysDue = true;
    timers.request(1, 0);
    start(timers);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(timers.looked.length).toBeLessThanOrEqual(11);
  });

  it("ledger R-QUAR-1: rest while nothing may be written", async () => {
    const timers = new Timers();
    timers.request(1, 0);
    start(timers, { isPaused: () => true, fallbackMs: 1_000 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(timers.looked).toEqual([]);
  });
});
