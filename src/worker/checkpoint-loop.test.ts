import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startCheckpointLoop } from "./checkpoint-loop.ts";

let stop: (() => Promise<void>) | null = null;
let signal: (size: number) => void = () => undefined;
let size = 0;
let signed = 0;
let rounds = 0;

function start(fails = false): { errors: unknown[] } {
  const errors: unknown[] = [];
  const loop = startCheckpointLoop({
    checkpoint: async () => {
      rounds += 1;
      await Promise.resolve();
      if (fails) throw new Error("the database is away");
      signed = size;
    },
    subscribe: (listener) => {
      signal = listener;
      return () => {
        signal = () => undefined;
      };
    },
    signedSize: () => signed,
    onError: (error) => errors.push(error),
  });
  stop = () => loop.stop();
  return { errors };
}

function commit(entries: number): void {
  size += entries;
  signal(size);
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  [size, signed, rounds] = [0, 0, 0];
});
afterEach(async () => {
  await stop?.();
  vi.useRealTimers();
});

describe("ledger R-CP-2: a checkpoint", () => {
  it("is made every minute", async () => {
    start();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(rounds).toBe(0);
    await vi.advanceTimersByTimeAsync(120_001);
    expect(rounds).toBe(3);
  });

  it("is made as soon as a thousand entries are not signed, and at most once a second", async () => {
    start();
    await vi.advanceTimersByTimeAsync(10_000);
    commit(999);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(rounds).toBe(0);
    commit(1);
    await vi.advanceTimersByTimeAsync(1);
    expect({ rounds, signed }).toEqual({ rounds: 1, signed: 1_000 });
    for (let count = 0; count < 20; count += 1) {
      commit(1_000);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(rounds).toBeLessThanOrEqual(4);
    expect(rounds).toBeGreaterThanOrEqual(2);
  });

  it("that fails is tried again a minute later", async () => {
    const { errors } = start(true);
    await vi.advanceTimersByTimeAsync(120_000);
    expect({ rounds, errors: errors.length }).toEqual({ rounds: 2, errors: 2 });
  });

  it("is no longer made after the stop", async () => {
    start();
    await stop?.();
    commit(5_000);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(rounds).toBe(0);
  });
});
