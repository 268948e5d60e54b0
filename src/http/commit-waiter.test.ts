import { describe, expect, it, vi } from "vitest";
import { CommitWaiter } from "./commit-waiter.ts";

class Commits {
  readonly listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  happen(): void {
    for (const listener of this.listeners) listener();
  }
}

describe("waiting for a commit", () => {
  it("api R-LIVE-1: a commit wakes at once, also one that came before anybody waited", async () => {
    vi.useFakeTimers();
    const commits = new Commits();
    const waiter = new CommitWaiter(commits, new AbortController().signal);
    commits.happen();
    await waiter.next();
    const waiting = waiter.next();
    commits.happen();
    await waiting;
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("api R-LIVE-1: a commit of another process is seen within two seconds", async () => {
    vi.useFakeTimers();
    const waiter = new CommitWaiter(new Commits(), new AbortController().signal);
    const woken = vi.fn();
    const waiting = waiter.next().then(woken);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(woken).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await waiting;
    expect(woken).toHaveBeenCalledOnce();
    vi.useRealTimers();
  });

  it("api R-LIVE-4: when nobody waits any more it wakes, and leaves nothing behind", async () => {
    const commits = new Commits();
    const over = new AbortController();
    const waiter = new CommitWaiter(commits, over.signal);
    const waiting = waiter.next();
    over.abort();
    await waiting;
    await waiter.next();
    expect(waiter.over).toBe(true);
    waiter.close();
    expect(commits.listeners.size).toBe(0);
  });
});
