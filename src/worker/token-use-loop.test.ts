import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { TokenUse } from "../ports/token-uses.ts";
import { startTokenUseLoop } from "./token-use-loop.ts";

const MINUTE = 60_000;

function use(tokenId: string, usedAt: number): TokenUse {
  return { tokenId, usedAt, address: "192.0.2.1" };
}

describe("the loop that writes last uses", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function started(): {
    readonly seen: TokenUse[];
    readonly written: (readonly TokenUse[])[];
    readonly errors: unknown[];
    readonly state: { fails: boolean; paused: boolean };
    readonly loop: ReturnType<typeof startTokenUseLoop>;
  } {
    const seen: TokenUse[] = [];
    const written: (readonly TokenUse[])[] = [];
    const errors: unknown[] = [];
    const state = { fails: false, paused: false };
    const loop = startTokenUseLoop({
      drain: () => seen.splice(0),
      uses: {
        write: (uses) => {
          if (state.fails) return Promise.reject(new Error("away"));
          written.push(uses);
          return Promise.resolve();
        },
      },
      isPaused: () => state.paused,
      onError: (error) => errors.push(error),
    });
    return { seen, written, errors, state, loop };
  }

  it("identity R-TOK-8: writes once a minute, all tokens together", async () => {
    const { seen, written, loop } = started();
    seen.push(use("a", 1), use("b", 2));
    await vi.advanceTimersByTimeAsync(MINUTE - 1);
    expect(written).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(written).toEqual([[use("a", 1), use("b", 2)]]);
    await loop.stop();
  });

  it("identity R-TOK-8: loses nothing when the database is away for a while, and tells the newest use", async () => {
    const { seen, written, errors, state, loop } = started();
    state.fails = true;
    seen.push(use("a", 1), use("b", 2));
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(errors).toHaveLength(1);
    state.fails = false;
    seen.push(use("a", 3));
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(written).toEqual([[use("a", 3), use("b", 2)]]);
    await loop.stop();
  });

  it("identity R-TOK-8: writes what is left at a clean end", async () => {
    const { seen, written, loop } = started();
    seen.push(use("a", 1));
    await loop.stop();
    expect(written).toEqual([[use("a", 1)]]);
  });

  it("ledger R-QUAR-1: writes nothing while nothing may be written, and keeps it", async () => {
    const { seen, written, state, loop } = started();
    state.paused = true;
    seen.push(use("a", 1));
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(written).toEqual([]);
    state.paused = false;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(written).toEqual([[use("a", 1)]]);
    await loop.stop();
  });
});
